package leaks

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"digestlists/attest"
	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/ascii"
	"digestlists/parsers/audit"
	"digestlists/parsers/formats"
	"digestlists/parsers/imalog"
	"digestlists/parsers/keylime"
	"digestlists/parsers/plugin"
	"digestlists/parsers/rpmdb"
	"digestlists/parsers/rpmpkg"
	"digestlists/parsers/tree"
)

// A reader is a part of the library that is given a file, by name and as bytes. What it
// makes of it does not matter here.
type reader func(path string, data []byte) error

// readers are all that the public packages read.
func readers() map[string]reader {
	all := map[string]reader{
		"compact":     func(_ string, data []byte) error { _, err := compact.Check(bytes.NewReader(data)); return err },
		"compact_tlv": func(_ string, data []byte) error { _, err := compact.CheckTLV(bytes.NewReader(data)); return err },
		"PCRs": func(path string, _ []byte) error {
			_, err := attest.ReadPCRs(path, nil)
			return err
		},
		"quote": func(_ string, data []byte) error {
			_, err := attest.OpenQuote(attest.QuoteEvidence{Message: data, Signature: data, Key: &attest.AttestationKey{}})
			return err
		},
		"key":       func(_ string, data []byte) error { _, err := attest.ParseAttestationKey(data); return err },
		"event log": func(_ string, data []byte) error { _, err := attest.ParseEventLog(data); return err },
		"patterns":  func(_ string, data []byte) error { _, err := attest.ParsePatterns(data); return err },
		"state":     func(_ string, data []byte) error { _, err := attest.ParseState(data); return err },
		"keys":      func(path string, data []byte) error { return new(attest.Keys).Add(data, path) },
		"files":     func(path string, _ []byte) error { _, err := tree.PathsFile(path); return err },
		"references": func(path string, _ []byte) error {
			return attest.NewReferences(nil, time.Time{}).AddFile(path)
		},
		"signed references": func(path string, data []byte) error {
			keys := new(attest.Keys)
			return errors.Join(keys.Add(data, path), attest.NewReferences(keys, time.Time{}).AddFile(path))
		},
		"measurements" + early: func(path string, data []byte) error {
			return drain(attest.ReadMeasurements(path, bytes.NewReader(data)), 1)
		},
		"database" + early: func(path string, _ []byte) error {
			db, err := rpmdb.Open(path)
			if err != nil {
				return err
			}
			return drain(db.Headers(context.Background()), 1)
		},
		"package":         func(_ string, data []byte) error { _, err := rpmpkg.ReadPackage(bytes.NewReader(data)); return err },
		"plug-ins":        func(path string, _ []byte) error { _, err := plugin.Discover(path); return err },
		"plug-in parser":  func(_ string, data []byte) error { return parse(&plugin.Parser{Path: "/bin/cat"}, data, -1) },
		"plug-in fails":   func(_ string, data []byte) error { return parse(&plugin.Parser{Path: "/bin/false"}, data, -1) },
		"plug-in" + early: func(_ string, data []byte) error { return parse(&plugin.Parser{Path: "/bin/cat"}, data, 1) },
		"verdict": func(path string, _ []byte) error {
			_, err := attest.Verify(attest.Evidence{Measurements: attest.Measurements(path), Audit: attest.AuditRecords(path)}, attest.Options{KeepState: true})
			return err
		},
	}
	for _, f := range formats.Lists() {
		all["list "+f.Name] = func(_ string, data []byte) error { return parse(f.Parser, data, -1) }
		all["list "+f.Name+early] = func(_ string, data []byte) error { return parse(f.Parser, data, 1) }
	}
	for name, source := range map[string]parsers.Source{
		"ascii": ascii.Source{}, "audit": audit.Source{}, "ima": imalog.Source{}, "keylime": keylime.Source{},
		"rpm+db": rpmdb.Source{}, "rpm+pkg": rpmpkg.Source{}, "tree": tree.Source{}, "plugin": &plugin.Source{Path: "/bin/cat"},
	} {
		for suffix, most := range map[string]int{"": -1, early: 1} {
			all["source "+name+suffix] = func(path string, _ []byte) error { return drainSource(source, path, most) }
		}
	}
	return all
}

// early ends the names of readers that stop after the first list and entry, so that most
// see no error.
const early = ", left early"

// drainSource reads the lists of a source, up to some of them, with the entries of each.
func drainSource(source parsers.Source, path string, most int) error {
	in := parsers.Input{Paths: []string{path, path + "/none"}, DB: path, Algorithm: compact.SHA256, Jobs: 2}
	return drain(func(yield func(*parsers.List, error) bool) {
		for list, err := range source.Lists(context.Background(), in) {
			if err == nil && list.Entries != nil {
				err = drain(list.Entries, most)
			}
			if !yield(list, err) {
				return
			}
		}
	}, most)
}

// parse reads the entries of a list.
func parse(p parsers.Parser, data []byte, most int) error {
	return drain(p.Parse(data, parsers.Options{}), most)
}

// drain reads a sequence up to its end or the first error, or only some of it.
func drain[T any](all iter.Seq2[T, error], most int) error {
	for _, err := range all {
		if most--; err != nil || most == 0 {
			return err
		}
	}
	return nil
}

// A run of errors leaves neither a goroutine nor an open file, whatever is read, and also
// where the caller stops in the middle.
func TestErrorsLeaveNothing(t *testing.T) {
	// The garbage collector closes files that were forgotten: here it must not.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(2 << 30))

	inputs := malformed(t)
	for _, path := range sound(t) {
		inputs = append(inputs, path)
		inputs = append(inputs, truncated(t, path, t.TempDir())...)
	}
	all := readers()
	refused := make(map[string]int)
	readAll(t, all, inputs[:1], nil) // what a process opens once, it keeps
	readAll(t, all, inputs, refused)
	total := 0
	for name := range all {
		if total += refused[name]; refused[name] < len(inputs)/4 && !strings.HasSuffix(name, early) {
			t.Errorf("%s: only %d errors with %d files", name, refused[name], len(inputs))
		}
	}
	if total < 5000 {
		t.Errorf("only %d errors", total)
	}
}

// readAll has each reader read each file, counts errors, and what is left after each file.
func readAll(t *testing.T, all map[string]reader, inputs []string, refused map[string]int) {
	t.Helper()
	for _, path := range inputs {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, read := range all {
			goroutines, open := runtime.NumGoroutine(), descriptors(t)
			if read(path, data) != nil && refused != nil {
				refused[name]++
			}
			// Workers that were told to stop need a turn to do so.
			for i := 0; i < 1e6 && runtime.NumGoroutine() > goroutines; i++ {
				runtime.Gosched()
			}
			if left, now := runtime.NumGoroutine(), descriptors(t); refused != nil && (left > goroutines || now > open) {
				t.Fatalf("%s, %s: %d goroutines become %d, %d open files %d", name, filepath.Base(path), goroutines, left, open, now)
			}
		}
	}
}

// descriptors returns how many the process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}
