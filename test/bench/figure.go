package main

// The figure of a job, of a round of its contenders: ours first.

// ratio is our time by that of the baseline.
func ratio(s []sample) float64 { return s[0].seconds / s[1].seconds }

// rate is how many of n things we do a second.
func rate(n float64) func([]sample) float64 {
	return func(s []sample) float64 { return n / s[0].seconds }
}

func milliseconds(s []sample) float64 { return 1000 * s[0].seconds }

// done is for jobs that make nothing but an exit code.
func done() error { return nil }
