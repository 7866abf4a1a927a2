package attest_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"digestlists/attest"
	"digestlists/compact"
	"digestlists/parsers/imalog"

	"github.com/google/go-cmp/cmp"
)

func TestDigestListMachine(t *testing.T) {
	const folder = "digest-lists-plus11"
	keys := signingKeys(t)
	for _, list := range lists(folder) {
		r := verify(t, evidence(t, folder, list), attest.Options{References: references(t, "testdata/"+folder+"/digest_lists", keys), Keys: keys})
		if r.Verdict != attest.NotTrusted || r.Attested != 57 || r.Boot != "pcrs 0-9" {
			t.Errorf("%s, %d attested, boot_aggregate %s", r.Verdict, r.Attested, r.Boot)
		}
		want := []string{"/init unknown [10 11]", "/opt/p1/busybox unknown [10 11]", "/opt/p2/busybox unknown [10 11]", "/opt/p3/busybox unknown [10 11]"}
		if diff := cmp.Diff(want, found(r)); diff != "" {
			t.Error(diff)
		}
		wantLists := []attest.ListReport{
			{Entry: 3, Path: "/etc/ima/digest_lists/1-file_list-compact-second", Class: attest.KnownList, Reference: "1-file_list-compact-second", SignedBy: "x509_ima.der", Attested: true, Algorithm: "sha256", Digest: unhex(t, "cffe50bdca673d96c27c801378ddec57fcaee7b7c9c287c2595d05823585ade7")},
			{Entry: 5, Path: "/etc/ima/digest_lists/0-file_list-compact-base", Class: attest.KnownList, Reference: "0-file_list-compact-base", SignedBy: "x509_ima.der", Attested: true, Algorithm: "sha256", Digest: unhex(t, "8ffa61ac79e3dfac88fd5b80cdb4f738fc38a8bb1dff9decc42e86732c62e7e2")},
		}
		if diff := cmp.Diff(wantLists, r.Lists, ignorePCR); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"4 unknown"}, r.Reasons); diff != "" {
			t.Error(diff)
		}
		counts := map[attest.Class]int{attest.Boot: 1, attest.KnownList: 2, attest.Unknown: 4, attest.Known: 43}
		if diff := cmp.Diff(counts, r.Counts); diff != "" {
			t.Error(diff)
		}
	}
}

var ignorePCR = cmp.FilterPath(func(p cmp.Path) bool { return strings.HasSuffix(p.String(), "pcr") }, cmp.Ignore())

// With the files of the operator's own that no list has, the machine is as it should be.
func TestAllowed(t *testing.T) {
	const folder = "digest-lists-plus11"
	patterns, err := attest.ParsePatterns([]byte("# our own\n/init\n/opt/*/busybox\n"))
	if err != nil {
		t.Fatal(err)
	}
	o := attest.Options{References: references(t, "testdata/"+folder+"/digest_lists", nil), Allow: patterns}
	r := verify(t, evidence(t, folder), o)
	if r.Verdict != attest.Trusted || len(r.Findings) != 4 || r.Counts[attest.Allowed] != 4 {
		t.Errorf("%s: %v, %v", r.Verdict, r.Reasons, r.Counts)
	}
	o.Allow, o.Exclude = nil, patterns
	if r = verify(t, evidence(t, folder), o); r.Verdict != attest.Trusted || len(r.Findings) != 0 || r.Counts[attest.Excluded] != 4 {
		t.Errorf("%s: %v, %v", r.Verdict, r.Reasons, r.Counts)
	}
}

