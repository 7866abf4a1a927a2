package kernel

import (
	"os"
	"testing"

	"digestlists/internal/securityfs"

	"golang.org/x/sys/unix"
)

func TestExpectation(t *testing.T) {
	list, err := os.ReadFile("../../test/inputs/bad/compact-ok") // four distinct digests
	if err != nil {
		t.Fatal(err)
	}
	const add, del = securityfs.Add, securityfs.Delete
	tests := []struct {
		name        string
		op          securityfs.Operation
		before      int
		lists       int // the same list so many times
		err         error
		least, most int
	}{
		{"into an empty table", add, 0, 1, nil, 4, 4},
		{"twice the same", add, 0, 2, nil, 4, 4},
		{"nothing", add, 3, 0, nil, 3, 3},
		{"some may be known", add, 3, 1, nil, 4, 7},
		{"all may be known", add, 10, 1, nil, 10, 14},
		{"refused, maybe half way", add, 0, 1, unix.ENOMEM, 0, 4},
		{"from an empty table", del, 0, 1, nil, 0, 0},
		{"others may hold them", del, 10, 1, nil, 6, 10},
		{"more than there are", del, 3, 2, nil, 0, 3},
	}
	for _, tt := range tests {
		e := NewExpectation()
		e.Begin(tt.before, true)
		for range tt.lists {
			e.Add(list, tt.err)
		}
		for after := range 20 {
			e.End(after, true)
			err := e.Check(tt.op)
			if possible := tt.least <= after && after <= tt.most; possible != (err == nil) {
				t.Errorf("%s: %d digests, then %d: %v, want %d to %d", tt.name, tt.before, after, err, tt.least, tt.most)
			}
		}
	}
	for _, known := range [][2]bool{{false, true}, {true, false}} {
		e := NewExpectation()
		e.Begin(5, known[0])
		e.End(0, known[1])
		if err := e.Check(add); err != nil {
			t.Errorf("known before %v, after %v: %v", known[0], known[1], err)
		}
	}
}

func TestKept(t *testing.T) {
	list, err := os.ReadFile("../../test/inputs/bad/compact-ok") // four distinct digests
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name          string
		before, after int
		err           error
		known, share  bool
		want          int
	}{
		{"all forgotten", 10, 6, nil, true, false, 0},
		{"none forgotten", 10, 10, nil, true, false, 4},
		{"some forgotten", 10, 7, nil, true, false, 1},
		{"others have them", 10, 10, nil, true, true, 0},
		{"refused", 10, 10, unix.EACCES, true, false, 0},
		{"not counted", 10, 10, nil, false, false, 0},
	}
	for _, tt := range tests {
		e := NewExpectation()
		e.Begin(tt.before, tt.known)
		e.Add(list, tt.err)
		e.End(tt.after, true)
		if tt.share {
			if err := e.Share(list); err != nil {
				t.Fatal(err)
			}
		}
		if got := e.Kept(); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
