package main

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestDraw(t *testing.T) {
	long := "$ tool " + strings.Repeat("--option value ", 10) + "<end>"
	var image strings.Builder
	if err := draw(&image, strings.NewReader("\x1b[1m1. Step\x1b[0m\n"+long+"\n\n  two  words & more\n")); err != nil {
		t.Fatal(err)
	}
	var got []string
	d := xml.NewDecoder(strings.NewReader(image.String()))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "text" {
			var line string
			if err := d.DecodeElement(&line, &start); err != nil {
				t.Fatal(err)
			}
			got = append(got, start.Attr[0].Value+": "+strings.ReplaceAll(line, "\u00a0", " "))
		}
	}
	want := []string{
		"step: 1. Step",
		"command: $ tool" + strings.Repeat(" --option value", 6),
		"command:     --option value --option value --option value --option value <end>",
		"output:   two  words & more",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