func TestStockMachines(t *testing.T) {
	for _, folder := range []string{"mainline-ima-ng", "mainline-ima-sig"} {
		all := measurements(t, lists(folder)[1])
		r := verify(t, evidence(t, folder), attest.Options{References: knowing(t, all, nobody)})
		if r.Verdict != attest.Trusted || r.Attested != 54 || len(r.Reasons)+len(r.Notes)+len(r.Findings) != 0 || r.Boot != "pcrs 0-9" {
			t.Errorf("%s: %+v", folder, r)
		}
		r = verify(t, evidence(t, folder), attest.Options{References: knowing(t, all, func(name string) bool { return name == "/bin/busybox" })})
		if diff := cmp.Diff([]string{"/bin/busybox unknown [10]"}, found(r)); r.Verdict != attest.NotTrusted || diff != "" {
			t.Errorf("%s: %s %s", folder, r.Verdict, diff)
		}
		// The lists of the other machine know the programs, not what this one read.
		r = verify(t, evidence(t, folder), attest.Options{References: references(t, "testdata/digest-lists-plus11/digest_lists", nil)})
		if r.Verdict != attest.NotTrusted || r.Counts[attest.Known] == 0 || !slices.Contains(found(r), "/etc/passwd unknown [10]") {
			t.Errorf("%s: %s, %v", folder, r.Verdict, r.Counts)
		}
	}
}

func TestNothingToCompareWith(t *testing.T) {
	const folder = "mainline-ima-ng"
	refs := knowing(t, measurements(t, lists(folder)[1]), nobody)
	with := evidence(t, folder)
	without := with
	without.Quote = nil
	other := without
	other.PCRs = new(attest.PCRs)
	if err := other.PCRs.Set(compact.SHA256, 4, make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		e      attest.Evidence
		refs   *attest.References
		reason string
	}{
		{"no references", with, nil, "no references"},
		{"no values", without, refs, "no PCR values"},
		{"values of other PCRs", other, refs, "no PCR that the list names has a value"},
		{"no entries", these(with, nil), refs, "empty"},
	} {
		r := verify(t, test.e, attest.Options{References: test.refs, KeepState: true})
		if r.Verdict != attest.Nothing || !strings.Contains(strings.Join(r.Reasons, "\n"), test.reason) {
			t.Errorf("%s: %s, %q", test.name, r.Verdict, r.Reasons)
		}
		if attested := test.name == "no references"; (r.Attested > 0) != attested {
			t.Errorf("%s: %d entries are attested", test.name, r.Attested)
		} else if (r.State() != nil) != attested {
			t.Errorf("%s: state %v", test.name, r.State())
		}
	}
}

func TestUnquotedValues(t *testing.T) {
	const folder = "mainline-ima-ng"
	e := evidence(t, folder)
	e.PCRs, e.Quote = e.Quote.PCRs, nil
	r := verify(t, e, attest.Options{References: knowing(t, measurements(t, lists(folder)[1]), nobody)})
	if r.Verdict != attest.Trusted || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "not quoted") {
		t.Errorf("%s, %q", r.Verdict, r.Notes)
	}
}

// The values of another time or machine match nowhere, and the report says what is known.
func TestNeverMatches(t *testing.T) {
	const folder = "mainline-ima-ng"
	all := measurements(t, lists(folder)[1])
	refs := knowing(t, all, nobody)
	later := evidence(t, folder)
	later.PCRs, later.Quote = readPCRs(t, "testdata/mainline-ima-ng/pcrs.txt"), nil
	r := verify(t, later, attest.Options{References: refs})
	if r.Verdict != attest.NotTrusted || r.Attested != 0 || !slices.Contains(r.Reasons, "PCR 10 of bank sha256 matches nowhere") || r.Rest[attest.Known] != 53 {
		t.Errorf("%s, %d attested, %q, %v", r.Verdict, r.Attested, r.Reasons, r.Rest)
	}
	changed := measurements(t, lists(folder)[1])
	changed[7].Data[20] ^= 1
	r = verify(t, these(evidence(t, folder), changed), attest.Options{References: refs})
	if r.Verdict != attest.NotTrusted || !strings.Contains(strings.Join(r.Reasons, "\n"), "entry 8 (") || !slices.Contains(r.Reasons, "PCR 10 of bank sha1 matches after 54 entries, but not all the others do") {
		t.Errorf("%s, %q", r.Verdict, r.Reasons)
	}
}

