package attest_test

import (
	"fmt"
	"path/filepath"
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
