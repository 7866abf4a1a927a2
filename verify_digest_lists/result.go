package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"digestlists/internal/command"
	"digestlists/internal/imasig"

	"github.com/urfave/cli/v2"
)

const statusOK = "ok"

// A result is what came of one list.
type result struct {
	List     string `json:"list"`
	Status   string `json:"status"` // "ok", or the class of failure
	SignedBy string `json:"signed_by,omitempty"`
	Error    string `json:"error,omitempty"`
}

// malformedError is an error of a list's content.
type malformedError struct{ error }

func (e malformedError) Unwrap() error { return e.error }

func failure(list string, err error) result {
	r := result{List: list, Status: class(err), Error: err.Error()}
	// Where the text says the class itself, what is before it only names the list.
	if _, detail, found := strings.Cut(r.Error, r.Status); found {
		r.Error = strings.TrimPrefix(detail, ": ")
	}
	return r
}

// class names the kind of a failure as the manual does.
func class(err error) string {
	var malformed malformedError
	if errors.As(err, &malformed) {
		return "malformed list"
	}
	if reason, ok := imasig.Reason(err); ok {
		return reason
	}
	if errors.Is(err, imasig.ErrMalformed) {
		return "malformed signature"
	}
	return "cannot be checked"
}

// report prints the results and returns the error with which the tool exits.
func report(c *cli.Context, results []result) error {
	failed := 0
	for _, r := range results {
		if r.Status != statusOK {
			failed++
		}
	}
	if err := print(c, results, failed); err != nil {
		return err
	}
	switch {
	case len(results) == 0:
		return command.WithCode(command.ExitNothing, fmt.Errorf("%s: no list to check", c.String("dir")))
	case failed > 0:
		return command.Failed()
	}
	return nil
}

func print(c *cli.Context, results []result, failed int) error {
	if c.Bool("json") {
		if results == nil {
			results = []result{}
		}
		return json.NewEncoder(c.App.Writer).Encode(map[string]any{
			"directory": c.String("dir"), "checked": len(results), "failed": failed, "lists": results,
		})
	}
	for _, r := range results {
		if err := printResult(c, r); err != nil {
			return err
		}
	}
	return nil
}

// printResult prints the line that scripts know from the C tools: the fourth word
// is the name of the list that failed.
func printResult(c *cli.Context, r result) error {
	var err error
	switch {
	case r.Status != statusOK:
		why := r.Status
		if r.Error != "" {
			why += ": " + r.Error
		}
		_, err = fmt.Fprintf(c.App.Writer, "Failed to process %s (%s)\n", command.OneLine(r.List), command.OneLine(why))
	case c.Bool("verbose"):
		_, err = fmt.Fprintf(c.App.Writer, "%s: signed by %s\n", command.OneLine(r.List), r.SignedBy)
	}
	return err
}
