package setup

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"digestlists/compact"
)

// What was written down and read again is the same; what says anything else is not.
func TestSame(t *testing.T) {
	c := Default("/")
	c.Immutable, c.Mutable = []string{"/a", "/b"}, []string{}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var again Config
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if again.Mutable = nil; !c.Same(again) || !again.Same(c) {
		t.Errorf("%+v, %+v", c, again)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.Mode = Enforce },
		func(c *Config) { c.Immutable = []string{"/b", "/a"} },
		func(c *Config) { c.Immutable = nil },
		func(c *Config) { c.Metadata = true },
	} {
		other := again
		if change(&other); c.Same(other) {
			t.Errorf("the same: %+v, %+v", c, other)
		}
	}
}

// A configuration that is read goes together and has paths that can be used; any other
// is a mistake in it.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("mode = log\nkey = /etc/keys/ima.pem\npackage_files = /srv/a.rpm\t/srv/b\nmetadata = yes\nbootloader = no\n"))
	f.Add([]byte("mode = enforce\ndir=/a/../b\n# x\npcr = +12\nhash = sha512\nimmutable = /a /b\npackages = no\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig(text, Default("/"))
		if err != nil {
			if !errors.Is(err, ErrConfig) {
				t.Fatalf("%v is no ErrConfig", err)
			}
			return
		}
		paths := append([]string{c.Dir, c.Key, c.Cert}, c.PackageFiles...)
		for _, p := range append(append(paths, c.Immutable...), c.Mutable...) {
			if !filepath.IsAbs(p) || filepath.Clean(p) != p {
				t.Fatalf("path %q", p)
			}
		}
		if _, err := compact.ParseAlgorithm(c.Hash); err != nil {
			t.Fatal(err)
		}
	})
}
