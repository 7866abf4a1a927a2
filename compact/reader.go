package compact

import (
	"fmt"
	"io"
	"iter"
)

// A Reader reads a compact list block by block. It holds a buffer of a fixed size,
// however many digests a header announces.
type Reader struct {
	in     input
	header Header
	index  uint32 // of the next digest in the block
	err    error  // sticky
}

// NewReader returns a Reader of the list in r. It reads ahead.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: newInput(r)}
}

// Next goes to the next block, past what is left of the current one. It returns
// io.EOF at the end of the list and a *[FormatError] where the list is wrong;
// after an error it returns that error again.
func (r *Reader) Next() (Header, error) {
	for {
		_, err := r.Digest()
		if err == io.EOF {
			break
		}
		if err != nil {
			return Header{}, err
		}
	}
	h, err := r.in.header(versionDigests, SHA3_512)
	if err == nil {
		err = r.checkLength(h)
	}
	if err != nil {
		r.err = err
		return Header{}, err
	}
	r.header, r.index = h, 0
	return h, nil
}

// checkLength compares in 64 bits: count × size may not fit in 32.
func (r *Reader) checkLength(h Header) error {
	size := h.Algorithm.Size()
	if want := uint64(h.Count) * uint64(size); uint64(h.DataLen) != want {
		return r.in.fail(-4, "data length", fmt.Errorf("%w: %d, want %d digests × %d bytes = %d",
			ErrMalformed, h.DataLen, h.Count, size, want))
	}
	return nil
}

// Digest returns the next digest of the block that Next returned; it is valid
// until the next call. At the end of the block it returns io.EOF.
func (r *Reader) Digest() ([]byte, error) {
	if r.err != nil && r.err != io.EOF {
		return nil, r.err
	}
	if r.index == r.header.Count {
		return nil, io.EOF
	}
	digest, err := r.in.next(r.header.Algorithm.Size())
	if err != nil {
		r.err = r.in.fail(0, fmt.Sprintf("digest %d of %d", r.index+1, r.header.Count), err)
		return nil, r.err
	}
	r.index++
	return digest, nil
}

// Digests yields every digest of the list with its block. The digest is valid
// until the next one. An error is yielded once, as the last element.
func (r *Reader) Digests() iter.Seq2[Digest, error] {
	return func(yield func(Digest, error) bool) {
		for {
			h, err := r.Next()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Digest{}, err)
				return
			}
			if !r.yieldBlock(h.Block, yield) {
				return
			}
		}
	}
}

func (r *Reader) yieldBlock(b Block, yield func(Digest, error) bool) bool {
	for {
		sum, err := r.Digest()
		if err == io.EOF {
			return true
		}
		if err != nil {
			yield(Digest{}, err)
			return false
		}
		if !yield(Digest{b, sum}, nil) {
			return false
		}
	}
}

// A Digest is one digest of a list with what its block says of it.
type Digest struct {
	Block
	Sum []byte // Algorithm.Size() bytes
}

// Check reads a whole list and returns how many digests it holds, duplicates
// counted. Errors are those of Reader.Next; an empty input is ErrTruncated, too, since the
// kernel takes no empty list.
func Check(r io.Reader) (digests int, err error) {
	reader := NewReader(r)
	blocks := 0
	for {
		h, err := reader.Next()
		if err == io.EOF && blocks > 0 {
			return digests, nil
		}
		if err == io.EOF {
			return 0, reader.in.fail(0, "header", ErrTruncated)
		}
		if err != nil {
			return 0, err
		}
		blocks++
		digests += int(h.Count)
	}
}
