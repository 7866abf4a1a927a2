package rpmhdr

import "digestlists/compact"

// Stored is a header as an RPM database keeps it.
type Stored struct {
	Header *Header // all of it, with what was added at install
	// Region is what the vendor built: see Immutable. Of a header without an
	// immutable region it is all of it.
	Region []byte
	Signed []byte // Magic and Region, which is a part of it
	Legacy bool   // no immutable region
	SHA256 string // hex digest over Signed; empty where not stored
	SHA1   string
	// Signatures are the vendor's OpenPGP signatures over Signed.
	Signatures []byte
}

// ParseStored decodes a blob of an RPM database. Signed is made in the memory of buf if
// that has room for it.
func ParseStored(blob, buf []byte) (*Stored, error) {
	h, err := Parse(blob)
	if err != nil {
		return nil, err
	}
	if h.RegionTag() == HeaderSignatures {
		return nil, h.failEntry(0, compact.ErrMalformed, "a signature header, want one of a package")
	}
	s := &Stored{Header: h}
	if s.SHA256, s.SHA1, err = h.Digests(); err != nil {
		return nil, err
	}
	if s.Signatures, err = h.Signatures(); err != nil {
		return nil, err
	}
	s.Legacy = h.RegionTag() != HeaderImmutable
	s.Signed = h.appendRegion(append(buf[:0], Magic[:]...))
	s.Region = s.Signed[len(Magic):]
	return s, nil
}

// Verify checks the region against the digests stored with it: see VerifyDigest.
// There are none over a legacy header, which changed when it was installed.
func (s *Stored) Verify() error {
	if s.Legacy {
		return nil
	}
	return VerifyDigest(s.Region, s.SHA256, s.SHA1)
}
