// Command picture draws what the demo prints as an SVG image of a terminal, for
// the README:
//
//	make -s demo | go run ./demo/picture >docs/demo.svg
package main

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

const (
	columns    = 104
	lineHeight = 18 // pixels
	charWidth  = 8  // pixels, of a monospace font of 13 pixels
	margin     = 16 // pixels
)

const style = `<style>
	text { font: 13px ui-monospace, "DejaVu Sans Mono", monospace; fill: #57606a }
	.step { font-weight: 700; fill: #1f2328 }
	.command { fill: #0969da }
	.paper { fill: #f6f8fa; stroke: #d0d7de }
	@media (prefers-color-scheme: dark) {
		text { fill: #9da7b1 }
		.step { fill: #e6edf3 }
		.command { fill: #58a6ff }
		.paper { fill: #161b22; stroke: #30363d }
	}
</style>
`

func main() {
	if err := draw(os.Stdout, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "picture: error:", err)
		os.Exit(3)
	}
}

func draw(w io.Writer, r io.Reader) error {
	var body strings.Builder
	lines := 0
	input := bufio.NewScanner(r)
	for input.Scan() {
		text, class := classify(input.Text())
		for _, part := range wrap(text) {
			lines++
			if part == "" {
				continue
			}
			fmt.Fprintf(&body, `<text class="%s" x="%d" y="%d">`, class, margin, margin+lines*lineHeight)
			// Spaces that no renderer takes together.
			if err := xml.EscapeText(&body, []byte(strings.ReplaceAll(part, " ", "\u00a0"))); err != nil {
				return err
			}
			body.WriteString("</text>\n")
		}
	}
	if err := input.Err(); err != nil {
		return err
	}
	width, height := columns*charWidth+2*margin, lines*lineHeight+2*margin+lineHeight/2
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" role="img" aria-label="What make demo prints">
%[3]s<rect class="paper" x="0.5" y="0.5" width="%[4]d" height="%[5]d" rx="8"/>
%[6]s</svg>
`, width, height, style, width-1, height-1, body.String())
	return err
}

// classify returns a line without escapes of the terminal, and what kind it is.
func classify(line string) (text, class string) {
	if bold, ok := strings.CutPrefix(line, "\x1b[1m"); ok {
		return strings.TrimSuffix(bold, "\x1b[0m"), "step"
	}
	if strings.HasPrefix(line, "$ ") {
		return line, "command"
	}
	return line, "output"
}

// wrap breaks a line where it is too long for the terminal, at spaces.
func wrap(line string) (parts []string) {
	for utf8.RuneCountInString(line) > columns {
		at := strings.LastIndexByte(line[:columns], ' ')
		if at <= 4 { // the indentation
			break
		}
		parts = append(parts, line[:at])
		line = "   " + line[at:]
	}
	return append(parts, line)
}
