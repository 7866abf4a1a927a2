package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/parsers"
)

// A digestKey is what makes two digests the same.
type digestKey struct {
	typ       compact.Type
	algorithm compact.Algorithm
	sum       string
}

func keyOf(d compact.Digest) digestKey { return digestKey{d.Type, d.Algorithm, string(d.Sum)} }

// A change is a digest that one side knows and the other does not.
type change struct {
	Change string `json:"change"` // "removed" or "added"
	Path   string `json:"path,omitempty"`
	Type   string `json:"type"`
	Digest string `json:"digest"` // with its algorithm
	List   string `json:"list"`
}

// diff compares two directories, or lists.
func diff(j *job) error {
	var sides [2]*lists
	for i := range sides {
		l, err := j.openPath(j.Args().Get(i))
		if err != nil {
			return err
		}
		defer l.Close()
		sides[i] = l
	}
	before, after := j.digests(sides[0]), j.digests(sides[1])
	if j.Failures > 0 { // 1 would say that they differ
		return &command.Error{Code: command.ExitIO}
	}
	removed, err := onlyIn(sides[0], "removed", after)
	if err != nil {
		return err
	}
	added, err := onlyIn(sides[1], "added", before)
	if err != nil {
		return err
	}
	changes := append(removed, added...)
	// By file; first what has gone, then what has come.
	slices.SortStableFunc(changes, func(a, b change) int { return strings.Compare(a.Path, b.Path) })
	if err := j.printChanges(changes); err != nil {
		return err
	}
	if len(changes) > 0 {
		return command.Failed()
	}
	return nil
}

// digests returns what the lists know.
func (j *job) digests(l *lists) map[digestKey]struct{} {
	all := make(map[digestKey]struct{})
	for _, list := range l.Lists {
		err := l.eachDigest(list, func(d compact.Digest, _ *parsers.Entry) bool {
			all[keyOf(d)] = struct{}{}
			return true
		})
		if err != nil {
			j.Fail(list.File, err)
		}
	}
	return all
}

// onlyIn returns what the lists know and others does not have.
func onlyIn(l *lists, what string, others map[digestKey]struct{}) (changes []change, err error) {
	for _, list := range l.Lists {
		err := l.eachDigest(list, func(d compact.Digest, e *parsers.Entry) bool {
			if _, ok := others[keyOf(d)]; !ok {
				changes = append(changes, newChange(what, list, d, e))
			}
			return true
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", list.File, err)
		}
	}
	return changes, nil
}

func newChange(what string, list listdir.List, d compact.Digest, e *parsers.Entry) change {
	return change{what, strings.Clone(e.Path), d.Type.String(), d.Algorithm.String() + ":" + hex.EncodeToString(d.Sum), list.File}
}

func (j *job) printChanges(changes []change) error {
	out := bufio.NewWriter(j.App.Writer)
	for i := range changes {
		if err := j.printChange(out, &changes[i]); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (j *job) printChange(out io.Writer, c *change) error {
	if j.Bool("json") {
		return json.NewEncoder(out).Encode(c)
	}
	sign, name := "-", c.Path
	if c.Change == "added" {
		sign = "+"
	}
	if name == "" {
		name = "?" // a compact list has no names
	}
	_, err := fmt.Fprintf(out, "%s %s %s %s %s\n", sign, printable(name), c.Type, c.Digest, printable(c.List))
	return err
}
