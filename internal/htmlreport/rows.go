package htmlreport

import (
	"fmt"
	"slices"
	"strings"

	"digestlists/attest"
	"digestlists/internal/reporttext"
)

// row is one entry as the script of the page reads it.
type row struct {
	Entry    string `json:"entry"` // its number, or "audit"
	PCRs     []int  `json:"pcrs"`
	Class    string `json:"class"`
	Tone     string `json:"tone"`
	Path     string `json:"path"`
	Digest   string `json:"digest,omitempty"`
	Why      string `json:"why"`
	Attested bool   `json:"attested"`
}

func rows(r *attest.Report) []row {
	all := make([]row, len(r.Findings), len(r.Findings)+len(audited(r)))
	for i := range r.Findings {
		f := &r.Findings[i]
		all[i] = row{
			Entry: number(f.Entry), PCRs: f.PCRs, Class: string(f.Class), Tone: tone(f.Class), Path: reporttext.Name(f.Path),
			Digest: reporttext.Digest(f.Algorithm, f.Digest), Why: why(f), Attested: f.Attested,
		}
	}
	for i := range audited(r) {
		f := &r.Audit.Findings[i]
		all = append(all, row{
			Entry: "audit", PCRs: []int{}, Class: string(f.Class), Tone: tone(f.Class), Path: reporttext.Name(f.Path),
			Digest: reporttext.Digest(f.Algorithm, f.Digest), Why: join(reporttext.Use(f), reporttext.Audited(f), reporttext.Near(f.Near)),
		})
	}
	return all
}

func audited(r *attest.Report) []attest.AuditFinding {
	if r.Audit == nil {
		return nil
	}
	return r.Audit.Findings
}

// tone is the colour of a class.
func tone(c attest.Class) string {
	switch {
	case c == attest.Allowed || c == attest.Excluded:
		return "odd"
	case (&attest.Finding{Class: c}).Good():
		return "good"
	}
	return "bad"
}

// why is all that is to be said of an entry.
func why(f *attest.Finding) string { return join(reporttext.Why(f), reporttext.Near(f.Near)) }

// join joins the parts that there are.
func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "; ")
}

// figure is one of the numbers at the top of the page.
type figure struct{ Name, Value, Detail string }

func figures(r *attest.Report) []figure {
	var all []figure
	if r.Entries > 0 {
		all = entryFigures(r)
	}
	if r.Audit != nil {
		all = append(all, figure{"Audit records of files", number(r.Audit.Records), fmt.Sprintf("unknown, refused, or violations: %d", notGood(r.Audit.Counts))})
	}
	if all != nil {
		all = append(all, figure{"Compared with", number(r.Reference.Digests), fmt.Sprintf("digests of %d lists and packages", r.Reference.Lists)})
	}
	return all
}

func entryFigures(r *attest.Report) []figure {
	by := "PCR values that nobody signed"
	if r.Quote != nil {
		by = "a quote, " + r.Quote.Signature
	}
	all := []figure{
		{"Attested entries", fmt.Sprintf("%d of %d", r.Attested, r.Entries), "by " + by},
		{"Known", number(r.Counts[attest.Known] + r.Counts[attest.Signed] + r.Counts[attest.KnownList]), fmt.Sprintf("digest lists among them: %d", r.Counts[attest.KnownList])},
		{"Not known", number(notGood(r.Counts)), fmt.Sprintf("unattested: %d", notGood(r.Rest))},
		{"Allowed", number(r.Counts[attest.Allowed]), fmt.Sprintf("excluded: %d", r.Counts[attest.Excluded])},
		{"boot_aggregate", r.Boot, "how the machine booted"},
	}
	if e := r.EventLog; e != nil {
		all = append(all, figure{"Event log", fmt.Sprintf("%d events", e.Events), fmt.Sprintf("boot_aggregate by its values: %s; PCRs that differ: %d", e.Boot, len(e.Mismatches))})
	}
	if q := r.Quote; q != nil {
		safe := "safe"
		if !q.Safe {
			safe = "may have gone back"
		}
		all = append(all,
			figure{"Quoted", strings.Join(q.Selection, "\n"), fmt.Sprintf("firmware %016x", uint64(q.Firmware))},
			figure{"Clock of the TPM", fmt.Sprintf("%d ms", q.Clock), fmt.Sprintf("%s; resets: %d, restarts: %d", safe, q.Resets, q.Restarts)})
	}
	return all
}

func number(n int) string { return fmt.Sprint(n) }

func notGood(counts map[attest.Class]int) int {
	sum := 0
	for class, n := range counts {
		if tone(class) == "bad" {
			sum += n
		}
	}
	return sum
}
