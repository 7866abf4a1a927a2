// Package vendorsig finds the vendor's OpenPGP signature of an `rpm` list of a directory,
// in any of the forms in which one may be there, and turns one form into another:
//
//   - [Apart]: the list is the header, and the signature packets are in DIR.sig/LIST.pgp;
//   - [OnDisk]: the signed part of a packet follows the header, and the raw signature is in
//     security.ima (see package rpmlist), or in a detached file of the same bytes.
//
// A PKCS#7 signature of the administrator's that is appended to the list is left out of
// all this: the vendor did not sign it.
package vendorsig

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/pgp"
	"digestlists/internal/regular"
	"digestlists/parsers/rpmlist"

	"golang.org/x/sys/unix"
)

// Suffix is what the name of a file with signature packets ends in, in the folder for
// detached signatures.
const Suffix = ".pgp"

// maxPackets bounds the vendor's signatures of a list, in bytes.
const maxPackets = 64 << 10

// A Form is where the vendor's signature is.
type Form int

// The forms.
const (
	None Form = iota
	Apart
	OnDisk
)

func (f Form) String() string {
	return [...]string{None: "no vendor's signature", Apart: "signature in a file", OnDisk: "signature in " + imasig.AttributeName}[f]
}

// A List is an rpm list with its vendor's signature. Nothing of it is verified.
type List struct {
	Form   Form
	Header []byte // the list without what is appended to it

	tail      []byte           // OnDisk
	attribute imasig.Signature // OnDisk
	packets   []byte           // Apart
}

// Find finds the signature of a list whose whole content is data. That there is none is no
// error.
func Find(dir, file string, data []byte) (*List, error) {
	plain, _, _, err := imasig.SplitAppended(data)
	if err != nil {
		return nil, err
	}
	header, tail, err := rpmlist.Split(plain)
	if err != nil {
		return nil, err
	}
	l := &List{Header: header, tail: tail}
	if tail != nil {
		return l, l.findAttribute(filepath.Join(dir, file))
	}
	l.packets, err = regular.ReadFile(filepath.Join(listdir.ApartDir(dir), file+Suffix), unix.O_NOFOLLOW, maxPackets)
	switch {
	case err == nil:
		l.Form = Apart
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return l, nil
}

// findAttribute finds the number that belongs to the tail: without it, or with a signature
// of somebody else in its place, the tail is no signature.
func (l *List) findAttribute(path string) error {
	found, err := imasig.Find(path, l.Header) // whatever is appended is not the vendor's
	if errors.Is(err, imasig.ErrNoSignature) {
		return nil
	}
	if err != nil {
		return err
	}
	sig, err := imasig.Parse(found.Value())
	if err != nil {
		return fmt.Errorf("%s: %w", found.Path, err)
	}
	issuer, named, err := pgp.TailIssuer(l.tail)
	if err != nil {
		return err
	}
	if !named || imasig.KeyID(issuer[4:]) == sig.KeyID {
		l.Form, l.attribute = OnDisk, sig
	}
	return nil
}

// Others returns how many signatures there are besides the one that fits on disk.
func (l *List) Others() (int, error) {
	if l.Form != Apart {
		return 0, nil
	}
	packets, err := pgp.Split(l.packets)
	return len(packets) - 1, err
}

// Verify returns the vendor's key that made the signature. See package pgp for the errors.
func (l *List) Verify(keys *pgp.Keyring, now time.Time) (*pgp.Key, error) {
	switch l.Form {
	case Apart:
		return keys.Verify(l.Header, l.packets, now)
	case OnDisk:
		return keys.VerifyList(append(l.Header[:len(l.Header):len(l.Header)], l.tail...), l.attribute, now)
	}
	return nil, imasig.ErrNoSignature
}

// Packets returns the signature as packets to be kept apart. keys find out who made one that
// is on disk, where it does not say so itself: see [pgp.Keyring.Packet].
func (l *List) Packets(keys *pgp.Keyring) ([]byte, error) {
	switch l.Form {
	case Apart:
		return l.packets, nil
	case OnDisk:
		return keys.Packet(l.Header, l.tail, l.attribute)
	}
	return nil, imasig.ErrNoSignature
}

// OnDisk returns the list with the signed part of the signature after it, and the value of
// its security.ima, which has room for one of several. With keys, that is one that they
// verify.
func (l *List) OnDisk(keys *pgp.Keyring, now time.Time) (content, attribute []byte, err error) {
	switch l.Form {
	case Apart:
		packets := l.packets
		if len(keys.Keys()) > 0 {
			if packets, err = keys.Good(l.Header, packets, now); err != nil {
				return nil, nil, err
			}
		}
		content, sig, id, hash, err := rpmlist.OnDisk(l.Header, packets)
		if err != nil {
			return nil, nil, err
		}
		return content, imasig.Signature{Hash: hash, KeyID: id, Sig: sig}.Marshal(), nil
	case OnDisk:
		return append(l.Header[:len(l.Header):len(l.Header)], l.tail...), l.attribute.Marshal(), nil
	}
	return nil, nil, imasig.ErrNoSignature
}
