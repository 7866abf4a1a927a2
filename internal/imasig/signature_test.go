package imasig_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/internal/imasig"
)

func TestParseOtherContents(t *testing.T) {
	sha1, sha256 := make([]byte, 20), make([]byte, 32)
	for name, c := range map[string]struct {
		value []byte
		want  error
		text  string
	}{
		"digest":               {append([]byte{4, 4}, sha256...), imasig.ErrNoSignature, "plain digest"},
		"granted digest":       {append([]byte{6, 4}, sha256...), imasig.ErrNoSignature, "plain digest"},
		"bare SHA-1":           {append([]byte{1}, sha1...), imasig.ErrNoSignature, "plain digest"},
		"short digest":         {append([]byte{4, 4}, sha1...), imasig.ErrMalformed, "type 4"},
		"unknown digest":       {append([]byte{4, 99}, sha1...), imasig.ErrMalformed, "type 4"},
		"long SHA-1":           {append([]byte{1}, sha256...), imasig.ErrMalformed, "type 1"},
		"empty":                {nil, imasig.ErrMalformed, "empty"},
		"EVM HMAC":             {append([]byte{2}, sha1...), imasig.ErrMalformed, "type 2"},
		"portable EVM":         {[]byte{5, 2, 4, 1, 2, 3, 4, 0, 1, 0}, imasig.ErrMalformed, "type 5"},
		"version 1":            {[]byte{3, 1, 4, 1, 2, 3, 4, 0, 1, 0}, imasig.ErrUnsupported, "offset 1: version 1, want 2"},
		"version 3":            {[]byte{3, 3, 4, 1, 2, 3, 4, 0, 1, 0}, imasig.ErrUnsupported, "offset 1: version 3, want 2"},
		"version 4":            {[]byte{3, 4, 4, 1, 2, 3, 4, 0, 1, 0}, imasig.ErrMalformed, "offset 1: version 4, want 2"},
		"fs-verity":            {[]byte{6, 3, 4, 1, 2, 3, 4, 0, 1, 0}, imasig.ErrUnsupported, "fs-verity"},
		"short of fs-verity":   {[]byte{6, 3, 4, 1}, imasig.ErrMalformed, "type 6"},
		"unknown algorithm":    {[]byte{3, 2, 99, 1, 2, 3, 4, 0, 1, 0}, compact.ErrUnsupportedAlgorithm, "offset 2"},
		"header only":          {[]byte{3, 2, 4, 1, 2, 3, 4, 0, 0}, imasig.ErrMalformed, "offset 7"},
		"length too long":      {[]byte{3, 2, 4, 1, 2, 3, 4, 0, 2, 0}, imasig.ErrMalformed, "length 2, but 1 bytes follow"},
		"length little-endian": {[]byte{3, 2, 4, 1, 2, 3, 4, 1, 0, 0}, imasig.ErrMalformed, "length 256"},
	} {
		t.Run(name, func(t *testing.T) {
			sig, err := imasig.Parse(c.value)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || sig.Sig != nil {
				t.Errorf("Parse = %v, %v, want %v with %q", sig, err, c.want, c.text)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	digest := bytes.Repeat([]byte{7}, 48)
	value := imasig.MarshalDigest(compact.SHA384, digest)
	if want := append([]byte{4, 5}, digest...); !bytes.Equal(value, want) {
		t.Errorf("MarshalDigest = %x", value)
	}
	alg, got, err := imasig.ParseDigest(value)
	if err != nil || alg != compact.SHA384 || !bytes.Equal(got, digest) {
		t.Errorf("ParseDigest = %s %x, %v", alg, got, err)
	}
	for name, value := range map[string][]byte{"empty": nil, "type": {3, 4}, "no algorithm": {4}, "algorithm": {4, 99}} {
		if _, got, err := imasig.ParseDigest(value); !errors.Is(err, imasig.ErrMalformed) || got != nil {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	for name, sig := range map[string]imasig.Signature{
		"empty":     {Hash: compact.SHA256},
		"algorithm": {Hash: 99, Sig: []byte{1}},
		"too long":  {Hash: compact.SHA256, Sig: make([]byte, imasig.MaxSize)},
	} {
		if value := sig.Marshal(); value != nil {
			t.Errorf("%s: %d bytes", name, len(value))
		}
	}
	longest := imasig.Signature{Hash: compact.SHA256, Sig: make([]byte, imasig.MaxSize-9)}
	if _, err := imasig.Parse(longest.Marshal()); err != nil {
		t.Errorf("longest: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"rsa2048-sha256.ima", "rsa4096-sha256.ima", "kernel-list.ima"} {
		f.Add(testdata(f, name))
	}
	f.Add(imasig.MarshalDigest(compact.SHA1, make([]byte, 20)))
	f.Fuzz(func(t *testing.T, value []byte) {
		if sig, err := imasig.Parse(value); err != nil {
			if sig.Sig != nil || sig.Hash != 0 {
				t.Errorf("error %v with %v", err, sig)
			}
		} else if !bytes.Equal(sig.Marshal(), value) {
			t.Errorf("%v is written as %x", sig, sig.Marshal())
		}
		if alg, digest, err := imasig.ParseDigest(value); err != nil && digest != nil {
			t.Errorf("error %v with %s %x", err, alg, digest)
		}
	})
}
