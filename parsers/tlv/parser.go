package tlv

import (
	"encoding/binary"
	"fmt"
	"iter"

	"digestlists/compact"
	"digestlists/parsers"
)

// Format is the name of the format in the names of lists.
const Format = "tlv"

const (
	fieldAlgorithm = 0
	fieldCount     = 1
	fieldEntry     = 2

	entryDigest = 0
	entryPath   = 1

	headSize = 2 + 4
	maxPath  = 4096 // PATH_MAX, with the NUL
)

// Parser parses tlv lists. Entries are of the type in the list's name and have no modifiers.
type Parser struct{}

var _ parsers.Parser = Parser{}

// Parse implements [parsers.Parser].
func (Parser) Parse(list []byte, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		if err := walk(list, func(*parsers.Entry) bool { return true }); err != nil {
			yield(nil, err)
			return
		}
		// The list is right as a whole: there cannot be an error any more.
		_ = walk(list, func(e *parsers.Entry) bool {
			e.Type = opts.Type
			return yield(e, nil)
		})
	}
}

// A reader takes fields off the start of a list.
type reader struct {
	data   []byte
	offset int // of data in the list
}

// next returns the next field. name tells where it is.
func (r *reader) next(name string) (field uint16, value reader, err error) {
	if len(r.data) < headSize {
		return 0, reader{}, fail(r.offset, name, compact.ErrTruncated, "%d bytes, want at least %d", len(r.data), headSize)
	}
	field, size := binary.BigEndian.Uint16(r.data), binary.BigEndian.Uint32(r.data[2:])
	rest := r.data[headSize:]
	if uint64(size) > uint64(len(rest)) {
		return 0, reader{}, fail(r.offset+2, name, compact.ErrTruncated, "length %d, %d bytes follow", size, len(rest))
	}
	value = reader{rest[:size:size], r.offset + headSize}
	*r = reader{rest[size:], value.offset + int(size)}
	return field, value, nil
}

// walk reads a list and gives out its entries, the same one each time, until visit is false.
func walk(list []byte, visit func(*parsers.Entry) bool) error {
	in := reader{data: list}
	if len(list) == 0 {
		return fail(0, "algorithm", compact.ErrTruncated, "empty list")
	}
	var e parsers.Entry
	for len(in.data) > 0 {
		algorithm, count, err := in.group()
		if err != nil {
			return err
		}
		for range count {
			value, err := in.expect(fieldEntry, "entry")
			if err == nil {
				err = value.entry(&e, algorithm)
			}
			if err != nil {
				return err
			}
			if !visit(&e) {
				return nil
			}
		}
	}
	return nil
}

// expect is next for a field that has to be there.
func (r *reader) expect(want uint16, name string) (reader, error) {
	start := r.offset
	field, value, err := r.next(name)
	if err == nil && field != want {
		err = fail(start, name, compact.ErrMalformed, "field %d, want %d", field, want)
	}
	return value, err
}

// group reads the algorithm and the number of the entries that follow.
func (r *reader) group() (compact.Algorithm, uint32, error) {
	value, err := r.expect(fieldAlgorithm, "algorithm")
	if err != nil {
		return 0, 0, err
	}
	if len(value.data) != 2 {
		return 0, 0, fail(value.offset, "algorithm", compact.ErrMalformed, "%d bytes, want 2", len(value.data))
	}
	id := binary.BigEndian.Uint16(value.data)
	algorithm := compact.Algorithm(id)
	if int(algorithm) != int(id) || !algorithm.Valid() {
		return 0, 0, fail(value.offset, "algorithm", compact.ErrUnsupportedAlgorithm, "id %d", id)
	}
	value, err = r.expect(fieldCount, "number of entries")
	if err != nil {
		return 0, 0, err
	}
	if len(value.data) != 4 {
		return 0, 0, fail(value.offset, "number of entries", compact.ErrMalformed, "%d bytes, want 4", len(value.data))
	}
	return algorithm, binary.BigEndian.Uint32(value.data), nil
}

// entry reads the fields of one entry.
func (r *reader) entry(e *parsers.Entry, algorithm compact.Algorithm) error {
	*e = parsers.Entry{Algorithm: algorithm}
	start := r.offset
	for len(r.data) > 0 {
		at := r.offset
		field, value, err := r.next("entry")
		if err != nil {
			return err
		}
		switch {
		case field == entryDigest && e.Digest == nil:
			e.Digest, err = value.digest(algorithm)
		case field == entryPath && e.Known == 0:
			e.Path, err = value.path()
			e.Known = parsers.FieldPath
		default:
			err = fail(at, "entry", compact.ErrMalformed, "field %d, want a digest (0) and a path (1), each once", field)
		}
		if err != nil {
			return err
		}
	}
	if e.Digest == nil {
		return fail(start, "entry", compact.ErrMalformed, "no digest")
	}
	return nil
}

func (r *reader) digest(algorithm compact.Algorithm) ([]byte, error) {
	if len(r.data) != algorithm.Size() {
		return nil, fail(r.offset, "entry", compact.ErrMalformed, "digest of %d bytes, %s has %d", len(r.data), algorithm, algorithm.Size())
	}
	return r.data, nil
}

func (r *reader) path() (string, error) {
	path := string(r.data)
	if err := checkPath(path); err != nil {
		return "", fail(r.offset, "entry", compact.ErrMalformed, "%v", err)
	}
	return path[:len(path)-1], nil
}

func fail(offset int, field string, class error, format string, args ...any) error {
	return &compact.FormatError{Offset: int64(offset), Field: field, Err: fmt.Errorf("%w: %s", class, fmt.Sprintf(format, args...))}
}
