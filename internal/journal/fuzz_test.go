package journal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A journal that is opened is whole, whatever is in its file; nothing outside of its
// folder is looked at.
func FuzzOpen(f *testing.F) {
	root := f.TempDir()
	j, err := Open(root, dir, true)
	if err != nil {
		f.Fatal(err)
	}
	g, err := j.Begin("all", "/etc/x")
	if err := errors.Join(err, j.AddNote("n", 1), j.End(g), j.Close()); err != nil {
		f.Fatal(err)
	}
	records := filepath.Join(root, dir, recordsFile)
	text, err := os.ReadFile(records)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("{\"event\":\"created\"}\n{\"event\":\"begun\",\"group\":1}\n{\"event\":\"saved\",\"group\":1,\"files\":[{\"path\":\"/a\"}]}\n{"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(records, text, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := Open(root, dir, false)
		if err != nil {
			if j != nil || !errors.Is(err, ErrDamaged) {
				t.Fatalf("%v, %v", j, err)
			}
			return
		}
		defer j.Close()
		if len(j.Groups()) > len(j.records) {
			t.Fatalf("%d groups in %d records", len(j.Groups()), len(j.records))
		}
		// The next record is read again, with all that were there.
		n := len(j.records)
		if err := j.AddNote("fuzz", "x"); err != nil {
			t.Fatal(err)
		}
		j.Close()
		again, err := Open(root, dir, false)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if len(again.records) != n+1 {
			t.Fatalf("%d records and one more become %d", n, len(again.records))
		}
	})
}
