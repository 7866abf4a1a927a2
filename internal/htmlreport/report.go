// Package htmlreport writes the report of a machine as one page that needs nothing else:
// no network, no other file. Its policy lets the browser run and load only what is in it.
package htmlreport

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"time"

	"digestlists/attest"
	"digestlists/internal/reporttext"
)

var (
	//go:embed page.html
	pageText string
	//go:embed style.css
	style string
	//go:embed script.js
	script string
)

// maxAttention is how many entries the page tells of one by one, above the table.
const maxAttention = 100

// A Maker is what the page says of where it comes from.
type Maker struct {
	Tool string // with its version
	Made time.Time
}

// page is what the template shows.
type page struct {
	*attest.Report
	Policy    string
	Style     template.CSS
	Script    template.JS
	Tone      string
	Verdict   string
	Figures   []figure
	Attention []attest.Finding
	Audited   []attest.AuditFinding // that need attention
	More      int                   // of both that are only in the table
	AllKnown  string
	Rows      []row
	Tool      string
	Made      string
}

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"hex":    func(h attest.Hex) string { return fmt.Sprintf("%x", []byte(h)) },
	"name":   reporttext.Name,
	"tone":   tone,
	"digest": func(f attest.Finding) string { return reporttext.Digest(f.Algorithm, f.Digest) },
	"near":   reporttext.Near,
	"audited": func(f attest.AuditFinding) auditCard {
		return auditCard{reporttext.Digest(f.Algorithm, f.Digest), reporttext.Audited(&f), reporttext.Use(&f)}
	},
}).Parse(pageText))

// Write writes the page. The table has the entries that are in the report's findings.
func Write(w io.Writer, r *attest.Report, maker Maker) error {
	p := page{
		Report: r, Style: template.CSS(style), Script: template.JS(script),
		Policy: fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", source(style), source(script)),
		Tone:   verdicts[r.Verdict].tone, Verdict: verdicts[r.Verdict].title,
		Figures: figures(r), Rows: rows(r),
		AllKnown: reporttext.AllKnown(r), Tool: maker.Tool, Made: maker.Made.UTC().Format("2 January 2006, 15:04 UTC"),
	}
	p.Attention, p.More = attention(r.Findings)
	for _, f := range audited(r) {
		switch {
		case f.Good():
		case len(p.Audited) == maxAttention:
			p.More++
		default:
			p.Audited = append(p.Audited, f)
		}
	}
	return pageTemplate.Execute(w, p)
}

// source names a text of the page in its policy (Content Security Policy level 3, hash-source).
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

var verdicts = map[attest.Verdict]struct{ title, tone string }{
	attest.Trusted:    {"Trusted", "good"},
	attest.NotTrusted: {"Not trusted", "bad"},
	attest.Nothing:    {"Nothing to compare with", "odd"},
}

// auditCard is what is said of an audited file.
type auditCard struct{ Digest, Why, Use string }

// attention picks what is not good, what is attested first.
func attention(findings []attest.Finding) (picked []attest.Finding, more int) {
	for _, attested := range []bool{true, false} {
		for _, f := range findings {
			switch {
			case f.Good() || f.Attested != attested:
			case len(picked) == maxAttention:
				more++
			default:
				picked = append(picked, f)
			}
		}
	}
	return picked, more
}
