package hashes_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"

	"digestlists/compact"
	"digestlists/internal/hashes"
)

// opensslNames maps our names to those of openssl dgst where they differ.
var opensslNames = map[compact.Algorithm]string{compact.RMD160: "rmd160"}

var computable = []compact.Algorithm{
	compact.MD5, compact.SHA1, compact.RMD160, compact.SHA256, compact.SHA384, compact.SHA512,
	compact.SHA224, compact.SM3, compact.SHA3_256, compact.SHA3_384, compact.SHA3_512,
}

// TestOpenSSL compares digests with those of another implementation.
func TestOpenSSL(t *testing.T) {
	content := bytes.Repeat([]byte("digest lists\n"), 1000)
	for _, a := range computable {
		t.Run(a.String(), func(t *testing.T) {
			name := a.String()
			if n, ok := opensslNames[a]; ok {
				name = n
			}
			cmd := exec.Command("openssl", "dgst", "-"+name, "-r")
			cmd.Stdin = bytes.NewReader(content)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("openssl dgst: %v", err)
			}
			want, _, _ := strings.Cut(string(out), " ")

			sum, err := hashes.Sum(a, content)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(sum); got != want {
				t.Errorf("Sum = %s, openssl says %s", got, want)
			}
			streamed, err := hashes.SumReader(a, iotest.HalfReader(bytes.NewReader(content)))
			if err != nil || !bytes.Equal(streamed, sum) {
				t.Errorf("SumReader = %x, %v, want %x", streamed, err, sum)
			}
			if len(sum) != a.Size() {
				t.Errorf("%d bytes, the table says %d", len(sum), a.Size())
			}
		})
	}
}

func TestCryptoHash(t *testing.T) {
	for _, a := range computable {
		h, ok := hashes.CryptoHash(a)
		if a == compact.SM3 {
			if ok {
				t.Error("sm3 has a crypto.Hash")
			}
			continue
		}
		if !ok || h.Size() != a.Size() || !h.Available() {
			t.Errorf("%s: %v (%d bytes), %t", a, h, h.Size(), ok)
		}
	}
}

func TestUnsupported(t *testing.T) {
	known := map[compact.Algorithm]bool{}
	for _, a := range computable {
		known[a] = true
	}
	for _, a := range append(compact.Algorithms(), 99) {
		if known[a] {
			continue
		}
		if h, err := hashes.New(a); !errors.Is(err, compact.ErrUnsupportedAlgorithm) || h != nil {
			t.Errorf("New(%s) = %v, %v", a, h, err)
		}
		if sum, err := hashes.Sum(a, nil); !errors.Is(err, compact.ErrUnsupportedAlgorithm) || sum != nil {
			t.Errorf("Sum(%s) = %x, %v", a, sum, err)
		}
	}
}

func TestReadError(t *testing.T) {
	sum, err := hashes.SumReader(compact.SHA256, iotest.TimeoutReader(strings.NewReader(strings.Repeat("x", 100_000))))
	if !errors.Is(err, iotest.ErrTimeout) || sum != nil {
		t.Errorf("SumReader = %x, %v", sum, err)
	}
}
