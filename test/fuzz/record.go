package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// recordFile is below the root of the module, where this program runs.
const recordFile = "test/fuzz/record.tsv"

const recordTitle = "target\treads\tseconds\ttries\tcommit"

// A row is what a target has had so far.
type row struct {
	target
	reads   string        // what the decoder is for
	spent   time.Duration // of processor time, in all
	tries   uint64        // inputs, in all
	version string        // commit of the last run, or - if there was none
}

type record []row

func readRecord(path string) (record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := parseRecord(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func parseRecord(text string) (r record, err error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != recordTitle {
		return nil, fmt.Errorf("line 1: want %q", recordTitle)
	}
	for i, line := range lines[1:] {
		f := strings.Split(line, "\t")
		if len(f) != 5 {
			return nil, fmt.Errorf("line %d: %d fields, want 5", i+2, len(f))
		}
		folder, name, ok := strings.Cut(f[0], ".")
		seconds, err := strconv.Atoi(f[2])
		tries, err2 := strconv.ParseUint(f[3], 10, 64)
		if err := errors.Join(err, err2); err != nil || !ok {
			return nil, fmt.Errorf("line %d: want %s: %w", i+2, recordTitle, err)
		}
		r = append(r, row{target{folder, name}, f[1], time.Duration(seconds) * time.Second, tries, f[4]})
	}
	return r, nil
}

func (r record) write(path string) error {
	var text strings.Builder
	text.WriteString(recordTitle + "\n")
	for _, row := range r {
		fmt.Fprintf(&text, "%s\t%s\t%.0f\t%d\t%s\n", row.target, row.reads, row.spent.Seconds(), row.tries, row.version)
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, []byte(text.String()), 0o644); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// complete is an error if the record does not have each target once, and no other.
func (r record) complete(found []target) error {
	var wrong error
	for _, t := range found {
		if !slices.ContainsFunc(r, func(known row) bool { return known.target == t }) {
			wrong = errors.Join(wrong, fmt.Errorf("%s: target %s is not in it", recordFile, t))
		}
	}
	for i, own := range r {
		if !slices.Contains(found, own.target) {
			wrong = errors.Join(wrong, fmt.Errorf("%s: line %d: there is no target %s", recordFile, i+2, own.target))
		}
		if slices.ContainsFunc(r[:i], func(before row) bool { return before.target == own.target }) {
			wrong = errors.Join(wrong, fmt.Errorf("%s: line %d: target %s is there twice", recordFile, i+2, own.target))
		}
	}
	return wrong
}
