package initramfs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"digestlists/compact"
	"digestlists/internal/cpio"
	"digestlists/internal/packed"
	"digestlists/internal/regular"
)

// ErrNoProgram: the program that unpacks an image is not installed.
var ErrNoProgram = errors.New("not installed")

// An unpacker is a program for a kind of compression, which reads standard input.
type unpacker struct {
	magic   string
	command []string
}

// unpackers are for what Go has no reader of. The numbers are those of lib/decompress.c
// of the kernel; lz4 is in its legacy format.
var unpackers = []unpacker{
	{"\xfd7zXZ\x00", []string{"xz", "-dc"}},
	{"]\x00\x00", []string{"xz", "--format=lzma", "-dc"}},
	{"\x02\x21\x4c\x18", []string{"lz4", "-dc"}},
	{"\x89LZO", []string{"lzop", "-dc"}},
	{"BZh", []string{"bzip2", "-dc"}},
}

// readImage calls visit for each member of an image, in their order: cpio archives
// one after the other, with zero bytes between, of which the last one may be compressed.
func readImage(path string, visit func(*cpio.Header, io.Reader) error) error {
	f, err := regular.Open(path, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := readArchives(bufio.NewReaderSize(f, 1<<16), true, visit); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readArchives(r *bufio.Reader, packed bool, visit func(*cpio.Header, io.Reader) error) error {
	for archives := 0; ; archives++ {
		head, err := nextArchive(r)
		switch {
		case err == io.EOF && archives > 0:
			return nil
		case err == io.EOF:
			return fmt.Errorf("%w: an empty image", compact.ErrTruncated)
		case err != nil:
			return err
		case bytes.HasPrefix(head, []byte(cpio.Magic)):
			err = readArchive(cpio.NewReader(r), visit)
		case packed:
			return unpack(r, head, func(plain *bufio.Reader) error { return readArchives(plain, false, visit) })
		default:
			err = fmt.Errorf("%w: neither an archive nor compressed: begins with %q", compact.ErrMalformed, head)
		}
		if err != nil {
			return err
		}
	}
}

// nextArchive passes over zero bytes and returns those that the next archive begins with,
// as many as tell its kind.
func nextArchive(r *bufio.Reader) ([]byte, error) {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return nil, err
		}
		if b == 0 {
			continue
		}
		if err := r.UnreadByte(); err != nil {
			return nil, err
		}
		head, err := r.Peek(6)
		if err == io.EOF {
			err = nil // shorter than any archive, which is found when it is read
		}
		return head, err
	}
}

func readArchive(archive *cpio.Reader, visit func(*cpio.Header, io.Reader) error) error {
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = visit(h, archive)
		}
		if err != nil {
			return err
		}
	}
}

func unpack(r *bufio.Reader, head []byte, read func(*bufio.Reader) error) error {
	for _, u := range unpackers {
		if bytes.HasPrefix(head, []byte(u.magic)) {
			return u.run(r, read)
		}
	}
	plain, done, err := packed.NewReader(r)
	defer done()
	if err != nil {
		return err
	}
	return read(bufio.NewReaderSize(plain, 1<<16))
}

// run reads what the program prints; it ends with the reader.
func (u unpacker) run(r io.Reader, read func(*bufio.Reader) error) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	program, err := exec.LookPath(u.command[0])
	if err != nil {
		return fmt.Errorf("%s, which unpacks it: %w", u.command[0], ErrNoProgram)
	}
	var said strings.Builder
	cmd := exec.CommandContext(ctx, program, u.command[1:]...)
	cmd.Stdin, cmd.Stderr = r, &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := read(bufio.NewReaderSize(out, 1<<16)); err != nil {
		stop()
		cmd.Wait() // it was stopped
		return u.failed(err, &said)
	}
	return u.failed(cmd.Wait(), &said)
}

func (u unpacker) failed(err error, said fmt.Stringer) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %w: %s", strings.Join(u.command, " "), compact.ErrMalformed, err, strings.TrimSpace(said.String()))
}