// What comes after the quote is neither good nor bad.
func TestUnattested(t *testing.T) {
	const folder = "mainline-ima-ng"
	all := measurements(t, lists(folder)[1])
	longer := append(slices.Clone(all), all[3].Clone())
	longer[54].Data = append([]byte(nil), "new data"...)
	longer[54].TemplateDigest = sum(t, compact.SHA1, longer[54].Data)
	r := verify(t, these(evidence(t, folder), longer), attest.Options{References: knowing(t, all, nobody)})
	if r.Verdict != attest.Trusted || r.Attested != 54 || r.Entries != 55 || len(r.Findings) != 0 && r.Findings[0].Attested {
		t.Errorf("%+v", r)
	}
	if diff := cmp.Diff(map[attest.Class]int{attest.Known: 1}, r.Rest); diff != "" {
		t.Error(diff)
	}
	// An entry for a PCR that was not quoted is not attested wherever it is.
	middle := slices.Insert(slices.Clone(all), 10, all[3].Clone())
	middle[10].PCR = 12
	r = verify(t, these(evidence(t, folder), middle), attest.Options{References: knowing(t, all, func(name string) bool { return name == all[3].Name() })})
	if r.Attested != 55 || len(r.Findings) != 2 || !r.Findings[0].Attested || r.Findings[1].Attested {
		t.Errorf("%d attested, %+v", r.Attested, r.Findings)
	}
}

func TestViolations(t *testing.T) {
	list := withViolation(measurements(t, lists("mainline-ima-ng")[1]))
	e := evidenceFor(t, list, compact.SHA256, false)
	everything, err := attest.ParsePatterns([]byte("**"))
	if err != nil {
		t.Fatal(err)
	}
	o := attest.Options{References: knowing(t, list, nobody), Allow: everything, Exclude: everything}
	r := verify(t, e, o)
	if diff := cmp.Diff([]string{"1 violation"}, r.Reasons); diff != "" || r.Attested != 55 {
		t.Errorf("%d attested; %s", r.Attested, diff)
	}
	o.IgnoreViolations = true
	if r = verify(t, e, o); r.Verdict != attest.Trusted || r.Counts[attest.Allowed] != 1 {
		t.Errorf("ignored: %s, %q", r.Verdict, r.Reasons)
	}
}

func TestWeakBanks(t *testing.T) {
	list := measurements(t, lists("mainline-ima-ng")[1])
	o := attest.Options{References: knowing(t, list, nobody)}
	for _, e := range []attest.Evidence{evidenceFor(t, list, compact.SHA1, false), evidenceFor(t, list, compact.SHA256, true)} {
		o.AllowSHA1 = false
		r := verify(t, e, o)
		if diff := cmp.Diff([]string{"PCR 10 is attested by SHA-1 alone"}, r.Reasons); diff != "" || r.Verdict != attest.NotTrusted {
			t.Errorf("%s; %s", r.Verdict, diff)
		}
		o.AllowSHA1 = true
		if r = verify(t, e, o); r.Verdict != attest.Trusted {
			t.Errorf("allowed: %s, %q", r.Verdict, r.Reasons)
		}
	}
	// With SHA-1 allowed, the entry's data still have to be those of its digest.
	list[5].Data[20] ^= 1
	e := these(attest.Evidence{PCRs: evidenceFor(t, measurements(t, lists("mainline-ima-ng")[1]), compact.SHA1, false).PCRs}, list)
	if r := verify(t, e, o); r.Verdict != attest.NotTrusted || !slices.Contains(r.Reasons, "1 wrong template") {
		t.Errorf("changed data: %s, %q", r.Verdict, r.Reasons)
	}
}

func TestNearMatch(t *testing.T) {
	const folder = "mainline-ima-ng"
	dir := t.TempDir()
	zeros := strings.Repeat("11", 32)
	writeFile(t, filepath.Join(dir, "0-file_list-ascii-old"), []byte("sha256:"+zeros+" /bin/busybox\n"))
	writeFile(t, filepath.Join(dir, "1-file_list-ascii-sha1"), []byte("sha1:"+zeros[:40]+" /etc/passwd\n"))
	r := verify(t, evidence(t, folder), attest.Options{References: references(t, dir, nil)})
	near := map[string]string{}
	for _, f := range r.Findings {
		if f.Near != nil {
			near[f.Path] = fmt.Sprintf("%s %s %x", f.Near.List, f.Near.Algorithm, []byte(f.Near.Digest))
		}
	}
	want := map[string]string{"/bin/busybox": "0-file_list-ascii-old sha256 " + zeros, "/etc/passwd": "1-file_list-ascii-sha1 sha1 " + zeros[:40]}
	if diff := cmp.Diff(want, near); diff != "" {
		t.Error(diff)
	}
}

