package rpmhdr

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"digestlists/compact"
)

// ErrDigest says that a header is not the one its digest was made of.
var ErrDigest = errors.New("header digest does not match")

// VerifyDigest checks an immutable region against the hex digests over Magic and
// the region that RPM keeps outside it: tags SHA256Header and SHA1Header. An empty
// one is not checked. The error is ErrDigest.
func VerifyDigest(region []byte, sha256hex, sha1hex string) error {
	if sha256hex != "" {
		if err := verify(sha256.New(), "sha256", region, sha256hex); err != nil {
			return err
		}
	}
	if sha1hex != "" {
		return verify(sha1.New(), "sha1", region, sha1hex)
	}
	return nil
}

func verify(h hash.Hash, name string, region []byte, want string) error {
	h.Write(Magic[:])
	h.Write(region)
	if got := hex.EncodeToString(h.Sum(nil)); !strings.EqualFold(got, want) {
		return fmt.Errorf("%w: %s is %s, stored is %q", ErrDigest, name, got, want)
	}
	return nil
}

// Digests returns the hex digests over Magic and the immutable region that a
// header of a database or the signature header of a package has, for VerifyDigest.
// Those it does not have are empty.
func (h *Header) Digests() (sha256hex, sha1hex string, err error) {
	if sha256hex, err = h.digest(SHA256Header); err != nil {
		return "", "", err
	}
	sha1hex, err = h.digest(SHA1Header)
	return sha256hex, sha1hex, err
}

func (h *Header) digest(tag Tag) (string, error) {
	e := h.find(tag)
	if e == nil {
		return "", nil
	}
	text, ok := h.String(tag)
	if !ok || text == "" {
		return "", h.failValue(e, compact.ErrMalformed, "%q of type %v, want hex", text, e.kind)
	}
	return text, nil
}

// Signatures returns the OpenPGP signatures over Magic and the immutable region
// as binary packets one after the other: RSA first, then DSA, then those of RPM 6
// that are not among the former. nil means that there is none. They are not
// verified, nor even known to be signatures.
func (h *Header) Signatures() ([]byte, error) {
	var all []byte
	var known [][]byte
	for _, tag := range []Tag{RSAHeader, DSAHeader} {
		packet, ok := h.Bytes(tag)
		if e := h.find(tag); e != nil && !ok {
			return nil, h.failValue(e, compact.ErrMalformed, "of type %v, want %v", e.kind, kindBinary)
		}
		known = append(known, packet)
		all = append(all, packet...)
	}
	if e := h.find(OpenPGP); e != nil && !e.kind.text() {
		return nil, h.failValue(e, compact.ErrMalformed, "of type %v, want %v", e.kind, kindStrings)
	}
	for text := range h.Strings(OpenPGP) {
		packet, err := base64.StdEncoding.DecodeString(text)
		if err == nil && len(packet) == 0 {
			err = errors.New("empty")
		}
		if err != nil {
			return nil, h.failValue(h.find(OpenPGP), compact.ErrMalformed, "%v", err)
		}
		if !slices.ContainsFunc(known, func(k []byte) bool { return bytes.Equal(k, packet) }) {
			known = append(known, packet)
			all = append(all, packet...)
		}
	}
	return all, nil
}
