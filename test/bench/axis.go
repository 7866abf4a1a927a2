package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// An axis places values between its ends, which are 0 and 1.
type axis struct {
	ticks []float64
	place func(v float64) float64
	name  func(v float64) string
}

// decades is logarithmic, from a power of ten to another.
func decades(values []float64, name func(float64) string) axis {
	first, last := math.Floor(math.Log10(slices.Min(values))), math.Ceil(math.Log10(slices.Max(values)))
	a := axis{name: name, place: func(v float64) float64 { return (math.Log10(v) - first) / (last - first) }}
	for e := first; e <= last; e++ {
		a.ticks = append(a.ticks, math.Pow(10, e))
	}
	return a
}

// fromZero is linear, with some round steps.
func fromZero(values []float64, name func(float64) string) axis {
	most := slices.Max(values)
	step := 1.0
	for most/step > 5 {
		step *= 2
	}
	end := math.Ceil(most/step) * step
	a := axis{name: name, place: func(v float64) float64 { return v / end }}
	for v := 0.0; v <= end; v += step {
		a.ticks = append(a.ticks, v)
	}
	return a
}

// count is a whole number, with its thousands apart.
func count(v float64) string {
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	var groups []string
	for ; len(digits) > 3; digits = digits[:len(digits)-3] {
		groups = append(groups, digits[len(digits)-3:])
	}
	groups = append(groups, digits)
	slices.Reverse(groups)
	return strings.Join(groups, ",")
}

func duration(seconds float64) string {
	if seconds < 0.9 {
		return fmt.Sprintf("%.3g ms", seconds*1000)
	}
	return fmt.Sprintf("%.3g s", seconds)
}
