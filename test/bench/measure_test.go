package main

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 100, 2}, 3},
	} {
		if got := median(c.values); got != c.want {
			t.Errorf("median(%v) = %v", c.values, got)
		}
	}
}

// TestMeasure has contenders of known times: the first round only warms up.
func TestMeasure(t *testing.T) {
	ours := []sample{{90, 500}, {2, 100}, {4, 300}, {3, 200}}
	theirs := []sample{{1, 0}, {4, 0}, {4, 0}, {12, 0}}
	next := func(samples []sample) contender {
		return func() (s sample, err error) {
			s, samples = samples[0], samples[1:]
			return s, nil
		}
	}
	prepared, checked := 0, 0
	r, err := job{
		prepare:    func() error { prepared++; return nil },
		contenders: []contender{next(ours), next(theirs)},
		check:      func() error { checked++; return nil },
		figure:     ratio, target: 0.5, limit: 500,
	}.measure(3)
	if err != nil || prepared != 1 || checked != 4 {
		t.Fatalf("prepared %d times, checked %d times, %v", prepared, checked, err)
	}
	// Ratios 0.5, 1, 0.25; the warm-up counts for memory alone.
	if r.value() != 0.5 || r.seconds[0] != 3 || r.seconds[1] != 4 || r.peak != 500 || !r.met() {
		t.Errorf("%+v", r)
	}
}

func TestMeasureStopsAtAnError(t *testing.T) {
	broken := errors.New("broken")
	good := func() (sample, error) { return sample{}, nil }
	for name, j := range map[string]job{
		"prepare":  {prepare: func() error { return broken }},
		"ours":     {contenders: []contender{func() (sample, error) { return sample{}, broken }}},
		"check":    {contenders: []contender{good}, check: func() error { return broken }},
		"baseline": {contenders: []contender{good, func() (sample, error) { return sample{}, broken }}, check: func() error { return nil }},
	} {
		if _, err := j.measure(1); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMet(t *testing.T) {
	for _, c := range []struct {
		name          string
		figure        float64
		peak, limit   int64
		atLeast, want bool
	}{
		{"below", 0.9, 0, 0, false, true},
		{"above", 1.1, 0, 0, false, false},
		{"too slow", 0.9, 0, 0, true, false},
		{"fast enough", 1.1, 0, 0, true, true},
		{"within memory", 0.9, 10, 10, false, true},
		{"too much memory", 0.9, 11, 10, false, false},
	} {
		r := result{
			job:     job{target: 1, atLeast: c.atLeast, limit: c.limit},
			figures: []float64{c.figure}, peak: c.peak,
		}
		if r.met() != c.want {
			t.Errorf("%s: met is %v", c.name, r.met())
		}
	}
}

// TestFailedJobKeepsItsLine: without figures, a line says which target was not measured.
func TestFailedJobKeepsItsLine(t *testing.T) {
	r := result{job: job{name: "broken", target: 2}, err: errors.New("no such program")}
	cells := r.cells()
	if len(cells) != len(columns) || cells[0] != "broken" || cells[5] != "≤ 2.00" || cells[len(cells)-1] != "failed" || r.met() {
		t.Errorf("%q", cells)
	}
}

func TestRunReportsPeakAndFailure(t *testing.T) {
	// A shell that holds 64 MiB in a variable.
	s, err := command{argv: []string{"sh", "-c", "x=$(head -c 67108864 /dev/zero | tr '\\0' x); : ${#x}"}}.run()
	if err != nil || s.peak < 64*mebibyte || s.seconds <= 0 {
		t.Errorf("%+v, %v", s, err)
	}
	_, err = command{argv: []string{"sh", "-c", "echo no such thing >&2; exit 3"}}.run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("%v", err)
	}
}

func TestSignRate(t *testing.T) {
	out, err := exec.Command("openssl", "speed", "-mr", "-seconds", "1", "rsa2048").Output()
	if err != nil {
		t.Fatal(err)
	}
	if rate, err := signRate(string(out)); err != nil || rate < 10 || rate > 1e6 {
		t.Errorf("%v signatures a second, %v, from %q", rate, err, out)
	}
	if _, err := signRate("+H:16:64\n+F3:2:2048:1:2\n"); err == nil {
		t.Error("a rate where there is none")
	}
}
