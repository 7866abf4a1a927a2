package packed

import "testing"

func TestRotated(t *testing.T) {
	const none = -1
	for file, want := range map[string]int{
		"audit.log": 0, "audit.log.1": 1, "audit.log.10": 10, "audit.log.gz": 0,
		"audit.log.2.gz": 2, "audit.log.3.zst": 3, "audit.log.1.xz": 1, "audit.log.4.bz2": 4, "audit.log.5.lz4": 5,
		"audit.log.0": none, "audit.log.-1": none, "audit.log.+1": none, "audit.log1": none, "audit.log.1.2": none, "audit.log.": none,
		"audit.log.1.gz.gz": none, "audit.log.99999999999": none, "audit.log-20260101.gz": none, "audit.logs": none, "my-audit.log": none, "": none,
	} {
		n, ok := Rotated(file, "audit.log")
		if ok != (want != none) || ok && n != want {
			t.Errorf("%q: %d, %v; want %d", file, n, ok, want)
		}
	}
}