func TestListClasses(t *testing.T) {
	const folder = "digest-lists-plus11"
	lists := "testdata/" + folder + "/digest_lists"
	base, second := readFile(t, folder, "digest_lists", "0-file_list-compact-base"), readFile(t, folder, "digest_lists", "1-file_list-compact-second")
	otherKey := new(attest.Keys)
	if err := otherKey.Add(readFile(t, "mainline-ima-ng", "ak.pem"), "other"); err != nil {
		t.Fatal(err)
	}
	changed := t.TempDir()
	writeFile(t, filepath.Join(changed, "0-file_list-compact-base"), base)
	writeFile(t, filepath.Join(changed, "sub", "1-file_list-compact-second"), base)
	missing := t.TempDir()
	writeFile(t, filepath.Join(missing, "5-file_list-compact-renamed"), second)
	for _, test := range []struct {
		name, dir string
		keys      *attest.Keys
		want      map[attest.Class]int
	}{
		{"good", lists, nil, map[attest.Class]int{attest.KnownList: 2}},
		{"signed", lists, signingKeys(t), map[attest.Class]int{attest.KnownList: 2}},
		{"signed by somebody else", lists, otherKey, map[attest.Class]int{attest.ListUnsigned: 2}},
		{"changed", changed, nil, map[attest.Class]int{attest.KnownList: 1, attest.ListChanged: 1}},
		{"unknown", missing, nil, map[attest.Class]int{attest.KnownList: 1, attest.ListUnknown: 1}},
	} {
		r := verify(t, evidence(t, folder), attest.Options{References: references(t, test.dir, test.keys), Keys: test.keys})
		got := map[attest.Class]int{}
		for _, l := range r.Lists {
			got[l.Class]++
		}
		if diff := cmp.Diff(test.want, got); diff != "" || r.Verdict != attest.NotTrusted {
			t.Errorf("%s: %s %s", test.name, r.Verdict, diff)
		}
	}
}

// That a file is in the PCR of digest lists means that the kernel did not know it,
// whatever the references know.
func TestUnknownByDefinition(t *testing.T) {
	const folder = "digest-lists-plus11"
	all := measurements(t, lists(folder)[1])
	dir := t.TempDir()
	base := readFile(t, folder, "digest_lists", "0-file_list-compact-base")
	writeFile(t, filepath.Join(dir, "0-file_list-compact-base"), base)
	writeFile(t, filepath.Join(dir, "1-file_list-compact-second"), readFile(t, folder, "digest_lists", "1-file_list-compact-second"))
	var more strings.Builder
	for _, m := range all {
		if m.PCR == 11 && (m.Name() == "/init" || m.Name() == "/opt/p1/busybox") {
			_, digest, err := m.FileDigest()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&more, "sha256:%x %s\n", digest, m.Name())
		}
	}
	writeFile(t, filepath.Join(dir, "3-file_list-ascii-sha1"), []byte("sha1:"+strings.Repeat("22", 20)+" /opt/p2/busybox\n"))
	writeFile(t, filepath.Join(dir, "2-file_list-ascii-more"), []byte(more.String()))
	r := verify(t, evidence(t, folder), attest.Options{References: references(t, dir, nil)})
	want := map[string]string{
		"/init":           "the kernel did not know it: 2-file_list-ascii-more has it, and was not loaded before",
		"/opt/p1/busybox": "the kernel did not know it: 2-file_list-ascii-more has it, and was not loaded before",
		"/opt/p2/busybox": "the kernel did not know it: 3-file_list-ascii-sha1 has its path with a digest of another algorithm",
		"/opt/p3/busybox": "the kernel did not know it, and no reference has this digest",
	}
	got := map[string]string{}
	for _, f := range r.Findings {
		got[f.Path] = f.Reason
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// Told that there is no such PCR, what references know is known.
	r = verify(t, evidence(t, folder), attest.Options{References: references(t, dir, nil), ListPCR: -1})
	if got := found(r); len(got) != 4 || strings.Contains(fmt.Sprint(got), "/init") {
		t.Errorf("%q", got)
	}
}

