package rpmhdr_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"testing"

	"digestlists/compact"
	"digestlists/parsers/rpmhdr"
)

func TestImmutable(t *testing.T) {
	want := build(sample)
	for name, blob := range map[string][]byte{
		"alone":        want,
		"with dribble": build(sample, text(rpmhdr.SHA1Header, "ab"), numbers[uint32](1008, 1, 2)),
	} {
		got, err := rpmhdr.Immutable(blob)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v, want %d bytes", name, len(got), err, len(want))
		}
	}
}

func TestImmutableLegacy(t *testing.T) {
	blob := legacy(sample...)
	if _, err := rpmhdr.Immutable(blob); !errors.Is(err, rpmhdr.ErrNoRegion) {
		t.Errorf("error is %v, want %v", err, rpmhdr.ErrNoRegion)
	}
	s, err := rpmhdr.ParseStored(blob, nil)
	if err != nil || !s.Legacy || !bytes.Equal(s.Region, blob) {
		t.Errorf("ParseStored = %+v, %v, want all of it as legacy", s, err)
	}
}

func TestVerifyDigest(t *testing.T) {
	region := build(sample)
	content := append(rpmhdr.Magic[:], region...)
	sum1, sum256 := sha1.Sum(content), sha256.Sum256(content)
	good1, good256 := hex.EncodeToString(sum1[:]), hex.EncodeToString(sum256[:])
	for name, tt := range map[string]struct {
		sha256, sha1 string
		want         error
	}{
		"both":          {good256, good1, nil},
		"sha1 only":     {"", good1, nil},
		"none":          {"", "", nil},
		"wrong sha256":  {good256[:63] + "x", good1, rpmhdr.ErrDigest},
		"wrong sha1":    {good256, good1[:39], rpmhdr.ErrDigest},
		"sha1 as other": {good1, "", rpmhdr.ErrDigest},
	} {
		if err := rpmhdr.VerifyDigest(region, tt.sha256, tt.sha1); !errors.Is(err, tt.want) {
			t.Errorf("%s: error is %v, want %v", name, err, tt.want)
		}
	}
}

func TestParseStored(t *testing.T) {
	packet, other := "\x88packet", "\x88other"
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	region := build(sample)
	sum := sha256.Sum256(append(rpmhdr.Magic[:], region...))
	s, err := rpmhdr.ParseStored(build(sample,
		binaryField(rpmhdr.DSAHeader, "dsa"),
		binaryField(rpmhdr.RSAHeader, packet),
		text(rpmhdr.SHA256Header, hex.EncodeToString(sum[:])),
		texts(rpmhdr.OpenPGP, encode(packet), encode(other), encode(other)),
	), bytes.Repeat([]byte("used"), 1000))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
	if want := append(rpmhdr.Magic[:], region...); !bytes.Equal(s.Signed, want) || !bytes.Equal(s.Region, region) {
		t.Errorf("%d bytes are signed, %d are the region, want %d and %d", len(s.Signed), len(s.Region), len(want), len(region))
	}
	if got, want := string(s.Signatures), packet+"dsa"+other; got != want {
		t.Errorf("signatures %q, want %q", got, want)
	}
	s.Region[len(s.Region)-20] ^= 1
	if err := s.Verify(); !errors.Is(err, rpmhdr.ErrDigest) {
		t.Errorf("a changed region gives %v", err)
	}
}

// A digest or signature that cannot be read is not the same as none.
func TestParseStoredUnreadable(t *testing.T) {
	for name, f := range map[string]field{
		"digest of another type":    binaryField(rpmhdr.SHA256Header, "ab"),
		"empty digest":              text(rpmhdr.SHA1Header, ""),
		"signature of another type": text(rpmhdr.RSAHeader, "ab"),
		"signature not in base64":   texts(rpmhdr.OpenPGP, "*"),
		"empty signature":           texts(rpmhdr.OpenPGP, ""),
		"signatures as numbers":     numbers(rpmhdr.OpenPGP, uint32(1)),
	} {
		if s, err := rpmhdr.ParseStored(build(sample, f), nil); s != nil || !errors.Is(err, compact.ErrMalformed) {
			t.Errorf("%s: %v, %v, want %v", name, s, err, compact.ErrMalformed)
		}
	}
}
