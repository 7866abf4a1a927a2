package rpmpkg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cavaliergopher/rpm"

	"digestlists/compact"
	"digestlists/parsers/rpmhdr"
	"digestlists/parsers/rpmlist"
)

// ErrSource says that a package holds sources: its files are not those that an
// installed system has.
var ErrSource = errors.New("a source package, want a binary one")

const (
	leadSize   = 96
	leadSource = 1 // lead type
	introSize  = 16
	headerPad  = 8
)

var leadMagic = []byte{0xed, 0xab, 0xee, 0xdb}

// ReadPackage reads the headers of a package from r, and from the archive after
// them at most what comes with the last read. It checks the header against the
// stronger of the digests in the signature header, where there are any.
func ReadPackage(r io.Reader) (*rpmlist.Package, error) {
	return new(front).read(r)
}

// read is ReadPackage in the memory of f, which the package refers to.
func (f *front) read(r io.Reader) (*rpmlist.Package, error) {
	*f = front{r: r, data: f.data[:0]}
	if err := f.readLead(); err != nil {
		return nil, err
	}
	signature, err := f.readHeader("signature header")
	if err != nil {
		return nil, err
	}
	if err := f.need(-f.used&(headerPad-1), "padding of signature header"); err != nil {
		return nil, err
	}
	start := f.used
	if err := crossCheck(f.data[:start]); err != nil {
		return nil, err
	}
	header, err := f.readHeader("header")
	if err != nil {
		return nil, err
	}
	return assemble(f.data[start+len(rpmhdr.Magic):f.used], header, signature)
}

// assemble checks the headers against each other.
func assemble(region []byte, header, signature *rpmhdr.Header) (*rpmlist.Package, error) {
	if tag := signature.RegionTag(); tag != 0 && tag != rpmhdr.HeaderSignatures {
		return nil, fmt.Errorf("signature header: %w: region %v", compact.ErrMalformed, tag)
	}
	if !header.Whole() {
		return nil, fmt.Errorf("header: %w: more than the immutable region", compact.ErrMalformed)
	}
	if !header.Has(rpmhdr.SourceRPM) {
		return nil, ErrSource
	}
	sha256hex, sha1hex, err := signature.Digests()
	if err != nil {
		return nil, err
	}
	if sha256hex != "" {
		sha1hex = "" // the weaker one would add nothing
	}
	if err := rpmhdr.VerifyDigest(region, sha256hex, sha1hex); err != nil {
		return nil, err
	}
	vendor, err := signature.Signatures()
	if err != nil {
		return nil, err
	}
	p := &rpmlist.Package{Content: rpmlist.FromHeader(region), Vendor: vendor}
	if signature.Has(rpmhdr.SigFileSignatures) || signature.Has(rpmhdr.FileSignatures) {
		p.FileSignatures = signature
	}
	return p, nil
}

// crossLimit keeps large signature headers from the second reader, which makes up
// to 16 bytes of memory out of one.
const crossLimit = 1 << 20

// noHeader is a header without entries.
var noHeader = append(rpmhdr.Magic[:], make([]byte, introSize-len(rpmhdr.Magic))...)

// crossCheck has a second reader find where the header of the package starts,
// after it was made sure that it can stand what comes before. Which bytes are the
// header decides what is listed as a vendor's word: the two have to agree. The
// header itself would cost as much again as everything else, and is left out.
func crossCheck(front []byte) error {
	if len(front) > crossLimit {
		return nil
	}
	p, err := rpm.Read(io.MultiReader(bytes.NewReader(front), bytes.NewReader(noHeader)))
	if err != nil {
		return fmt.Errorf("%w: %w", compact.ErrMalformed, err)
	}
	if start, _ := p.HeaderRange(); start != len(front) {
		return fmt.Errorf("%w: header at %d and at %d", compact.ErrMalformed, len(front), start)
	}
	return nil
}

// front is the part of a package file before the archive, as far as it was read.
type front struct {
	r    io.Reader
	data []byte
	used int // bytes of data that were asked for
}

func (f *front) readLead() error {
	if err := f.need(leadSize, "lead"); err != nil {
		return err
	}
	lead := f.data[:leadSize]
	switch major, kind := lead[4], binary.BigEndian.Uint16(lead[6:]); {
	case !bytes.Equal(lead[:4], leadMagic):
		return fail(0, "lead", compact.ErrMalformed, "starts with % x, want % x of an RPM package", lead[:4], leadMagic)
	case major != 3 && major != 4:
		return fail(4, "lead", compact.ErrUnsupportedVersion, "package format %d, want 3 or 4", major)
	case kind == leadSource:
		return ErrSource
	case kind != 0:
		return fail(6, "lead", compact.ErrMalformed, "type %d, want 0", kind)
	}
	return nil
}

// readHeader reads a header with its magic.
func (f *front) readHeader(field string) (*rpmhdr.Header, error) {
	start := f.used
	if err := f.need(introSize, field); err != nil {
		return nil, err
	}
	intro := f.data[start:f.used]
	if magic := intro[:len(rpmhdr.Magic)]; !bytes.Equal(magic, rpmhdr.Magic[:]) {
		return nil, fail(start, field, compact.ErrMalformed, "starts with % x, want % x", magic, rpmhdr.Magic)
	}
	blob := start + len(rpmhdr.Magic)
	size, err := rpmhdr.Size([8]byte(f.data[blob:f.used]), int64(blob))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	if err := f.need(size-(f.used-blob), field); err != nil {
		return nil, err
	}
	h, err := rpmhdr.ParseAt(f.data[blob:f.used:f.used], int64(blob))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return h, nil
}

const (
	firstRead = 32 << 10 // has all of the headers of most packages
	nextRead  = 1 << 20
)

// need reads on until there are n more bytes. Memory grows with what has come,
// not with what a header claims.
func (f *front) need(n int, field string) error {
	f.used += n
	for len(f.data) < f.used {
		if len(f.data) == cap(f.data) {
			f.grow()
		}
		got, err := f.r.Read(f.data[len(f.data):cap(f.data)])
		f.data = f.data[:len(f.data)+got]
		switch {
		case len(f.data) >= f.used:
			return nil
		case err == io.EOF:
			return fail(len(f.data), field, compact.ErrTruncated, "%d bytes missing", f.used-len(f.data))
		case err != nil:
			return fmt.Errorf("%s: %w", field, err)
		}
	}
	return nil
}

func (f *front) grow() {
	room := firstRead
	if len(f.data) > 0 {
		room = min(max(f.used-len(f.data), firstRead), nextRead+len(f.data))
	}
	f.data = append(make([]byte, 0, len(f.data)+room), f.data...)
}

func fail(offset int, field string, class error, format string, args ...any) error {
	return &compact.FormatError{Offset: int64(offset), Field: field, Err: fmt.Errorf("%w: %s", class, fmt.Sprintf(format, args...))}
}
