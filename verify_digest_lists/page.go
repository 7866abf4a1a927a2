package main

import (
	"io"
	"slices"
	"time"

	"digestlists/attest"
	"digestlists/internal/atomicfile"
	"digestlists/internal/htmlreport"

	"github.com/urfave/cli/v2"
)

// writePage writes the report as a page if that is asked for. What is printed besides does
// not depend on it.
func writePage(c *cli.Context, r *attest.Report) error {
	if !c.IsSet("html") {
		return nil
	}
	maker := htmlreport.Maker{Tool: c.App.Name + " " + c.App.Version, Made: time.Now()}
	err := atomicfile.Write(c.String("html"), 0o644, func(w io.Writer) error { return htmlreport.Write(w, r, maker) })
	if err == nil && !c.Bool("all") {
		r.Findings = slices.DeleteFunc(r.Findings, func(f attest.Finding) bool { return f.Good() && f.Class != attest.Allowed })
		if a := r.Audit; a != nil {
			a.Findings = slices.DeleteFunc(a.Findings, func(f attest.AuditFinding) bool { return f.Good() && f.Class != attest.Allowed })
		}
	}
	return err
}
