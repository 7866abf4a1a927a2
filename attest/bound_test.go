package attest_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"digestlists/attest"
)

// unknownEntries is a measurement list of entries that nobody knows.
func unknownEntries(n int, path string) []byte {
	var list bytes.Buffer
	for i := range n {
		data := field(nil, append([]byte("sha256:\x00"), bytes.Repeat([]byte{1, byte(i), byte(i >> 8), byte(i >> 16)}, 8)...))
		data = field(data, []byte(path+"\x00"))
		sum := sha1.Sum(data)
		list.Write(binary.LittleEndian.AppendUint32(nil, 10))
		list.Write(sum[:])
		list.Write(field(nil, []byte("ima-ng")))
		list.Write(field(nil, data))
	}
	return list.Bytes()
}

// A machine that makes up entries does not make the report grow without end, in any place
// of it; whoever asks for all of them gets them.
func TestReportIsBounded(t *testing.T) {
	for name, path := range map[string]string{
		"files": "/opt/" + strings.Repeat("x", 1<<20),
		"lists": "/etc/ima/digest_lists/0-file_list-compact-" + strings.Repeat("x", 1<<20),
	} {
		list := unknownEntries(150, path)
		e := attest.Evidence{Measurements: attest.ReadMeasurements(name, bytes.NewReader(list))}
		r, err := attest.Verify(e, attest.Options{})
		if r != nil || !errors.Is(err, attest.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		e.Measurements = attest.ReadMeasurements(name, bytes.NewReader(list))
		if r, err = attest.Verify(e, attest.Options{All: true}); err != nil || len(r.Findings) != 150 {
			t.Errorf("all %s: %v", name, err)
		}
	}
	log := new(strings.Builder)
	for i := range 1000 {
		fmt.Fprintf(log, "type=INTEGRITY_DATA msg=audit(1700000000.000:%d): pid=1 uid=0 auid=0 ses=1 op=appraise_data cause=missing-hash comm=\"sh\" name=\"/%d%s\" dev=\"sda\" ino=1 res=0\n",
			i, i, strings.Repeat("x", 1<<17))
	}
	e := attest.Evidence{Audit: auditRecords(t, log.String())}
	if r, err := attest.Verify(e, attest.Options{}); r != nil || !errors.Is(err, attest.ErrTooLarge) {
		t.Errorf("audit: %v", err)
	}
}
