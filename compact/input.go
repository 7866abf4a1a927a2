package compact

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// inputSize is what an input reads at once, and the most that it hands out in one piece.
const inputSize = 64 << 10

// input reads ahead, and counts the bytes that it hands out, for errors. Lists have
// millions of items of a few bytes: to hand one out costs no copy and no call.
type input struct {
	r    io.Reader
	buf  []byte
	data []byte // the end of what is in buf: what was not handed out
	off  int64
}

func newInput(r io.Reader) input {
	size := inputSize
	if list, ok := r.(*bytes.Reader); ok { // in memory, and as a rule small
		size = min(size, list.Len())
	}
	return input{r: r, buf: make([]byte, size)}
}

// next returns the next n bytes, at most inputSize, valid until the next call. If there
// are fewer, that is ErrTruncated.
func (in *input) next(n int) ([]byte, error) {
	if n > len(in.data) {
		if err := in.fill(n); err != nil {
			return nil, err
		}
	}
	b := in.data[:n:n]
	in.data = in.data[n:]
	in.off += int64(n)
	return b, nil
}

// fill reads until there are n bytes.
func (in *input) fill(n int) error {
	had := copy(in.buf, in.data)
	more, err := io.ReadAtLeast(in.r, in.buf[had:], min(n, len(in.buf))-had)
	in.data = in.buf[:had+more]
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || err == nil && len(in.data) < n {
		return fmt.Errorf("%w: %d bytes, want %d", ErrTruncated, len(in.data), n)
	}
	return err
}

func (in *input) fail(delta int64, field string, err error) error {
	return &FormatError{Offset: in.off + delta, Field: field, Err: err}
}

// header reads a block header, or returns io.EOF at the end of the list.
func (in *input) header(version uint8, maxAlgorithm Algorithm) (Header, error) {
	b, err := in.next(HeaderSize)
	if errors.Is(err, ErrTruncated) && len(in.data) == 0 {
		return Header{}, io.EOF
	}
	if err != nil {
		return Header{}, in.fail(0, "header", err)
	}
	h, err := decodeHeader(b, version, maxAlgorithm)
	if err != nil {
		return Header{}, in.fail(-HeaderSize, "header", err)
	}
	return h, nil
}
