package main

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
)

// The size of a panel's field, and where the fields are, in pixels.
const (
	fieldWidth  = 270
	fieldHeight = 200
	labelGap    = 17 // between the names of two curves
)

var (
	fieldsX = []float64{66, 546}
	fieldsY = []float64{70, 350}
)

const pictureHead = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 600" role="img" aria-labelledby="t d">
<title id="t">How time and memory grow</title>
<desc id="d">Four fields: time and peak memory of making and converting a list and of attesting a machine, by the number of digests, and of verifying and converting lists, by theirs. The same figures are in the table next to this picture.</desc>
<style>
	text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #1f2328 }
	.title { font-weight: 600 }
	.tick { font-size: 12px; fill: #57606a }
	.left { text-anchor: end }
	.below { text-anchor: middle }
	.paper { fill: #ffffff }
	.grid { stroke: #d8dee4; stroke-width: 1 }
	.curve { fill: none; stroke-width: 2; stroke-linejoin: round }
	.one { stroke-dasharray: 2 4; stroke-linecap: round }
	.name { font-weight: 600 }
	.key { fill: none; stroke: #57606a; stroke-width: 2 }
	.curve.c0 { stroke: #0969da } .curve.c1 { stroke: #1a7f37 } .curve.c2 { stroke: #bc4c00 } .curve.c3 { stroke: #8250df } .curve.c4 { stroke: #bf3989 }
	.fill.c0 { fill: #0969da } .fill.c1 { fill: #1a7f37 } .fill.c2 { fill: #bc4c00 } .fill.c3 { fill: #8250df } .fill.c4 { fill: #bf3989 }
	@media (prefers-color-scheme: dark) {
		text { fill: #e6edf3 }
		.tick { fill: #9da7b1 }
		.paper { fill: #0d1117 }
		.grid { stroke: #30363d }
		.key { stroke: #9da7b1 }
		.curve.c0 { stroke: #58a6ff } .curve.c1 { stroke: #3fb950 } .curve.c2 { stroke: #f0883e } .curve.c3 { stroke: #bc8cff } .curve.c4 { stroke: #f778ba }
		.fill.c0 { fill: #58a6ff } .fill.c1 { fill: #3fb950 } .fill.c2 { fill: #f0883e } .fill.c3 { fill: #bc8cff } .fill.c4 { fill: #f778ba }
	}
</style>
<rect class="paper" width="960" height="600"/>
<text class="title" x="16" y="26">How time and memory grow</text>
<path class="key" d="M250 21h36"/><text class="tick" x="294" y="26">2 cores</text>
<path class="key one" d="M366 21h36"/><text class="tick" x="410" y="26">1 core</text>
`

// picture draws the lines: times in the upper row, memory in the lower one, a column for
// each unit.
func picture(lines []line) []byte {
	var p plot
	p.WriteString(pictureHead)
	var units []string
	for _, l := range lines {
		if !slices.Contains(units, l.unit) {
			units = append(units, l.unit)
		}
	}
	for i, unit := range units {
		p.column(fieldsX[i], unit, lines)
	}
	p.WriteString("</svg>\n")
	return p.Bytes()
}

type plot struct{ bytes.Buffer }

func (p *plot) column(left float64, unit string, lines []line) {
	var counts, times, peaks []float64
	for _, l := range lines {
		for _, at := range l.points {
			if l.unit == unit {
				counts, times, peaks = append(counts, float64(at.n)), append(times, at.seconds), append(peaks, float64(at.peak)/mebibyte)
			}
		}
	}
	x := decades(counts, count)
	time, memory := decades(times, duration), fromZero(peaks, func(v float64) string { return fmt.Sprintf("%.0f MiB", v) })
	p.field(left, fieldsY[0], "Time, by number of "+unit, x, time)
	p.field(left, fieldsY[1], "Peak memory, by number of "+unit, x, memory)
	p.lines(left, fieldsY[0], unit, lines, x, time, func(at point) float64 { return at.seconds })
	p.lines(left, fieldsY[1], unit, lines, x, memory, func(at point) float64 { return float64(at.peak) / mebibyte })
}

// field draws the title, the grid and what the ticks mean.
func (p *plot) field(left, top float64, title string, x, y axis) {
	fmt.Fprintf(p, `<text class="title" x="%g" y="%g">%s</text>`+"\n", left, top-14, title)
	for _, v := range y.ticks {
		at := top + fieldHeight*(1-y.place(v))
		fmt.Fprintf(p, `<path class="grid" d="M%g %.1fh%d"/><text class="tick left" x="%g" y="%.1f">%s</text>`+"\n", left, at, fieldWidth, left-8, at+4, y.name(v))
	}
	for _, v := range x.ticks {
		at := left + fieldWidth*x.place(v)
		fmt.Fprintf(p, `<path class="grid" d="M%.1f %gv%d"/><text class="tick below" x="%.1f" y="%g">%s</text>`+"\n", at, top, fieldHeight, at, top+fieldHeight+18, x.name(v))
	}
}

// lines draws the curves of a unit and, at the right end of those on all cores, their names.
func (p *plot) lines(left, top float64, unit string, lines []line, x, y axis, value func(point) float64) {
	type label struct {
		text, class string
		at          float64
	}
	var labels []label
	classes := map[string]string{}
	for _, l := range lines {
		if classes[l.name] == "" {
			classes[l.name] = fmt.Sprintf("c%d", len(classes))
		}
		if l.unit != unit {
			continue
		}
		class, style, path, at := classes[l.name], "curve", "", 0.0
		for i, point := range l.points {
			over := left + fieldWidth*x.place(float64(point.n))
			at = top + fieldHeight*(1-y.place(value(point)))
			path += fmt.Sprintf("%c%.1f %.1f", "ML"[min(i, 1)], over, at)
			fmt.Fprintf(p, `<circle class="fill %s" cx="%.1f" cy="%.1f" r="3"/>`+"\n", class, over, at)
		}
		if l.cores == 1 {
			style += " one"
		} else {
			labels = append(labels, label{l.name, class, at})
		}
		fmt.Fprintf(p, `<path class="%s %s" d="%s"/>`+"\n", style, class, path)
	}
	slices.SortStableFunc(labels, func(a, b label) int { return cmp.Compare(a.at, b.at) })
	last := math.Inf(-1)
	for _, l := range labels {
		last = max(l.at, last+labelGap)
		fmt.Fprintf(p, `<text class="name fill %s" x="%g" y="%.1f">%s</text>`+"\n", l.class, left+fieldWidth+8, last+4, l.text)
	}
}
