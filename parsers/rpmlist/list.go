package rpmlist

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"digestlists/parsers"
	"digestlists/parsers/rpmhdr"
)

// ErrName says that a package cannot give its name to a list.
var ErrName = errors.New("bad package name")

// pubkey is the name of the pseudo-packages in which RPM's database keeps keys.
const pubkey = "gpg-pubkey"

// IsPubkey reports whether a header is that of a pseudo-package which holds a key
// and no files: there are no lists of those.
func IsPubkey(h *rpmhdr.Header) bool {
	name, _ := h.String(rpmhdr.Name)
	return name == pubkey
}

// Name returns the name of the list of a package, NAME-VERSION-RELEASE-ARCH, or
// with a dot before ARCH for Gen039. It is fit for a part of a file name, or the
// error is ErrName.
func Name(h *rpmhdr.Header, gen parsers.Generation) (string, error) {
	var parts [4]string
	for i, tag := range [...]rpmhdr.Tag{rpmhdr.Name, rpmhdr.Version, rpmhdr.Release, rpmhdr.Arch} {
		part, ok := h.String(tag)
		if !ok {
			return "", fmt.Errorf("%w: no %v", ErrName, tag)
		}
		if err := checkPart(part); err != nil {
			return "", fmt.Errorf("%w: %v %q: %w", ErrName, tag, part, err)
		}
		parts[i] = part
	}
	dot := "-"
	if gen == parsers.Gen039 {
		dot = "."
	}
	name := strings.Join(parts[:3], "-") + dot + parts[3]
	if strings.HasSuffix(name, ".sig") {
		return "", fmt.Errorf("%w: %q ends as detached signatures do", ErrName, name)
	}
	return name, nil
}

func checkPart(part string) error {
	switch {
	case part == "":
		return errors.New("empty")
	case !utf8.ValidString(part):
		return errors.New("not UTF-8")
	case strings.ContainsRune(part, '/'):
		return errors.New("contains a slash")
	case strings.ContainsFunc(part, unicode.IsControl):
		return errors.New("contains a control character")
	}
	return nil
}

// A Package is what a list is made of.
type Package struct {
	Content []byte // the list: see FromHeader
	Vendor  []byte // OpenPGP signatures over it; nil for none
	// FileSignatures is the header that has the signatures of the files: the
	// signature header of a package file, or all of the header in a database. nil
	// for none.
	FileSignatures *rpmhdr.Header
}

// everything is what Entries of a List have: nobody says what they will look at.
const everything = parsers.FieldPath | parsers.FieldMode | parsers.FieldSize | parsers.FieldNames |
	parsers.FieldCaps | parsers.FieldSignature

// List makes the list of a package. All that Entries will yield has been checked
// when it returns.
func List(p Package, in parsers.Input) (*parsers.List, error) {
	h, err := Header(p.Content)
	if err != nil {
		return nil, err
	}
	name, err := Name(h, in.Generation)
	if err != nil {
		return nil, err
	}
	opts := parsers.Options{Type: in.Type, Generation: in.Generation, Want: everything}
	if err := check(h, p.FileSignatures, opts.Want); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &parsers.List{
		Format:  Format,
		Name:    name,
		Content: p.Content,
		Vendor:  p.Vendor,
		Entries: selected(entries(h, p.FileSignatures, opts), in.Select),
	}, nil
}
