package packed

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/internal/hosttest"

	"github.com/klauspost/compress/zstd"
)

// Data that are not compressed come through, compressed ones end or fail for good, and
// what fails is damage.
func FuzzReader(f *testing.F) {
	plain := bytes.Repeat([]byte("10 0123 ima-ng sha256:4567 /usr/bin/true\n"), 50)
	f.Add([]byte{})
	f.Add(plain)
	f.Add(hosttest.Gzip(f, plain))
	f.Add(append(hosttest.Gzip(f, plain), hosttest.Gzip(f, plain)...))
	f.Add(zstandard(f, plain))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, done, err := NewReader(bytes.NewReader(data))
		defer done()
		if err != nil {
			checkDamage(t, err)
			return
		}
		const most = 1 << 20
		out, err := io.ReadAll(io.LimitReader(r, most))
		if err != nil {
			checkDamage(t, err)
			if n, again := r.Read(make([]byte, 1)); n != 0 || again != err {
				t.Fatalf("%d bytes, %v after %v", n, again, err)
			}
		}
		packed := bytes.HasPrefix(data, []byte{0x1f, 0x8b}) || bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd})
		if !packed && (err != nil || !bytes.Equal(out, data)) {
			t.Fatalf("%d bytes become %d, %v", len(data), len(out), err)
		}
	})
}

// What real tools have compressed with something else is not taken for plain data.
func TestOthers(t *testing.T) {
	for _, tool := range [][]string{{"xz", "xz"}, {"bzip2", "bzip2"}, {"lz4", "lz4"}, {"lzma", "xz", "--format=lzma"}} {
		compress := exec.Command(tool[1], append(tool[2:], "-c")...)
		compress.Stdin = strings.NewReader("type=INTEGRITY_RULE\n")
		data, err := compress.Output()
		if err != nil {
			t.Fatalf("%v: %v", tool, err)
		}
		_, done, err := NewReader(bytes.NewReader(data))
		done()
		if want := "malformed: compressed with " + tool[0] + ", want plain data, gzip or zstd"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func checkDamage(t *testing.T, err error) {
	if !errors.Is(err, compact.ErrMalformed) && !errors.Is(err, compact.ErrTruncated) {
		t.Fatalf("%v is of no class", err)
	}
}

func zstandard(t testing.TB, data []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}
