package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// writeCurves measures the curves and writes them as a picture and, next to it, as a table.
func (b bench) writeCurves(prefix string, rounds int) error {
	lines, err := b.measureCurves(rounds, func(what string) { fmt.Fprintln(os.Stderr, "bench:", what) })
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(prefix+".svg", picture(lines), 0o644),
		os.WriteFile(prefix+".tsv", table(lines, rounds), 0o644))
}

// table is a line for each point, after some about the machine that begin with #.
func table(lines []line, rounds int) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "# Written by make curves: medians of %d rounds, after one for the page cache.\n", rounds)
	for _, fact := range machine() {
		fmt.Fprintln(&text, "#", fact)
	}
	fmt.Fprintln(&text, "job\tcommand\tunit\tnumber\tcores\tseconds\tpeak MiB")
	for _, l := range lines {
		for _, p := range l.points {
			fmt.Fprintf(&text, "%s\t%s\t%s\t%d\t%d\t%.4f\t%.1f\n", l.name, l.of, l.unit, p.n, l.cores, p.seconds, float64(p.peak)/mebibyte)
		}
	}
	return text.Bytes()
}
