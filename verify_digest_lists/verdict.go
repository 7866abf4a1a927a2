package main

import (
	"fmt"
	"strconv"
	"strings"

	"digestlists/attest"
	"digestlists/internal/reporttext"
)

// verdictText is the report for a person: the verdict with its reasons, what it rests on,
// and what needs attention.
func verdictText(r *attest.Report, verbose bool) string {
	w := new(strings.Builder)
	fmt.Fprintln(w, headline(r))
	if r.Entries > 0 {
		writeBasis(w, r)
	}
	if r.Audit != nil {
		writeAuditBasis(w, r)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "  note: %s\n", note)
	}
	if verbose {
		writePCRs(w, r)
		writeLists(w, r)
	}
	writeFindings(w, r, "", func(f attest.Finding) bool { return f.Attested && !f.Good() })
	writeFindings(w, r, "unattested: ", func(f attest.Finding) bool { return !f.Attested && !f.Good() })
	if verbose {
		writeFindings(w, r, "", func(f attest.Finding) bool { return f.Good() })
	}
	if r.Audit != nil {
		writeAudit(w, r.Audit, verbose)
	}
	return w.String()
}

// headline answers in one line.
func headline(r *attest.Report) string {
	verdict := map[attest.Verdict]string{attest.Trusted: "TRUSTED", attest.NotTrusted: "NOT TRUSTED", attest.Nothing: "NOTHING TO COMPARE WITH"}[r.Verdict]
	if r.Verdict == attest.Trusted {
		return verdict + ": " + reporttext.AllKnown(r)
	}
	return verdict + ": " + strings.Join(r.Reasons, "; ")
}

func writeBasis(w *strings.Builder, r *attest.Report) {
	by := "PCR values"
	if r.Quote != nil {
		by = "a quote (" + r.Quote.Signature + ")"
	}
	fmt.Fprintf(w, "  %d of %d entries attested by %s; boot_aggregate: %s\n", r.Attested, r.Entries, by, r.Boot)
	fmt.Fprintf(w, "  %s; compared with %d digests of %d lists and packages\n", countsText(r.Counts), r.Reference.Digests, r.Reference.Lists)
	if e := r.EventLog; e != nil {
		fmt.Fprintf(w, "  event log of %d events; boot_aggregate by its values: %s\n", e.Events, e.Boot)
	}
	if len(r.Rest) > 0 {
		fmt.Fprintf(w, "  unattested: %s\n", countsText(r.Rest))
	}
}

// classes is the order in which classes are counted.
var classes = []attest.Class{
	attest.Known, attest.Signed, attest.KnownList, attest.Allowed, attest.Excluded, attest.Unknown, attest.BadSignature,
	attest.Violation, attest.ListUnknown, attest.ListChanged, attest.ListUnsigned, attest.BootMismatch, attest.WrongTemplate, attest.NotUnderstood,
	attest.KernelRefused,
}

func countsText(counts map[attest.Class]int) string {
	var parts []string
	for _, class := range classes {
		if n := counts[class]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, class))
		}
	}
	if parts == nil {
		return "no file"
	}
	return strings.Join(parts, ", ")
}

func writePCRs(w *strings.Builder, r *attest.Report) {
	if q := r.Quote; q != nil {
		fmt.Fprintf(w, "  quote of %s: clock %d ms (safe: %v), %d resets, %d restarts, firmware %016x\n",
			strings.Join(q.Selection, " "), q.Clock, q.Safe, q.Resets, q.Restarts, uint64(q.Firmware))
	}
	for _, p := range r.PCRs {
		fmt.Fprintf(w, "  PCR %d %s: replayed %x", p.PCR, p.Bank, []byte(p.Replayed))
		switch {
		case p.Value == nil:
			fmt.Fprint(w, ", no value to compare with")
		case p.Matches:
			fmt.Fprintf(w, ", matches (%s)", p.Rule)
		default:
			fmt.Fprintf(w, ", the value is %x", []byte(p.Value))
		}
		fmt.Fprintln(w)
	}
}

func writeLists(w *strings.Builder, r *attest.Report) {
	for _, l := range r.Lists {
		fmt.Fprintf(w, "  digest list %s: %s", reporttext.Name(l.Path), l.Class)
		if l.SignedBy != "" {
			fmt.Fprintf(w, ", signed by %s", l.SignedBy)
		}
		fmt.Fprintln(w)
	}
}

func writeFindings(w *strings.Builder, r *attest.Report, prefix string, which func(attest.Finding) bool) {
	for _, f := range r.Findings {
		if !which(f) {
			continue
		}
		fmt.Fprintf(w, "%s%s: %s\n", prefix, f.Class, reporttext.Name(f.Path))
		if digest := reporttext.Digest(f.Algorithm, f.Digest); digest != "" {
			fmt.Fprintf(w, "    %s\n", digest)
		}
		fmt.Fprintf(w, "    entry %d, PCR %s", f.Entry, numbers(f.PCRs))
		if why := reporttext.Why(&f); why != "" {
			fmt.Fprintf(w, ": %s", why)
		}
		fmt.Fprintln(w)
		if near := reporttext.Near(f.Near); near != "" {
			fmt.Fprintf(w, "    %s\n", near)
		}
	}
}

func numbers(all []int) string {
	texts := make([]string, len(all))
	for i, n := range all {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, " and ")
}
