package attest_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/attest"
	"digestlists/compact"
	"digestlists/parsers/imalog"

	"github.com/google/go-cmp/cmp"
)

// measured makes an entry of the template ima-ng.
func measured(t testing.TB, pcr uint32, a compact.Algorithm, digest []byte, path string) *imalog.Measurement {
	t.Helper()
	m := &imalog.Measurement{PCR: pcr, Template: "ima-ng"}
	m.Fields = []imalog.Field{
		{ID: "d-ng", Data: append([]byte(a.String()+":\x00"), digest...)},
		{ID: "n-ng", Data: append([]byte(path), 0)},
	}
	for _, f := range m.Fields {
		m.Data = field(m.Data, f.Data)
	}
	m.TemplateDigest = sum(t, compact.SHA1, m.Data)
	return m
}

// onBoth makes the two entries of a kernel with ima_digest_list_pcr=+11.
func onBoth(t testing.TB, a compact.Algorithm, digest []byte, path string) []*imalog.Measurement {
	t.Helper()
	return []*imalog.Measurement{measured(t, 10, a, digest, path), measured(t, 11, a, digest, path)}
}

// The program that loads lists is listed as a parser, which does not keep the kernel from
// measuring it: once its list is loaded, it is known.
func TestParserIsMeasured(t *testing.T) {
	dir := t.TempDir()
	parser := sum(t, compact.SHA256, []byte("parser"))
	content := fmt.Appendf(nil, "%x  /usr/bin/upload_digest_lists\n", parser)
	writeFile(t, filepath.Join(dir, "0-parser_list-ascii-upload_digest_lists"), content)
	refs := references(t, dir, nil)
	boot := onBoth(t, compact.SHA256, sum(t, compact.SHA256, nil), attest.BootAggregateName)
	list := onBoth(t, compact.SHA256, sum(t, compact.SHA256, content), "/etc/ima/digest_lists/0-parser_list-ascii-upload_digest_lists")
	program := onBoth(t, compact.SHA256, parser, "/usr/bin/upload_digest_lists")
	other := onBoth(t, compact.SHA256, sum(t, compact.SHA256, []byte("other")), "/usr/bin/other")

	all := append(append(append(boot, list...), program...), other...)
	r := verify(t, evidenceFor(t, all, compact.SHA256, false), attest.Options{References: refs})
	if diff := cmp.Diff([]string{"/usr/bin/other unknown [10 11]"}, found(r)); diff != "" || r.Counts[attest.Known] != 1 {
		t.Errorf("%v %s", r.Counts, diff)
	}
	// Alone in PCR 11, with ima_digest_list_pcr=11, it is the same.
	var only []*imalog.Measurement
	for _, m := range all {
		if m.PCR == 11 {
			only = append(only, m)
		}
	}
	r = verify(t, evidenceFor(t, only, compact.SHA256, false), attest.Options{References: refs})
	if diff := cmp.Diff([]string{"/usr/bin/other unknown [11]"}, found(r)); diff != "" || r.Attested != len(only) {
		t.Errorf("%d attested, %s", r.Attested, diff)
	}
}

// Lists are recognised whatever algorithm the machine hashes files with, if what was read is
// still what is there.
func TestListsByOtherAlgorithms(t *testing.T) {
	dir := t.TempDir()
	content := fmt.Appendf(nil, "%x  /bin/true\n", sum(t, compact.SHA256, []byte("true")))
	path := writeFile(t, filepath.Join(dir, "0-file_list-ascii-base"), content)
	for _, a := range []compact.Algorithm{compact.SHA1, compact.SHA256, compact.SHA384, compact.SHA512, compact.SM3} {
		all := []*imalog.Measurement{measured(t, 10, a, sum(t, a, content), "/etc/ima/digest_lists/0-file_list-ascii-base")}
		e := evidenceFor(t, all, compact.SHA256, false)
		refs := references(t, dir, nil)
		if r := verify(t, e, attest.Options{References: refs}); r.Verdict != attest.Trusted || r.Counts[attest.KnownList] != 1 {
			t.Errorf("%s: %s, %q", a, r.Verdict, r.Reasons)
		}
	}
	changed := references(t, dir, nil)
	writeFile(t, path, append(content, content...))
	all := []*imalog.Measurement{measured(t, 10, compact.SHA512, sum(t, compact.SHA512, append(content, content...)), "/etc/ima/digest_lists/0-file_list-ascii-base")}
	r := verify(t, evidenceFor(t, all, compact.SHA256, false), attest.Options{References: changed})
	if r.Verdict != attest.NotTrusted || r.Lists[0].Class != attest.ListChanged {
		t.Errorf("changed since: %s, %+v", r.Verdict, r.Lists)
	}
}

