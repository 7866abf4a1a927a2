package main

import (
	"encoding/json"
	"fmt"
	"io"

	"digestlists/compact"
	"digestlists/internal/kerneltable"
	"digestlists/internal/listdir"
	"digestlists/parsers"
)

// A statistic is what a directory holds, and what it costs a kernel.
type statistic struct {
	Lists      map[string]int `json:"lists"`   // by type
	Formats    map[string]int `json:"formats"` // lists by format; key lists have none
	Digests    int            `json:"digests"`
	Distinct   int            `json:"distinct"`
	Duplicates int            `json:"duplicates"`
	Kinds      []*kind        `json:"kinds"` // in the kernel's order
	Memory     int64          `json:"memory"`
	Budget     int64          `json:"budget"` // unless ima_digest_db_size= says otherwise
	Fits       bool           `json:"fits"`
}

// A kind is the digests of a type and algorithm.
type kind struct {
	Type      string `json:"type"`
	Algorithm string `json:"algorithm"`
	Digests   int    `json:"digests"`
	Distinct  int    `json:"distinct"`
	Immutable int    `json:"immutable"` // of the distinct ones
}

// stats prints how many lists and digests there are.
func stats(j *job) error {
	l, err := j.openLists()
	if err != nil {
		return err
	}
	defer l.Close()
	s := &statistic{Lists: make(map[string]int), Formats: make(map[string]int), Budget: kerneltable.DefaultBudget}
	table := newTable()
	for _, list := range l.Lists {
		if err := s.add(l, list, table); err != nil {
			j.Fail(list.File, err)
		}
	}
	s.sum(table)
	if j.Bool("json") {
		return json.NewEncoder(j.App.Writer).Encode(s)
	}
	return s.print(j.App.Writer)
}

func (s *statistic) add(l *lists, list listdir.List, table *kerneltable.Table) error {
	s.Lists[list.Type.String()]++
	if list.Type != compact.TypeKey {
		s.Formats[list.Format]++
	}
	return l.eachDigest(list, func(d compact.Digest, _ *parsers.Entry) bool {
		s.Digests++
		table.AddDigest(d)
		return true
	})
}

// sum counts by kind: each reference in the table is a digest in a list.
func (s *statistic) sum(table *kerneltable.Table) {
	var k *kind
	for e := range table.All() {
		if typ, algorithm := e.Type.String(), e.Algorithm.String(); k == nil || k.Type != typ || k.Algorithm != algorithm {
			k = &kind{Type: typ, Algorithm: algorithm}
			s.Kinds = append(s.Kinds, k)
		}
		k.Digests += e.References
		k.Distinct++
		if e.Modifiers&compact.Immutable != 0 {
			k.Immutable++
		}
	}
	s.Distinct = table.Count()
	s.Duplicates = s.Digests - s.Distinct
	s.Memory = table.Used()
	s.Fits = s.Memory <= s.Budget
}

func (s *statistic) print(w io.Writer) error {
	text := "lists:"
	for _, t := range compact.Types() {
		text += fmt.Sprintf(" %d %s", s.Lists[t.String()], t)
	}
	text += fmt.Sprintf("\ndigests: %d, %d of them distinct, %d duplicates\n", s.Digests, s.Distinct, s.Duplicates)
	for _, k := range s.Kinds {
		text += fmt.Sprintf("   %s %s: %d, %d distinct, %d immutable\n", k.Type, k.Algorithm, k.Digests, k.Distinct, k.Immutable)
	}
	text += fmt.Sprintf("kernel memory: %d of %d bytes%s\n", s.Memory, s.Budget, s.advice())
	_, err := io.WriteString(w, text)
	return err
}

// advice says what to do about lists that do not fit.
func (s *statistic) advice() string {
	switch {
	case s.Fits:
		return ""
	case s.Memory > kerneltable.MaxBudget:
		return fmt.Sprintf(": more than any kernel takes, which is %d", kerneltable.MaxBudget)
	}
	return fmt.Sprintf(": boot with ima_digest_db_size=%dK", (s.Memory+1023)>>10)
}
