package main

import (
	"fmt"
	"strings"

	"digestlists/attest"
	"digestlists/internal/reporttext"
)

func writeAuditBasis(w *strings.Builder, r *attest.Report) {
	fmt.Fprintf(w, "  %d audit records of files: %s", r.Audit.Records, countsText(r.Audit.Counts))
	if r.Entries == 0 {
		fmt.Fprintf(w, "; compared with %d digests of %d lists and packages", r.Reference.Digests, r.Reference.Lists)
	}
	fmt.Fprintln(w)
}

// writeAudit tells of each file that is not known or was refused; of all that there are, if
// verbose.
func writeAudit(w *strings.Builder, a *attest.AuditReport, verbose bool) {
	for i := range a.Findings {
		f := &a.Findings[i]
		if f.Good() && !verbose {
			continue
		}
		fmt.Fprintf(w, "audited, %s: %s\n", f.Class, reporttext.Name(f.Path))
		if digest := reporttext.Digest(f.Algorithm, f.Digest); digest != "" {
			fmt.Fprintf(w, "    %s\n", digest)
		}
		fmt.Fprintf(w, "    %s: %s\n", reporttext.Use(f), reporttext.Audited(f))
		if near := reporttext.Near(f.Near); near != "" {
			fmt.Fprintf(w, "    %s\n", near)
		}
	}
}
