package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"digestlists/internal/listdir"
)

// report prints what was done, or would be done, to the directory. Without
// --json or --dry-run, a run that succeeds is silent.
func (r *request) report(w io.Writer, s *listdir.Summary) error {
	switch {
	case r.json:
		return json.NewEncoder(w).Encode(struct {
			Directory string `json:"directory"`
			Operation string `json:"operation"`
			DryRun    bool   `json:"dry_run"`
			*listdir.Summary
		}{r.dir, r.operation, r.dryRun, s})
	case r.dryRun:
		return printSummary(w, s)
	}
	return nil
}

func printSummary(w io.Writer, s *listdir.Summary) error {
	var errs []error
	line := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		errs = append(errs, err)
	}
	for _, name := range s.Removed {
		line("remove %s", name)
	}
	for _, moved := range s.Renamed {
		line("rename %s %s", moved.From, moved.To)
	}
	for _, name := range s.Added {
		line("add %s", name)
	}
	for _, name := range s.Changed {
		line("change %s", name)
	}
	return errors.Join(errs...)
}

// dirHint says what to do about errors of the list directory.
func dirHint(err error) string {
	switch {
	case errors.Is(err, listdir.ErrWritable):
		return "chmod o-w the directory, and check the lists in it"
	case errors.Is(err, listdir.ErrLink):
		return "give the directory itself with -d"
	case errors.Is(err, listdir.ErrExchange):
		return "give a directory of a plain file system with -d, not a mount point"
	}
	return ""
}
