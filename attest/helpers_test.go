package attest_test

import (
	"testing"

	"digestlists/compact"
	"digestlists/internal/hashes"
)

func sum(t testing.TB, a compact.Algorithm, data []byte) []byte {
	t.Helper()
	digest, err := hashes.Sum(a, data)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}
