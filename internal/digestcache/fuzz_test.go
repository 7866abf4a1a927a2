package digestcache_test

import (
	"testing"

	"digestlists/internal/digestcache"
)

// A name that is taken apart is put together again, as the same list.
func FuzzParseName(f *testing.F) {
	for _, file := range []string{"tlv-a", "0-tlv-a-b", "007-rpm-a", "2147483648-tlv-a", "-tlv-a", "+1-tlv-a"} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		name, ok := digestcache.ParseName(file)
		if !ok {
			return
		}
		again, ok := digestcache.ParseName(name.String())
		if !ok || again != name || !again.Same(name) {
			t.Fatalf("%+v becomes %+v, %v", name, again, ok)
		}
	})
}
