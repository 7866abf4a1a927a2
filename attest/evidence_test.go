package attest_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/attest"
	"digestlists/compact"
	"digestlists/parsers/imalog"
)

// now is a time at which the certificate in testdata is valid.
var now = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

func signingKeys(t testing.TB) *attest.Keys {
	t.Helper()
	keys := new(attest.Keys)
	if err := keys.Add(readFile(t, "digest-lists-plus11", "x509_ima.der"), "x509_ima.der"); err != nil {
		t.Fatal(err)
	}
	return keys
}

// references reads the lists of a folder.
func references(t testing.TB, dir string, keys *attest.Keys) *attest.References {
	t.Helper()
	refs := attest.NewReferences(keys, now)
	if _, err := refs.AddTree(dir); err != nil {
		t.Fatal(err)
	}
	return refs
}

// knowing makes references of a list of checksums of all files that the entries name, but
// for those that leave out names.
func knowing(t testing.TB, list []*imalog.Measurement, leaveOut func(name string) bool) *attest.References {
	t.Helper()
	var text strings.Builder
	for _, m := range list {
		algorithm, digest, err := m.FileDigest()
		if err == nil && !m.Violation() && m.Name() != attest.BootAggregateName && !leaveOut(m.Name()) {
			fmt.Fprintf(&text, "%s:%x %s\n", algorithm, digest, m.Name())
		}
	}
	refs := attest.NewReferences(nil, now)
	if err := refs.AddFile(writeFile(t, filepath.Join(t.TempDir(), "0-file_list-ascii-all"), []byte(text.String()))); err != nil {
		t.Fatal(err)
	}
	return refs
}

func nobody(string) bool { return false }

func evidence(t testing.TB, folder string, list ...string) attest.Evidence {
	t.Helper()
	q, err := attest.OpenQuote(quoteOf(t, folder))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		list = lists(folder)[1:]
	}
	return attest.Evidence{Measurements: attest.Measurements(list...), Quote: q}
}

// these are evidence whose list is in memory.
func these(e attest.Evidence, list []*imalog.Measurement) attest.Evidence {
	e.Measurements = func(yield func(*imalog.Measurement, error) bool) {
		for _, m := range list {
			if !yield(m, nil) {
				return
			}
		}
	}
	return e
}

func verify(t testing.TB, e attest.Evidence, o attest.Options) *attest.Report {
	t.Helper()
	o.Now = now
	r, err := attest.Verify(e, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// found lists findings as "path class pcrs".
func found(r *attest.Report) []string {
	var all []string
	for _, f := range r.Findings {
		all = append(all, fmt.Sprint(f.Path, " ", f.Class, " ", f.PCRs))
	}
	return all
}

// evidenceFor makes up PCR values for a list, in the SHA-256 bank.
func evidenceFor(t testing.TB, list []*imalog.Measurement, bank compact.Algorithm, padded bool) attest.Evidence {
	t.Helper()
	values := new(attest.PCRs)
	for _, m := range list {
		if err := values.Set(bank, int(m.PCR), extend(t, list, bank, int(m.PCR), padded)); err != nil {
			t.Fatal(err)
		}
	}
	return these(attest.Evidence{PCRs: values}, list)
}
