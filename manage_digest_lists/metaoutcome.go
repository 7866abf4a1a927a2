package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"

	"digestlists/internal/filemeta"
)

// A metaOutcome prints what came of files, and counts it.
type metaOutcome struct {
	*job
	*filemeta.Runner
	out     *bufio.Writer
	counts  map[filemeta.Status]int
	refused map[uint64][]*filemeta.Result // by file system
	devices []uint64                      // in the order in which they refused
}

// metaStatuses is the order of the totals.
var metaStatuses = []filemeta.Status{
	filemeta.Good, filemeta.Repaired, filemeta.Different, filemeta.Changed, filemeta.Missing, filemeta.Ghost, filemeta.Refused, filemeta.Failed,
}

func (o *metaOutcome) report(results []filemeta.Result) error {
	o.out = bufio.NewWriter(o.App.Writer)
	o.counts, o.refused = make(map[filemeta.Status]int), make(map[uint64][]*filemeta.Result)
	for i := range results {
		res := &results[i]
		o.counts[res.Status]++
		if res.Status == filemeta.Refused {
			if o.refused[res.Device] == nil {
				o.devices = append(o.devices, res.Device)
			}
			o.refused[res.Device] = append(o.refused[res.Device], res)
		}
		if (res.Status == filemeta.Good || res.Status == filemeta.Ghost) && !o.Bool("verbose") {
			continue
		}
		if err := o.print(res); err != nil {
			return err
		}
	}
	return errors.Join(o.totals(len(results)), o.out.Flush())
}

func (o *metaOutcome) print(res *filemeta.Result) error {
	reason := ""
	if res.Err != nil && res.Status != filemeta.Missing && res.Status != filemeta.Ghost && res.Status != filemeta.Changed {
		reason = res.Err.Error()
	}
	if o.Bool("json") {
		return json.NewEncoder(o.out).Encode(struct {
			Path        string                `json:"path"`
			Status      filemeta.Status       `json:"status"`
			List        string                `json:"list,omitempty"`
			Differences []filemeta.Difference `json:"differences,omitempty"`
			Error       string                `json:"error,omitempty"`
		}{res.Path, res.Status, res.List, res.Differences, reason})
	}
	text := fmt.Sprintf("%s: %s", o.word(res.Status), printable(res.Path))
	if reason != "" {
		text += " (" + reason + ")"
	}
	fmt.Fprintln(o.out, text)
	form := "   %s is %s, want %s\n"
	if o.Repair {
		form = "   %s %s -> %s\n"
	}
	for _, d := range res.Differences {
		fmt.Fprintf(o.out, form, d.Attribute, orNone(d.Is), orNone(d.Want))
	}
	return nil
}

// word is a status as text calls it: in a dry run nothing is done.
func (o *metaOutcome) word(s filemeta.Status) string {
	switch {
	case s == filemeta.Repaired && o.Bool("dry-run"):
		return "would change"
	case s == filemeta.Repaired:
		return "changed"
	case s == filemeta.Changed:
		return "other content"
	}
	return string(s)
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return printable(value)
}

func (o *metaOutcome) totals(n int) error {
	if o.Bool("json") {
		return json.NewEncoder(o.out).Encode(struct {
			Files  int                     `json:"files"`
			DryRun bool                    `json:"dry_run,omitempty"`
			Totals map[filemeta.Status]int `json:"totals"`
		}{n, o.Bool("dry-run"), o.counts})
	}
	text, separator := files(n), ": "
	for _, s := range metaStatuses {
		if o.counts[s] > 0 {
			text += fmt.Sprintf("%s%d %s", separator, o.counts[s], o.word(s))
			separator = ", "
		}
	}
	_, err := fmt.Fprintln(o.out, text)
	return err
}

// finish tells of each file system that refused something once, and counts what makes the
// run a failure.
func (o *metaOutcome) finish() error {
	for _, device := range o.devices {
		results := o.refused[device]
		first := results[0]
		o.Fail(first.Path, fmt.Errorf("the file system of %s: %s: %w", printable(first.Path), files(len(results)), first.Err))
	}
	o.Failures += o.counts[filemeta.Different] + o.counts[filemeta.Changed] + o.counts[filemeta.Failed]
	if !o.Touch { // from a file that is not there, nothing has to be removed
		o.Failures += o.counts[filemeta.Missing]
	}
	return nil
}
