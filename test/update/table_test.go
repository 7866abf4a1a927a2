package update

import (
	"encoding/hex"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/compact"
)

// A table is what a kernel keeps of lists: how often each digest was added.
type table map[string]int

// replay makes the table of what was written to the kernel, write by write, and
// fails if digests that must be known at all times are not.
func (m *machine) replay(always map[string]bool) table {
	m.t.Helper()
	known := make(table)
	started := false
	for _, entry := range m.writes() {
		step := 1
		if strings.HasSuffix(entry, "_del") {
			step = -1
		}
		r := compact.NewReader(strings.NewReader(m.read(entry)))
		for d, err := range r.Digests() {
			if err != nil {
				m.t.Fatalf("%s: %v", entry, err)
			}
			key := hex.EncodeToString(d.Sum)
			known[key] += step
			if known[key] <= 0 {
				delete(known, key)
			}
		}
		started = started || known.has(always)
		if started && !known.has(always) {
			m.t.Fatalf("%s: the kernel forgets digests that are in use", entry)
		}
	}
	return known
}

func (k table) has(digests map[string]bool) bool {
	for d := range digests {
		if k[d] == 0 {
			return false
		}
	}
	return true
}

// writes returns the files of what was written to the kernel, in order.
func (m *machine) writes() []string {
	m.t.Helper()
	found, err := filepath.Glob(m.path("log/*-digest_list_data*"))
	if err != nil {
		m.t.Fatal(err)
	}
	for i := range found {
		found[i] = strings.TrimPrefix(found[i], m.root+"/")
	}
	return found
}

// wantTable expects the kernel to know just the digests of these packages.
func (m *machine) wantTable(packages ...string) {
	m.t.Helper()
	got := slices.Sorted(maps.Keys(m.replay(nil)))
	if want := slices.Sorted(maps.Keys(fileDigests(m.t, packages...))); !slices.Equal(got, want) {
		m.t.Fatalf("the kernel knows\n%s\nwant those of %s\n%s", strings.Join(got, "\n"), packages, strings.Join(want, "\n"))
	}
}
