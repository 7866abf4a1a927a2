package kernel

import (
	"fmt"
	"math"
	"slices"

	"digestlists/compact"
	"digestlists/internal/kerneltable"
	"digestlists/internal/securityfs"
)

// An Expectation is how many digests the kernel should know after an upload. What
// it knew before is only a number, so that the result is exact for an empty table
// and else within bounds. An upload may take more than one window.
type Expectation struct {
	before, after int
	begun         bool
	known         bool               // before and after are
	tried         *kerneltable.Table // all digests of the upload, each counted once
	others        *kerneltable.Table // digests of other lists
	partial       bool               // some were refused
}

// NewExpectation returns one of nothing: no window has been opened yet.
func NewExpectation() *Expectation {
	limits := kerneltable.Limits{Budget: math.MaxInt64, LastAlgorithm: compact.SHA3_512}
	return &Expectation{tried: kerneltable.New(limits), others: kerneltable.New(limits)}
}

// Begin takes the number of digests as a window is opened.
func (e *Expectation) Begin(count int, known bool) {
	if !e.begun {
		e.before, e.after, e.known, e.begun = count, count, known, true
	}
}

// End takes the number of digests as a window is closed.
func (e *Expectation) End(count int, known bool) {
	e.after, e.known = count, e.known && known
}

// Add counts a list that was uploaded, or refused with err.
func (e *Expectation) Add(list []byte, err error) {
	if e.known {
		e.partial = e.tried.Write(kerneltable.Add, list) != nil || err != nil || e.partial
	}
}

// bounds returns how many digests there may be afterwards.
func (e *Expectation) bounds(op securityfs.Operation) (least, most int) {
	distinct := e.tried.Count()
	if op == securityfs.Delete {
		return max(0, e.before-distinct), e.before
	}
	if e.partial {
		return e.before, e.before + distinct
	}
	return max(e.before, distinct), e.before + distinct
}

// Check compares the bounds with what the kernel says.
func (e *Expectation) Check(op securityfs.Operation) error {
	if !e.known {
		return nil
	}
	after := e.after
	least, most := e.bounds(op)
	switch {
	case least <= after && after <= most:
		return nil
	case least == most:
		return fmt.Errorf("digests_count is %d, was %d: expected %d", after, e.before, most)
	}
	return fmt.Errorf("digests_count is %d, was %d: expected %d to %d", after, e.before, least, most)
}

// Share tells that another list is loaded, which keeps its digests known.
func (e *Expectation) Share(list []byte) error { return e.others.Write(kerneltable.Add, list) }

// Kept returns how many of the deleted digests the kernel still has, if it had all of
// them, though no other list has them that Share has been told of. It is the least number;
// 0 where it is not known, or a list was refused, which is another failure.
func (e *Expectation) Kept() int {
	if !e.known || e.partial {
		return 0
	}
	shared := 0
	for d := range e.tried.All() {
		if slices.ContainsFunc(e.others.Lookup(d.Algorithm, d.Sum), func(other kerneltable.Entry) bool { return other.Type == d.Type }) {
			shared++
		}
	}
	return max(0, e.tried.Count()-shared-(e.before-e.after))
}
