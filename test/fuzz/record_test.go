package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Each target of the tree is in the record: one that is forgotten there is never run.
func TestRecordIsComplete(t *testing.T) {
	r, err := readRecord("record.tsv")
	if err != nil {
		t.Fatal(err)
	}
	found, err := findTargets("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Error("no target was found")
	}
	if err := r.complete(found); err != nil {
		t.Error(err)
	}
}

func TestRecordIsRefused(t *testing.T) {
	known := []target{{"a", "FuzzA"}, {"b", "FuzzB"}}
	for name, test := range map[string]struct{ rows, want string }{
		"forgotten": {"a.FuzzA\tx\t1\t2\t-\n", "b.FuzzB is not in it"},
		"gone":      {"a.FuzzA\tx\t1\t2\t-\nb.FuzzB\tx\t1\t2\t-\nb.FuzzC\tx\t1\t2\t-\n", "line 4: there is no target b.FuzzC"},
		"twice":     {"a.FuzzA\tx\t1\t2\t-\nb.FuzzB\tx\t1\t2\t-\na.FuzzA\tx\t1\t2\t-\n", "line 4: target a.FuzzA is there twice"},
	} {
		r, err := parseRecord(recordTitle + "\n" + test.rows)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.complete(known); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "x\n", recordTitle + "\na.FuzzA\tx\t1\t2\n", recordTitle + "\na.FuzzA\tx\t?\t2\t-\n", recordTitle + "\nFuzzA\tx\t1\t2\t-\n"} {
		if r, err := parseRecord(text); err == nil {
			t.Errorf("%q: %v", text, r)
		}
	}
}

// What is written is read again, with whole seconds.
func TestRecordIsKept(t *testing.T) {
	path := t.TempDir() + "/record"
	was := record{{target{"a", "FuzzA"}, "lists", 90 * time.Second, 12, "abc"}}
	if err := was.write(path); err != nil {
		t.Fatal(err)
	}
	r, err := readRecord(path)
	if err != nil || len(r) != 1 || r[0] != was[0] {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := os.Stat(path + ".new"); err == nil {
		t.Error("the temporary file is still there")
	}
}

// A run gets a target to the goal and not past it, counts, and says what fails.
func TestRun(t *testing.T) {
	if n := tries([]byte("fuzz: elapsed: 3s, execs: 5 (1/sec)\nfuzz: elapsed: 6s, execs: 12 (1/sec)\nPASS\n")); n != 12 {
		t.Errorf("%d tries", n)
	}
	r := row{spent: time.Minute, version: "-"}
	err := r.run(options{time: time.Minute, goal: time.Minute}, "/nowhere", func() error { t.Error("saved"); return nil })
	if err != nil || r.version != "-" {
		t.Errorf("%v, %v", r, err)
	}
}
