package setup

import (
	"errors"
	"path/filepath"
	"testing"

	"digestlists/compact"
)

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
