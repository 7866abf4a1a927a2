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
// and else within bounds. An upload may take more than one window.
type expectation struct {
	before, after int
	begun         bool
	known         bool               // before and after are
	tried         *kerneltable.Table // all digests of the upload, each counted once
	partial       bool               // some were refused
}

func newExpectation() *expectation {
	limits := kerneltable.Limits{Budget: math.MaxInt64, LastAlgorithm: compact.SHA3_512}
	return &expectation{tried: kerneltable.New(limits)}
}

// begin and end take the number of digests at the ends of a window.
func (e *expectation) begin(count int, known bool) {
	if !e.begun {
		e.before, e.after, e.known, e.begun = count, count, known, true
	}
}

func (e *expectation) end(count int, known bool) {
	e.after, e.known = count, e.known && known
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
func (e *expectation) check(op securityfs.Operation) error {
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
