package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// opensslSignatures returns, as a sample, how long one core takes to make n
// RSA-2048 signatures at the rate that openssl measures in some seconds.
func opensslSignatures(n int) (sample, error) {
	out, err := exec.Command("openssl", "speed", "-mr", "-seconds", "3", "rsa2048").Output()
	if err != nil {
		return sample{}, fmt.Errorf("openssl speed: %w", err)
	}
	rate, err := signRate(string(out))
	return sample{seconds: float64(n) / rate}, err
}

// signing is the time that signatures add, by the time that they take.
func signing(s []sample) float64 { return (s[0].seconds - s[1].seconds) / s[2].seconds }

// signRate finds the signatures a second in what openssl speed -mr prints for
// RSA: "+F2:2:2048:" signatures ":" verifications.
func signRate(out string) (float64, error) {
	for line := range strings.Lines(out) {
		if fields := strings.Split(line, ":"); len(fields) == 5 && fields[0] == "+F2" {
			return strconv.ParseFloat(fields[3], 64)
		}
	}
	return 0, fmt.Errorf("openssl speed: no line +F2 for RSA in %q", out)
}
