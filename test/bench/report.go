package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

var columns = []string{"job", "ours", "baseline", "figure", "of rounds", "target", "peak memory", "limit", ""}

// cells are the columns of a result.
func (r result) cells() []string {
	bound, verdict := "≤ ", "met"
	if r.atLeast {
		bound = "≥ "
	}
	if r.err != nil {
		return []string{r.name, "-", "-", "-", "-", bound + r.show(r.target), "-", "-", "failed"}
	}
	if !r.met() {
		verdict = "missed"
	}
	baseline, limit := "-", "-"
	if len(r.seconds) > 1 {
		baseline = seconds(sum(r.seconds[1:]))
	}
	if r.limit > 0 {
		limit = mebibytes(r.limit)
	}
	span := r.digits(slices.Min(r.figures)) + " to " + r.digits(slices.Max(r.figures))
	return []string{
		r.name, seconds(r.seconds[0]), baseline,
		r.show(r.value()), span,
		bound + r.show(r.target), mebibytes(r.peak), limit, verdict,
	}
}

// show writes a figure, or the target of one.
func (r result) show(figure float64) string {
	return strings.TrimSpace(r.digits(figure) + " " + r.unit)
}

func (r result) digits(figure float64) string {
	switch {
	case r.unit == "":
		return strconv.FormatFloat(figure, 'f', 2, 64)
	case figure < 100:
		return strconv.FormatFloat(figure, 'f', 1, 64)
	}
	return strconv.FormatFloat(figure, 'f', 0, 64)
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) + " s" }

func mebibytes(b int64) string {
	return strconv.FormatFloat(float64(b)/mebibyte, 'f', 0, 64) + " MiB"
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

// printTable writes the results for a terminal.
func printTable(w io.Writer, results []result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(columns, "\t"))
	for _, r := range results {
		fmt.Fprintln(table, strings.Join(r.cells(), "\t"))
	}
	return table.Flush()
}

const reportHead = `# Benchmarks

Written by ` + "`make bench BENCHFLAGS='-write docs/benchmarks.md'`" + `: each job and its
baseline ran in turn on the same input, once for the page cache and then %d
times. Times are medians of wall time, the figure is the median over the rounds
of our time by that of the baseline (of the signed job: of the time that signatures add by the
time that they take), peak memory is the largest resident set of ours.

`

const reportTail = `
## How they grow

![Time and memory by the number of digests and of lists](scaling.svg)

[scaling.tsv](scaling.tsv) has the figures. ` + "`make curves`" + ` writes both.
`

// writeReport writes the results to a file, as markdown, with the machine they hold for.
func writeReport(file string, results []result, rounds int) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, reportHead, rounds)
	row := func(cells []string) { fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | ")) }
	row(columns)
	fmt.Fprintln(&text, strings.Repeat("|---", len(columns))+"|")
	for _, r := range results {
		row(r.cells())
	}
	fmt.Fprint(&text, "\nBaselines:\n\n")
	for _, r := range results {
		if r.baseline != "" {
			fmt.Fprintf(&text, "- %s: `%s`\n", r.name, r.baseline)
		}
	}
	fmt.Fprint(&text, "\nMachine:\n\n")
	for _, fact := range machine() {
		fmt.Fprintf(&text, "- %s\n", fact)
	}
	text.WriteString(reportTail)
	return os.WriteFile(file, text.Bytes(), 0o644)
}
