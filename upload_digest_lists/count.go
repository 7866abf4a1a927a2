package main

import (
	"fmt"
	"math"

	"digestlists/compact"
	"digestlists/internal/kerneltable"
	"digestlists/internal/securityfs"
)

// An expectation is how many digests the kernel should know after an upload. What
// it knew before is only a number, so that the result is exact for an empty table
// and else within bounds.
type expectation struct {
	before  int
	known   bool               // before is
	tried   *kerneltable.Table // all digests of the upload, each counted once
	partial bool               // some were refused
}

func newExpectation(before int, known bool) *expectation {
	limits := kerneltable.Limits{Budget: math.MaxInt64, LastAlgorithm: compact.SHA3_512}
	return &expectation{before: before, known: known, tried: kerneltable.New(limits)}
}

// add counts a list that was uploaded, or refused with err.
func (e *expectation) add(list []byte, err error) {
	if e.known {
		e.partial = e.tried.Write(kerneltable.Add, list) != nil || err != nil || e.partial
	}
}

// bounds returns how many digests there may be afterwards.
func (e *expectation) bounds(op securityfs.Operation) (least, most int) {
	distinct := e.tried.Count()
	if op == securityfs.Delete {
		return max(0, e.before-distinct), e.before
	}
	if e.partial {
		return e.before, e.before + distinct
	}
	return max(e.before, distinct), e.before + distinct
}

// check compares the bounds with what the kernel says.
func (e *expectation) check(op securityfs.Operation, after int, known bool) error {
	if !e.known || !known {
		return nil
	}
	least, most := e.bounds(op)
	switch {
	case least <= after && after <= most:
		return nil
	case least == most:
		return fmt.Errorf("digests_count is %d, was %d: expected %d", after, e.before, most)
	}
	return fmt.Errorf("digests_count is %d, was %d: expected %d to %d", after, e.before, least, most)
}
