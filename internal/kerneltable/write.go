package kerneltable

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"digestlists/compact"
	"digestlists/internal/regular"

	"golang.org/x/sys/unix"
)

// MaxWrite is the first size in bytes that one write may not have.
const MaxWrite = 64 << 20

// An Operation is what a list is written for.
type Operation int

// The operations.
const (
	Add    Operation = iota // digests become known
	Delete                  // digests are forgotten
)

// Write does what one write(2) to digest_list_data or digest_list_data_del does:
// data is a compact list, or begins with a slash and is the path of one. The error is the
// unix.Errno of the kernel, with what it means. Digests before the fault have been
// added or deleted.
func (t *Table) Write(op Operation, data []byte) error {
	switch {
	case len(data) >= MaxWrite:
		return fmt.Errorf("%w (%d bytes, want less than %d)", unix.EFBIG, len(data), MaxWrite)
	case len(data) > 0 && data[0] == '/':
		return t.writePath(op, data)
	}
	return t.parse(op, data)
}

// writePath takes the first line for a path.
func (t *Table) writePath(op Operation, line []byte) error {
	line, _, _ = bytes.Cut(line, []byte("\n"))
	if bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("%w (control character in the path %q)", unix.EINVAL, line)
	}
	size, content, err := readList(string(line))
	if err != nil {
		return err
	}
	return t.WriteFile(op, size, content)
}

// WriteFile does what the kernel does with a list that it opens itself: a file of
// that size with that content. The size is compared with what is left of the budget.
func (t *Table) WriteFile(op Operation, size int64, content []byte) error {
	if left := t.limits.Budget - t.used; op == Add && size > left {
		return fmt.Errorf("%w (the list has %d bytes, and %d are left in the table)", unix.ENOMEM, size, left)
	}
	return t.parse(op, content)
}

// readList reads a list as the kernel does: only a regular file that is not empty.
func readList(path string) (size int64, content []byte, err error) {
	f, err := regular.Open(path, 0)
	if errors.Is(err, regular.ErrNotRegular) {
		return 0, nil, fmt.Errorf("%w (%w)", unix.EINVAL, err)
	}
	if err != nil {
		return 0, nil, errnoOf(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, nil, errnoOf(err)
	}
	if size = info.Size(); size > MaxBudget {
		return size, nil, nil // no table has room for it: not worth reading
	}
	if size == 0 {
		return 0, nil, fmt.Errorf("%w (%s: empty file)", unix.EINVAL, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, size))
	if err != nil {
		return 0, nil, errnoOf(err)
	}
	return size, data, nil
}

// errnoOf keeps the errno of an error of package os; its text names the path.
func errnoOf(err error) error {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return fmt.Errorf("%w (%w)", unix.EIO, err)
	}
	return err
}

// parse adds or deletes the digests of a list up to its end or first fault. Whether a
// block has the data length of its header is looked at after its digests.
func (t *Table) parse(op Operation, list []byte) error {
	for at := 0; at < len(list); {
		h, err := compact.ParseHeader(list[at:])
		if err == nil && h.Algorithm > t.limits.LastAlgorithm {
			err = fmt.Errorf("%w: %s", compact.ErrUnsupportedAlgorithm, h.Algorithm)
		}
		if err != nil {
			return fmt.Errorf("%w (offset %d: header: %w)", unix.EINVAL, at, err)
		}
		at += compact.HeaderSize
		size, err := t.block(op, h, list[at:])
		if err != nil {
			return fmt.Errorf("%w (offset %d: %w)", unix.EINVAL, at+size, err)
		}
		at += size
	}
	return nil
}

// block adds or deletes the digests of a block, and returns how many bytes they have.
func (t *Table) block(op Operation, h compact.Header, data []byte) (size int, err error) {
	for i := range h.Count {
		end := size + h.Algorithm.Size()
		if end > len(data) {
			return size, fmt.Errorf("digest %d of %d: %w", i+1, h.Count, compact.ErrTruncated)
		}
		if sum := data[size:end]; op == Delete {
			t.remove(h.Block, sum)
		} else {
			t.add(h.Block, sum)
		}
		size = end
	}
	if uint32(size) != h.DataLen {
		return size, fmt.Errorf("data length: %w: %d, want %d", compact.ErrMalformed, h.DataLen, size)
	}
	return size, nil
}