// A file that calls itself boot_aggregate is a file.
func TestFileCalledBootAggregate(t *testing.T) {
	list := measurements(t, lists("mainline-ima-ng")[1])
	list = append(list, measured(t, 10, compact.SHA256, sum(t, compact.SHA256, []byte("x")), attest.BootAggregateName))
	r := verify(t, evidenceFor(t, list, compact.SHA256, false), attest.Options{References: knowing(t, list[:54], nobody)})
	if diff := cmp.Diff([]string{"boot_aggregate unknown [10]"}, found(r)); diff != "" || r.Boot != "not checked" {
		t.Errorf("%s %s", r.Boot, diff)
	}
}

// oddNames are names that lists do hold.
var oddNames = []string{
	"/opt/with space", "/opt/new\nline", "/opt/\xff\xfe", "/" + strings.Repeat("n", 4095), "memfd:code (deleted)", "/init", "x",
	"/opt/10 0000000000000000000000000000000000000000 ima-ng sha256:00 /x",
}

// Names do not matter: files are known by their digests. A text list in which a name
// passes for two lines is not trusted, whatever it says.
func TestOddNames(t *testing.T) {
	for _, name := range oddNames {
		digest := sum(t, compact.SHA256, []byte(name))
		m := measured(t, 10, compact.SHA256, digest, name)
		e := evidenceFor(t, []*imalog.Measurement{m}, compact.SHA256, false)
		refs := knowing(t, []*imalog.Measurement{measured(t, 10, compact.SHA256, digest, "/elsewhere")}, nobody)

		binary := append([]byte{10, 0, 0, 0}, m.TemplateDigest...)
		binary = field(field(binary, []byte("ima-ng")), m.Data)
		e.Measurements = attest.ReadMeasurements("list", bytes.NewReader(binary))
		if r := verify(t, e, attest.Options{References: refs, All: true}); r.Verdict != attest.Trusted || r.Findings[0].Path != name {
			t.Errorf("%.40q: %s, %q", name, r.Verdict, r.Reasons)
		}
		text := fmt.Appendf(nil, "10 %x ima-ng sha256:%x %s\n", m.TemplateDigest, digest, name)
		e.Measurements = attest.ReadMeasurements("list", bytes.NewReader(text))
		r, err := attest.Verify(e, attest.Options{References: refs})
		if trusted := err == nil && r.Verdict == attest.Trusted; trusted == strings.Contains(name, "\n") {
			t.Errorf("%.40q as text: trusted is %v, error %v", name, trusted, err)
		}
	}
}

// A kernel that keeps only what was not read yet hands its list out in parts: they are taken
// in order, and in no other.
func TestStagedParts(t *testing.T) {
	const folder = "digest-lists-plus11"
	all := measurements(t, lists(folder)[1])
	data := readFile(t, folder, "binary_runtime_measurements")
	var parts []string
	for i, end := range []int{13, 14, 40, len(all)} {
		start := []int{0, 13, 14, 40}[i]
		stop := int64(len(data))
		if end < len(all) {
			stop = all[end].Offset
		}
		parts = append(parts, writeFile(t, filepath.Join(t.TempDir(), "part"), data[all[start].Offset:stop]))
	}
	o := attest.Options{References: references(t, "testdata/"+folder+"/digest_lists", nil)}
	if r := verify(t, evidence(t, folder, parts...), o); r.Attested != len(all) {
		t.Errorf("%d attested, %q", r.Attested, r.Reasons)
	}
	parts[1], parts[2] = parts[2], parts[1]
	if r := verify(t, evidence(t, folder, parts...), o); r.Attested != 0 {
		t.Errorf("in another order: %d attested", r.Attested)
	}
	if r := verify(t, evidence(t, folder, parts[0], parts[3]), o); r.Attested != 0 {
		t.Errorf("with parts left out: %d attested", r.Attested)
	}
}
