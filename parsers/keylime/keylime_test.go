package keylime_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/keylime"

	"github.com/google/go-cmp/cmp"
)

func sum(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

func TestRoundTrip(t *testing.T) {
	p := keylime.New()
	for _, add := range []struct {
		path string
		a    compact.Algorithm
		sum  []byte
	}{
		{"/z <é>", compact.SHA512, sum(5, 64)},
		{"/a", compact.SHA256, sum(2, 32)},
		{"/a", compact.SHA1, sum(1, 20)},
		{"/a", compact.SHA256, sum(2, 32)},
		{"/a", compact.SHA384, sum(3, 48)},
		{"/b", compact.SHA256, sum(0, 32)},
		{"boot_aggregate", compact.SHA1, sum(7, 20)},
	} {
		if err := p.Add(add.path, add.a, add.sum); err != nil {
			t.Fatal(err)
		}
	}
	p.Excludes = []string{"/tmp/.*$"}
	path := filepath.Join(t.TempDir(), "policy.json")
	var first, second bytes.Buffer
	if err := p.Write(&first); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, first.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	parsed, err := keylime.Parse(first.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.Write(&second); err != nil || first.String() != second.String() {
		t.Errorf("written again: %v\n%s\n%s", err, first.String(), second.String())
	}

	var unused []string
	source := keylime.Source{Unused: func(_ string, parts []string) { unused = append(unused, parts...) }}
	var got []parsers.Entry
	for list, err := range source.Lists(context.Background(), parsers.Input{Paths: []string{path}, Type: compact.TypeFile}) {
		if err != nil {
			t.Fatal(err)
		}
		if got, err = parsers.Collect(list.Entries); err != nil || list.Name != "policy.json" {
			t.Errorf("%s: %v", list.Name, err)
		}
	}
	entry := func(path string, a compact.Algorithm, sum []byte) parsers.Entry {
		return parsers.Entry{Path: path, Algorithm: a, Digest: sum, Type: compact.TypeFile, Known: parsers.FieldPath}
	}
	want := []parsers.Entry{
		entry("/a", compact.SHA1, sum(1, 20)), entry("/a", compact.SHA256, sum(2, 32)), entry("/a", compact.SHA384, sum(3, 48)), entry("/z <é>", compact.SHA512, sum(5, 64)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"excludes (1)"}, unused); diff != "" {
		t.Error(diff)
	}
}

func TestNotExpressible(t *testing.T) {
	for name, err := range map[string]error{
		"no path":   keylime.New().Add("", compact.SHA256, sum(1, 32)),
		"not UTF-8": keylime.New().Add("/\xff", compact.SHA256, sum(1, 32)),
		"md5":       keylime.New().Add("/a", compact.MD5, sum(1, 16)),
		"sm3":       keylime.New().Add("/a", compact.SM3, sum(1, 32)),
	} {
		if !errors.Is(err, keylime.ErrNotExpressible) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const whole = `{"meta":{"version":1,"generator":2,"timestamp":"now"},"digests":{"/a":["` + "1111111111111111111111111111111111111111" + `"]},` +
	`"keyrings":{".ima":["00"]},"ima":{"ignored_keyrings":["*"],"log_hash_alg":"sha256","dm_policy":{"version":1}},"ima-buf":{"x":["00"]},"verification-keys":"k"}`

func TestUnused(t *testing.T) {
	p, err := keylime.Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"keyrings (1)", "ignored_keyrings (1)", "ima-buf (1)", "verification-keys (1)", "dm_policy"}
	if diff := cmp.Diff(want, p.Unused()); diff != "" {
		t.Error(diff)
	}
}

func TestBad(t *testing.T) {
	for name, test := range map[string]struct {
		data  string
		class error
	}{
		"empty":         {"", compact.ErrTruncated},
		"cut":           {whole[:len(whole)-1], compact.ErrTruncated},
		"two":           {whole + "{}", compact.ErrMalformed},
		"list":          {"[]", compact.ErrMalformed},
		"version":       {strings.Replace(whole, `"version":1`, `"version":2`, 1), compact.ErrMalformed},
		"no digests":    {`{"meta":{"version":1}}`, compact.ErrMalformed},
		"short digest":  {strings.Replace(whole, `["11`, `["`, 1), compact.ErrMalformed},
		"not hex":       {strings.Replace(whole, `["11`, `["xx`, 1), compact.ErrMalformed},
		"digests array": {strings.Replace(whole, `"digests":{`, `"digests":[{`, 1), compact.ErrMalformed},
	} {
		if p, err := keylime.Parse([]byte(test.data)); !errors.Is(err, test.class) || p != nil {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(`{"meta":{"version":1},"digests":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := keylime.Parse(data)
		if (p == nil) != (err != nil) {
			t.Fatalf("%v with %v", p, err)
		}
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := p.Write(&first); err != nil {
			t.Fatal(err)
		}
		if p, err = keylime.Parse(first.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := p.Write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%v\n%s\n%s", err, first.Bytes(), second.Bytes())
		}
	})
}
