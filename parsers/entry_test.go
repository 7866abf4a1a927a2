package parsers_test

import (
	"testing"

	"digestlists/parsers"
)

// The cases in which the generations differ, and those that are easily got wrong.
func TestImmutable(t *testing.T) {
	tests := []struct {
		name       string
		mode       uint16
		size       int64
		v03, v039x bool
	}{
		{"program", 0o100755, 1, true, true},
		{"empty program", 0o100755, 0, false, false},
		{"config", 0o100644, 1, false, false},
		{"read only", 0o100444, 1, true, true},
		{"no permissions", 0o100000, 1, true, true},
		{"empty read only", 0o100444, 0, false, false},
		{"setuid without x", 0o104644, 1, true, false},
		{"sticky without x", 0o101644, 1, true, false},
		{"setgid without x", 0o102644, 1, false, false},
		{"written by others only", 0o100402, 1, false, false},
		{"over 4 GiB", 0o100755, 5 << 30, true, true},
	}
	for _, tt := range tests {
		if got := parsers.Gen03.Immutable(tt.mode, tt.size); got != tt.v03 {
			t.Errorf("%s: 0.3 says %v", tt.name, got)
		}
		if got := parsers.Gen039.Immutable(tt.mode, tt.size); got != tt.v039x {
			t.Errorf("%s: 0.3.9x says %v", tt.name, got)
		}
	}
}
