package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"digestlists/internal/command"
	"digestlists/internal/filesig"
)

// An outcome counts results and prints those that need attention.
type outcome struct {
	*job
	*bufio.Writer
	quiet   []filesig.Status // of files that need none
	nothing string           // the error where no signature was looked at

	files   int
	counts  map[filesig.Status]int
	unknown map[string]int             // files by "unknown key" and id
	refused map[uint64]*filesig.Result // the first one of each file system
	refusal map[uint64]int
}

func newOutcome(j *job, quiet ...filesig.Status) *outcome {
	return &outcome{
		job: j, Writer: bufio.NewWriter(j.App.Writer), quiet: quiet,
		counts: make(map[filesig.Status]int), unknown: make(map[string]int),
		refused: make(map[uint64]*filesig.Result), refusal: make(map[uint64]int),
	}
}

func (o *outcome) add(res *filesig.Result) error {
	o.files++
	o.counts[res.Status]++
	switch res.Status {
	case filesig.Unknown:
		o.unknown[res.Err.Error()]++
	case filesig.Refused:
		if o.refusal[res.Device]++; o.refused[res.Device] == nil {
			o.refused[res.Device] = res
		}
	}
	// A key that is not known, or a file system that takes no signatures, is told of once.
	grouped := res.Status == filesig.Unknown || res.Status == filesig.Refused
	if !o.Bool("verbose") && (grouped || slices.Contains(o.quiet, res.Status)) {
		return nil
	}
	return o.print(res)
}

// fileRecord is a file as --json prints it.
type fileRecord struct {
	Path   string         `json:"path"`
	Status filesig.Status `json:"status"`
	Key    string         `json:"signed_by,omitempty"`
	Error  string         `json:"error,omitempty"`
}

func (o *outcome) print(res *filesig.Result) error {
	rec := fileRecord{Path: res.Path, Status: res.Status}
	if res.Signer != nil && res.Status != filesig.Refused {
		rec.Key = res.Signer.Name
	}
	if res.Err != nil {
		rec.Error = res.Err.Error()
	}
	if o.Bool("json") {
		return json.NewEncoder(o).Encode(rec)
	}
	text := fmt.Sprintf("%s: %s", res.Status, printable(rec.Path))
	switch {
	case rec.Error != "" && !strings.HasPrefix(rec.Error, string(rec.Status)):
		text += " (" + printable(rec.Error) + ")"
	case rec.Key != "":
		text += " (" + printable(rec.Key) + ")"
	}
	_, err := fmt.Fprintln(o, text)
	return err
}

// finish prints the totals, and returns the error of the run.
func (o *outcome) finish() error {
	if err := errors.Join(o.totals(), o.Flush()); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(o.unknown)) {
		o.Fail(key, fmt.Errorf("%s: %s", key, files(o.unknown[key])))
	}
	if len(o.unknown) > 0 {
		fmt.Fprintf(o.Log, "%s: hint: --cert names the certificate of a key that is to be trusted\n", o.Tool)
	}
	for _, device := range slices.Sorted(maps.Keys(o.refused)) {
		first := o.refused[device]
		o.Fail(first.Path, fmt.Errorf("the file system of %s: %s: %w", printable(first.Path), files(o.refusal[device]), first.Err))
	}
	o.Failures += o.counts[filesig.Bad] + o.counts[filesig.Expired] + o.counts[filesig.Failed]
	signed := o.counts[filesig.Signed] + o.counts[filesig.Applied] + o.counts[filesig.Present] + o.counts[filesig.Changed] +
		o.counts[filesig.Removed]
	if o.Failures == 0 && signed == 0 {
		return command.WithCode(command.ExitNothing, errors.New(o.nothing))
	}
	return nil
}

func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// allStatuses is the order of the totals.
var allStatuses = []filesig.Status{
	filesig.Signed, filesig.Applied, filesig.Present, filesig.Removed, filesig.HashOnly, filesig.None, filesig.Other, filesig.Config, filesig.Ghost, filesig.Changed,
	filesig.Missing, filesig.Unknown, filesig.Bad, filesig.Expired, filesig.Refused, filesig.Failed,
}

func (o *outcome) totals() error {
	if o.Bool("json") {
		return json.NewEncoder(o).Encode(struct {
			Files  int                    `json:"files"`
			DryRun bool                   `json:"dry_run,omitempty"`
			Totals map[filesig.Status]int `json:"totals"`
		}{o.files, o.Bool("dry-run"), o.counts})
	}
	text := files(o.files)
	separator := ": "
	for _, s := range allStatuses {
		if n := o.counts[s]; n > 0 {
			text += fmt.Sprintf("%s%d %s", separator, n, s)
			separator = ", "
		}
	}
	_, err := io.WriteString(o, text+"\n")
	return err
}
