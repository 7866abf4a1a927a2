package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"digestlists/compact"
	"digestlists/internal/kerneltable"
	"digestlists/internal/securityfs"
)

// fit leaves out the lists that the kernel's table has no room for, and says so in
// one line. Only lists that go by their path can be refused. What the table holds already is
// not known, so that lists are left out only if they do not fit into one that holds what this
// upload has spent so far.
func (u *uploader) fit(uploads []upload, commandLine *securityfs.CommandLine, spent int64) []upload {
	if commandLine == nil {
		return uploads
	}
	budget, err := commandLine.Budget(kerneltable.DefaultBudget, kerneltable.MaxBudget)
	if err != nil {
		u.Warn("the kernel's command line: %v: whether the lists fit is not known", err)
		return uploads
	}
	left := max(0, budget-spent)
	c := converter{uploader: u}
	if fitsSurely(uploads, left, c.sizeBound) || fitsSurely(uploads, left, c.cost) {
		return uploads
	}
	f := &fitting{converter: c, budget: budget, need: spent, spent: spent, table: newTable(left), all: newTable(math.MaxInt64)}
	return f.fit(uploads)
}

// fitsSurely adds up what each list costs at most. Few sets come near the budget, and
// telling which digests are the same would take longer than all the rest.
func fitsSurely(uploads []upload, budget int64, bound func(*upload) int64) bool {
	var largest int64
	for i := range uploads {
		if up := &uploads[i]; up.path != "" {
			largest = max(largest, int64(len(up.list)))
		}
	}
	if largest == 0 {
		return true
	}
	total := largest
	for i := range uploads {
		total += bound(&uploads[i])
	}
	return total <= budget
}

// maxExpansion is what digests cost in the table, at most, by the bytes they have in
// a list of any format: those of 16 bytes cost 48.
const maxExpansion = 3

func (c *converter) sizeBound(up *upload) int64 {
	size := int64(len(up.list))
	if up.late {
		if info, err := os.Lstat(filepath.Join(c.set.Path, up.File)); err == nil { // else the upload reports it
			size = info.Size()
		}
	}
	return maxExpansion * size
}

// cost returns what the digests of a list cost, each one counted.
func (c *converter) cost(up *upload) (cost int64) {
	if !up.late {
		r := compact.NewReader(bytes.NewReader(up.list)) // which was checked
		for h, err := r.Next(); err == nil; h, err = r.Next() {
			cost += int64(h.Count) * kerneltable.Cost(h.Algorithm)
		}
		return cost
	}
	content, err := c.set.ReadInto(up.File, c.content)
	if err != nil || c.parse(*up.List, content) != nil {
		return 0 // the upload reports it
	}
	c.content = content
	for _, run := range c.runs {
		cost += int64(len(run.Sums)/run.Algorithm.Size()) * kerneltable.Cost(run.Algorithm)
	}
	return cost
}

// costOfPaths returns what the lists cost that go by path.
func (u *uploader) costOfPaths(uploads []upload) (cost int64) {
	c := converter{uploader: u}
	for i := range uploads {
		if uploads[i].path != "" {
			cost += c.cost(&uploads[i])
		}
	}
	return cost
}

func newTable(budget int64) *kerneltable.Table {
	if budget == 0 {
		budget = -1 // no room at all
	}
	return kerneltable.New(kerneltable.Limits{Budget: budget})
}

// A fitting fills a table with lists, one by one.
type fitting struct {
	converter
	budget int64              // of the kernel's table
	spent  int64              // on lists that are loaded already
	table  *kerneltable.Table // what is left of it
	all    *kerneltable.Table // without a limit
	need   int64              // bytes that a table needs to take all lists
}

func (f *fitting) fit(uploads []upload) []upload {
	var kept []upload
	var first string
	for _, up := range uploads {
		if f.add(&up) {
			kept = append(kept, up)
		} else if first == "" {
			first = up.File
		}
	}
	if first != "" {
		f.Problem(fmt.Errorf("the digest table has room for %d bytes, and the lists need %d: %d of them are left out, the first is %s: "+
			"boot with ima_digest_db_size=%dK or more", f.budget, f.need, len(uploads)-len(kept), first, (f.need+1023)>>10))
	}
	return kept
}

// add reports whether a list fits. One that cannot be read, or has a fault, is left
// for the upload to report.
func (f *fitting) add(up *upload) bool {
	list := up.list
	if up.late {
		var err error
		if list, err = f.convertList(*up.List); err != nil || len(list) == 0 {
			return true
		}
	}
	if up.path != "" {
		f.need = max(f.need, f.spent+f.all.Used()+int64(len(list)))
	}
	if f.all.Write(kerneltable.Add, list) != nil {
		return true
	}
	if up.path != "" {
		return f.table.WriteFile(kerneltable.Add, int64(len(list)), list) == nil
	}
	return f.table.Write(kerneltable.Add, list) == nil
}
