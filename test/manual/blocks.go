// Package manual tests that the examples of the documentation run as they are printed:
// on a machine that is made for them, with the tools, packages, keys and evidence that
// they speak of.
//
// The examples are fenced blocks, by the word after the fence:
//
//	sh          a script, run with set -e
//	console     commands after "$ " or "# ", and what they print; … stands for anything,
//	            also for several lines
//	dockerfile  the commands of RUN; what else is there is left out
//	kickstart   the scripts between %post and %end
//	none, or one of shown: it is only shown
//
// A second word says why a block is not run: one of needs, as in "sh needs-tpm". All
// blocks of a page run in one shell, one after the other, in root's home folder, on the
// machine that testdata/prepare makes. Files that only one page needs are made by
// testdata/before/PAGE.sh. To run the examples of one page:
//
//	go test ./test/manual -run Examples/PAGE
package manual

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// needs are the reasons for which a block is not run.
var needs = map[string]bool{
	"needs-kernel":   true, // one with digest lists, that was booted as the page says
	"needs-tpm":      true,
	"needs-terminal": true, // somebody who answers
	"needs-checkout": true, // the sources of the tools, and the time to build them
	"needs-system":   true, // a boot loader, images of an initramfs, a distribution's packages
}

// shown are the words of blocks that hold no commands.
var shown = map[string]bool{"": true, "go": true, "ini": true, "json": true, "text": true, "yaml": true}

// A step is a piece of shell of a page.
type step struct {
	line    int // in the page, from 1
	text    string
	console bool
	want    []string // of a console, the lines that it prints
}

// readSteps returns what is to be run of a page, and how many blocks are not.
func readSteps(page []byte) (steps []step, skipped int, err error) {
	scanner := bufio.NewScanner(bytes.NewReader(page))
	var lines []string // of the current block
	kind, start, inside := "", 0, false
	for n := 1; scanner.Scan(); n++ {
		word, fence := strings.CutPrefix(scanner.Text(), "```")
		switch {
		case fence && !inside:
			kind, start, inside, lines = word, n+1, true, nil
		case fence:
			inside = false
			kind, need, marked := strings.Cut(kind, " ")
			if marked && !needs[need] {
				return nil, 0, fmt.Errorf("line %d: a block that %q: want one of %q", start-1, need, slices.Sorted(maps.Keys(needs)))
			}
			if marked {
				skipped++
				continue
			}
			more, err := readBlock(kind, start, lines)
			if err != nil {
				return nil, 0, err
			}
			steps = append(steps, more...)
		case inside:
			lines = append(lines, scanner.Text())
		}
	}
	return steps, skipped, scanner.Err()
}

func readBlock(kind string, start int, lines []string) ([]step, error) {
	switch kind {
	case "sh":
		return []step{{line: start, text: strings.Join(lines, "\n")}}, nil
	case "console":
		return readConsole(start, lines)
	case "dockerfile":
		return readRuns(start, lines), nil
	case "kickstart":
		return readPosts(start, lines), nil
	}
	if !shown[kind] {
		return nil, fmt.Errorf("line %d: a block of %q: want sh, console, dockerfile, kickstart, or one that is only shown: %q",
			start-1, kind, slices.Sorted(maps.Keys(shown)))
	}
	return nil, nil
}

func readConsole(start int, lines []string) (steps []step, err error) {
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if !strings.HasPrefix(line, "$ ") && !strings.HasPrefix(line, "# ") {
			if len(steps) == 0 {
				return nil, fmt.Errorf("line %d: output without a command: %q", start+i, line)
			}
			last := &steps[len(steps)-1]
			last.want = append(last.want, line)
			continue
		}
		s := step{line: start + i, text: line[2:], console: true}
		for strings.HasSuffix(lines[i], `\`) && i+1 < len(lines) {
			i++
			s.text += "\n" + lines[i]
		}
		steps = append(steps, s)
	}
	return steps, nil
}

var mounted = regexp.MustCompile(`^(--\S+ +)+`) // --mount=… before the command

func readRuns(start int, lines []string) (steps []step) {
	for i := 0; i < len(lines); i++ {
		text, run := strings.CutPrefix(lines[i], "RUN ")
		if !run {
			continue
		}
		s := step{line: start + i, text: mounted.ReplaceAllString(text, "")}
		for strings.HasSuffix(lines[i], `\`) && i+1 < len(lines) {
			i++
			s.text += "\n" + lines[i]
		}
		s.text = strings.TrimPrefix(s.text, "\\\n")
		steps = append(steps, s)
	}
	return steps
}

func readPosts(start int, lines []string) (steps []step) {
	inside := false
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "%post"):
			inside = true
			steps = append(steps, step{line: start + i + 1})
		case line == "%end":
			inside = false
		case inside:
			steps[len(steps)-1].text += line + "\n"
		}
	}
	return steps
}

const mark = "@@ step of line "

// script returns one script of all steps, which prints a line before each.
func script(steps []step) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&b, "printf '\\n%s%%s\\n' %d\n", mark, s.line)
		if s.console {
			fmt.Fprintf(&b, "set +e\n%s\nset -e\n", s.text) // what it prints tells whether it failed
		} else {
			b.WriteString(s.text + "\n")
		}
	}
	return b.String()
}

// outputs returns what each step has printed, by its line, and the last one that ran.
func outputs(all string) (byLine map[string]string, last string) {
	byLine = make(map[string]string)
	for i, part := range strings.Split("\n"+all, "\n"+mark) {
		if i == 0 {
			continue
		}
		line, rest, _ := strings.Cut(part, "\n")
		byLine[line], last = rest, line
	}
	return byLine, last
}

// matches says whether a console prints what the page shows.
func matches(want []string, got string) bool {
	pattern := regexp.QuoteMeta(strings.Join(want, "\n"))
	pattern = strings.ReplaceAll(pattern, "…", "(?s:.*)")
	return regexp.MustCompile(`^` + pattern + `\n?$`).MatchString(strings.TrimSuffix(got, "\n"))
}
