package kerneltable

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"digestlists/compact"
	"digestlists/internal/imasig"
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
// that size, of which content is the list without an appended signature. The size is
// compared with what is left of the budget.
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
	content, _, _, err = imasig.SplitAppended(data)
	if err != nil {
		return 0, nil, fmt.Errorf("%w (%s: %w)", unix.EINVAL, path, err)
	}
	return size, content, nil
}

// errnoOf keeps the errno of an error of package os; its text names the path.
func errnoOf(err error) error {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return fmt.Errorf("%w (%w)", unix.EIO, err)
	}
	return err
}

// parse adds or deletes the digests of a list up to its end or first fault.
func (t *Table) parse(op Operation, list []byte) error {
	if len(list) == 0 {
		return fmt.Errorf("%w (empty list)", unix.EINVAL)
	}
	r := compact.NewReader(bytes.NewReader(list))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil && h.Algorithm > t.limits.LastAlgorithm {
			err = fmt.Errorf("%w: %s", compact.ErrUnsupportedAlgorithm, h.Algorithm)
		}
		if err != nil {
			return fmt.Errorf("%w (%w)", unix.EINVAL, err)
		}
		if err := t.block(op, h.Block, r); err != nil {
			return err
		}
	}
}

func (t *Table) block(op Operation, b compact.Block, r *compact.Reader) error {
	for {
		sum, err := r.Digest()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("%w (%w)", unix.EINVAL, err)
		case op == Delete:
			t.remove(b, sum)
		default:
			if err := t.add(b, sum); err != nil {
				return err
			}
		}
	}
}
