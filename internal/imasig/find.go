package imasig

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"digestlists/internal/regular"
	"digestlists/internal/xattr"

	"golang.org/x/sys/unix"
)

// detachedSuffix is what the name of a detached signature ends in.
const detachedSuffix = ".sig"

// A Place is where a signature was found.
type Place int

// The places, in the order in which Find looks.
const (
	PlaceAttribute Place = iota // security.ima
	PlaceBeside                 // <dir>/<list>.sig
	PlaceFolder                 // <dir>.sig/<list> or <dir>.sig/<list>.sig
	PlaceAppended               // PKCS#7 at the end of the list
)

func (p Place) String() string {
	switch p {
	case PlaceAttribute:
		return AttributeName
	case PlaceBeside, PlaceFolder:
		return "detached signature"
	case PlaceAppended:
		return "appended signature"
	}
	return fmt.Sprintf("place(%d)", int(p))
}

// A Found is a signature that nothing has been verified of. What it signs is not to be
// had from here: Keyring.Open gives it out.
type Found struct {
	Place Place
	Path  string // of the list, or of the detached signature

	value   []byte // as in the attribute, or PKCS#7
	data    []byte // the whole list
	content []byte // the list without an appended signature
}

// Value returns the signature as it was found: the bytes of the attribute or of the
// detached file, or the PKCS#7 message.
func (f *Found) Value() []byte { return f.value }

// DetachedNames returns where a detached signature of the list may be, in the order
// in which Find looks.
func DetachedNames(list string) []string {
	names := []string{list + detachedSuffix}
	dir, err := filepath.Abs(filepath.Dir(list))
	if err != nil || dir == "/" {
		return names
	}
	folder, base := dir+detachedSuffix, filepath.Base(list)
	return append(names, filepath.Join(folder, base), filepath.Join(folder, base+detachedSuffix))
}

// Find returns the signature of the list at path, whose bytes are data: that of its
// security.ima attribute, else a detached one, else the one that is appended.
// Where there is none, the error is ErrNoSignature. A place that cannot be looked at
// is an error too, since a signature there is not known to be absent; only a file
// system without attributes is known to have none.
func Find(path string, data []byte) (*Found, error) {
	content, pkcs7, appended, err := SplitAppended(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	found := &Found{data: data, content: content}
	ok, err := found.lookAround(path)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return found, nil
	case appended:
		found.Place, found.Path, found.value = PlaceAppended, path, pkcs7
		return found, nil
	}
	return nil, fmt.Errorf("%s: %w", path, ErrNoSignature)
}

// lookAround looks at the attribute and for a detached signature.
func (f *Found) lookAround(path string) (bool, error) {
	value, err := ReadAttribute(path)
	if err != nil {
		return false, err
	}
	if value != nil {
		f.Place, f.Path, f.value = PlaceAttribute, path, value
		return true, nil
	}
	for i, name := range DetachedNames(path) {
		value, err := readDetached(name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			continue
		}
		if err != nil {
			return false, err
		}
		f.Place, f.Path, f.value = PlaceBeside, name, value
		if i > 0 {
			f.Place = PlaceFolder
		}
		return true, nil
	}
	return false, nil
}

// ReadAttribute returns security.ima of a file; nil where there is none, or one that only
// holds a digest: the kernel writes those by itself (ima_appraise=fix).
func ReadAttribute(path string) ([]byte, error) {
	value, err := xattr.Get(path, AttributeName)
	if errors.Is(err, xattr.ErrAbsent) || errors.Is(err, xattr.ErrUnsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := Parse(value); errors.Is(err, ErrNoSignature) {
		return nil, nil
	}
	return value, nil
}

// readDetached reads a small regular file. Links are refused as for the lists
// themselves; opening does not block on a fifo.
func readDetached(path string) ([]byte, error) {
	value, err := regular.ReadFile(path, unix.O_NOFOLLOW, MaxSize)
	if errors.Is(err, regular.ErrNotRegular) || errors.Is(err, regular.ErrTooLarge) {
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return value, err
}

// Verified is a list whose signature is good.
type Verified struct {
	Content []byte // without an appended signature
	Key     *Key   // that made the signature
}

// Open verifies what Find has found, with a key that is valid at the time now, and only
// then gives out the content. See the package comment for the errors.
func (r *Keyring) Open(found *Found, now time.Time) (*Verified, error) {
	key, err := r.open(found, now)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", found.Path, err)
	}
	return &Verified{Content: found.content, Key: key}, nil
}

func (r *Keyring) open(found *Found, now time.Time) (*Key, error) {
	if found.Place == PlaceAppended {
		return r.verifyPKCS7(found.content, found.value, now)
	}
	sig, err := Parse(found.value)
	if err != nil {
		return nil, err
	}
	return r.Verify(found.data, sig, now)
}
