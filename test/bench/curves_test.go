package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestAxes(t *testing.T) {
	near := func(got, want float64) bool { return math.Abs(got-want) < 1e-9 }
	log := decades([]float64{0.02, 3}, duration)
	if len(log.ticks) != 4 || !near(log.place(0.01), 0) || !near(log.place(10), 1) || !near(log.place(0.1), 1.0/3) {
		t.Errorf("ticks %v, 0.1 is at %v", log.ticks, log.place(0.1))
	}
	linear := fromZero([]float64{17, 61}, count)
	if got := linear.ticks[len(linear.ticks)-1]; linear.ticks[0] != 0 || got != 64 || len(linear.ticks) != 5 || !near(linear.place(32), 0.5) {
		t.Errorf("ticks %v", linear.ticks)
	}
	for v, want := range map[float64]string{0.01: "10 ms", 1: "1 s", 100: "100 s", 0.001: "1 ms"} {
		if got := duration(v); got != want {
			t.Errorf("%v s is %q, want %q", v, got, want)
		}
	}
	for v, want := range map[float64]string{100: "100", 1_000: "1,000", 1_000_000: "1,000,000"} {
		if got := count(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}

// twoLines are of a job that takes half as long on two cores, and of one that does not.
func twoLines() []line {
	lists := curve{name: "verify", of: "verify_digest_lists", unit: "lists"}
	digests := curve{name: "make", of: "gen_digest_lists", unit: "digests"}
	points := func(seconds float64) []point {
		return []point{{100, seconds, 16 * mebibyte}, {1_000, 10 * seconds, 20 * mebibyte}}
	}
	return []line{{digests, 1, points(0.2)}, {digests, 2, points(0.2)}, {lists, 1, points(0.02)}, {lists, 2, points(0.01)}}
}

var coordinates = regexp.MustCompile(`[ML](-?[0-9.]+) (-?[0-9.]+)`)

// TestPicture: the file is well-formed XML, with a curve of each line in both rows, inside
// of the picture and going up.
func TestPicture(t *testing.T) {
	svg := picture(twoLines())
	curves := 0
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		element, ok := token.(xml.StartElement)
		if !ok || element.Name.Local != "path" || !strings.HasPrefix(element.Attr[0].Value, "curve") {
			continue
		}
		curves++
		last := math.Inf(1)
		for _, at := range coordinates.FindAllStringSubmatch(element.Attr[1].Value, -1) {
			x, errX := strconv.ParseFloat(at[1], 64)
			y, errY := strconv.ParseFloat(at[2], 64)
			if errX != nil || errY != nil || x < 0 || x > 960 || y < 0 || y > 600 || y >= last {
				t.Errorf("%s: point at %v", element.Attr[1].Value, at)
			}
			last = y
		}
	}
	if curves != 8 {
		t.Errorf("%d curves, want 8", curves)
	}
}

func TestTable(t *testing.T) {
	text := string(table(twoLines(), 3))
	if !strings.Contains(text, "medians of 3 rounds") || !strings.Contains(text, "\nverify\tverify_digest_lists\tlists\t1000\t2\t0.1000\t20.0\n") {
		t.Error(text)
	}
	if rows := strings.Count(text, "\n") - strings.Count(text, "# "); rows != 1+8 {
		t.Errorf("%d rows:\n%s", rows, text)
	}
}
