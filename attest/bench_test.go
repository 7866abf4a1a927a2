package attest_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/attest"
	"digestlists/compact"
)

// large makes a list of so many ima-ng entries, the values that it adds up to, and a
// checksum file of all that is in it.
func large(b *testing.B, entries int) (list []byte, values *attest.PCRs, checksums []byte) {
	b.Helper()
	var text strings.Builder
	register := map[compact.Algorithm][]byte{compact.SHA1: make([]byte, 20), compact.SHA256: make([]byte, 32)}
	for i := range entries {
		digest := sum(b, compact.SHA256, binary.LittleEndian.AppendUint64(nil, uint64(i)))
		path := fmt.Sprintf("/usr/lib/x86_64/dir%d/file-number-%d", i%100, i)
		fmt.Fprintf(&text, "%x  %s\n", digest, path)
		data := field(field(nil, append([]byte("sha256:\x00"), digest...)), append([]byte(path), 0))
		list = binary.LittleEndian.AppendUint32(list, 10)
		list = append(list, sum(b, compact.SHA1, data)...)
		list = field(field(list, []byte("ima-ng")), data)
		for bank, value := range register {
			register[bank] = sum(b, bank, append(value, sum(b, bank, data)...))
		}
	}
	values = new(attest.PCRs)
	for bank, value := range register {
		if err := values.Set(bank, 10, value); err != nil {
			b.Fatal(err)
		}
	}
	return list, values, []byte(text.String())
}

// field appends a length and as many bytes.
func field(dst, data []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(data))), data...)
}

const benchEntries = 100_000

func BenchmarkVerify(b *testing.B) {
	list, values, checksums := large(b, benchEntries)
	refs := attest.NewReferences(nil, time.Time{})
	if err := refs.AddFile(writeFile(b, filepath.Join(b.TempDir(), "0-file_list-ascii-all"), checksums)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e := attest.Evidence{Measurements: attest.ReadMeasurements("list", bytes.NewReader(list)), PCRs: values}
		if r, err := attest.Verify(e, attest.Options{References: refs}); err != nil || r.Verdict != attest.Trusted {
			b.Fatal(r.Reasons, err)
		}
	}
	b.ReportMetric(float64(benchEntries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkReferences(b *testing.B) {
	_, _, checksums := large(b, benchEntries)
	path := writeFile(b, filepath.Join(b.TempDir(), "0-file_list-ascii-all"), checksums)
	b.ReportAllocs()
	for b.Loop() {
		refs := attest.NewReferences(nil, time.Time{})
		if err := refs.AddFile(path); err != nil {
			b.Fatal(err)
		}
	}
}