func TestBootAggregateOfAnotherBoot(t *testing.T) {
	e := evidence(t, "mainline-ima-ng")
	list := measurements(t, lists("mainline-ima-ng")[1])
	made := evidenceFor(t, list, compact.SHA256, false)
	for pcr := range 10 {
		value := e.Quote.PCRs.Value(compact.SHA256, pcr)
		value[0] ^= byte(pcr / 9)
		if err := made.PCRs.Set(compact.SHA256, pcr, value); err != nil {
			t.Fatal(err)
		}
	}
	r := verify(t, made, attest.Options{References: knowing(t, list, nobody)})
	if r.Boot != "mismatch" || r.Verdict != attest.NotTrusted || !slices.Contains(r.Reasons, "1 boot mismatch") {
		t.Errorf("%s, %s, %q", r.Boot, r.Verdict, r.Reasons)
	}
}

// The name of a template is not hashed: fields must be where the kernel puts them.
func TestTemplateRelabelled(t *testing.T) {
	list := measurements(t, lists("mainline-ima-sig")[1])
	for _, fields := range [][]imalog.Field{
		{list[5].Fields[1], list[5].Fields[0]},
		{{ID: "sig", Data: nil}, list[5].Fields[1], list[5].Fields[0]},
		{list[5].Fields[0]},
		nil,
	} {
		changed := slices.Clone(list)
		changed[5] = list[5].Clone()
		changed[5].Fields = fields
		r := verify(t, these(evidence(t, "mainline-ima-sig"), changed), attest.Options{References: knowing(t, list, nobody)})
		if r.Verdict != attest.NotTrusted || r.Counts[attest.NotUnderstood] != 1 {
			t.Errorf("%s, %v", r.Verdict, r.Counts)
		}
	}
}

func TestPatterns(t *testing.T) {
	digest := strings.Repeat("ab", 32)
	p, err := attest.ParsePatterns([]byte("# comment\n/opt/*\n/var/**\n/tmp/a?c\n/odd/\\*\nmemfd:x\nsha256:" + digest))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"/opt/a": true, "/opt/a/b": false, "/opt": false, "/var/a/b/c": true, "/tmp/abc": true, "/tmp/a/c": false, "/tmp/abcd": false,
		"/odd/*": true, "/odd/x": false, "memfd:x": true, "x/opt/a": false, "/opt/a\nb": true, "": false, "/opt/\xff": true,
	} {
		if got := p.Match(name, compact.SHA256, make([]byte, 32)); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	if !p.Match("/x", compact.SHA256, unhex(t, digest)) || p.Match("/x", compact.SM3, unhex(t, digest)) {
		t.Error("digest of the pattern")
	}
	for _, bad := range []string{"", "\n", "/a\n\n/b\n", "   \n", "# only a comment\n", "/a \n", " /a\n", "/a\r\n", "/a\\\n", "sha256:abcd\n", "sha256:\n"} {
		if p, err := attest.ParsePatterns([]byte(bad)); p != nil || err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestReportJSON(t *testing.T) {
	const folder = "digest-lists-plus11"
	r := verify(t, evidence(t, folder), attest.Options{References: references(t, "testdata/"+folder+"/digest_lists", nil)})
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Verdict  string
		Quote    struct{ Firmware string }
		PCRs     []struct{ Value string }
		Findings []struct{ Digest string }
	}
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if back.Verdict != "not trusted" || back.Quote.Firmware != "2019102300163636" || len(back.PCRs) != 4 || len(back.Findings[0].Digest) != 64 {
		t.Errorf("%s", data)
	}
	empty, err := json.Marshal(attest.Refused(attest.ErrNonce))
	if err != nil || strings.Contains(string(empty), `:null,"pcrs":null`) {
		t.Errorf("%s, %v", empty, err)
	}
}
