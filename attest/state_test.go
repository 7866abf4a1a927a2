package attest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"digestlists/attest"
	"digestlists/compact"
	"digestlists/parsers/imalog"

	"github.com/google/go-cmp/cmp"
)

// kept is a state that has been written and read.
func kept(t testing.TB, r *attest.Report) *attest.State {
	t.Helper()
	if r.State() == nil {
		t.Fatalf("no state: %s, %q", r.Verdict, r.Reasons)
	}
	data, err := json.Marshal(r.State())
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.ParseState(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func asJSON(t testing.TB, r *attest.Report) string {
	t.Helper()
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// made is what a kernel may list: files of two PCRs, a violation, and odd names.
func made(t testing.TB) []*imalog.Measurement {
	t.Helper()
	list := withViolation(measurements(t, lists("digest-lists-plus11")[1]))
	for _, name := range []string{"/tmp/\xff\xfe", "/tmp/a\nb", strings.Repeat("n", 4096), "memfd:x (deleted)"} {
		list = append(list, onBoth(t, compact.SHA256, sum(t, compact.SHA256, []byte(name)), name)...)
	}
	return list
}

// Whoever polls comes to the same report as whoever begins with the first entry, wherever the
// list was when they last asked.
func TestContinue(t *testing.T) {
	list := made(t)
	allow, err := attest.ParsePatterns([]byte("/init\n"))
	if err != nil {
		t.Fatal(err)
	}
	o := attest.Options{References: references(t, "testdata/digest-lists-plus11/digest_lists", nil), Allow: allow, KeepState: true}
	whole := evidenceFor(t, list, compact.SHA256, false)
	for _, all := range []bool{false, true} {
		o.All, o.From, o.Rest = all, nil, false
		want := verify(t, whole, o)
		for end := 1; end <= len(list); end++ {
			// The list that was sent then was longer than the quote.
			o.From, o.Rest = nil, false
			e := evidenceFor(t, list[:end], compact.SHA256, false)
			e = these(e, list[:min(end+2, len(list))])
			if end == 1 {
				if err := e.PCRs.Set(compact.SHA256, 11, make([]byte, 32)); err != nil {
					t.Fatal(err)
				}
			}
			state := kept(t, verify(t, e, o))
			if list[end-1].PCR == 10 && state.Entries() < end {
				t.Fatalf("state of %d entries, want %d", state.Entries(), end)
			}
			o.From = state
			got := verify(t, whole, o)
			if diff := cmp.Diff(asJSON(t, want), asJSON(t, got)); diff != "" {
				t.Fatalf("from entry %d: %s", end, diff)
			}
			for i := range want.Findings {
				if want.Findings[i].Path != got.Findings[i].Path {
					t.Fatalf("path %q, want %q", got.Findings[i].Path, want.Findings[i].Path)
				}
			}
			o.Rest = true
			got = verify(t, these(whole, list[state.Entries():]), o)
			if diff := cmp.Diff(asJSON(t, want), asJSON(t, got)); diff != "" {
				t.Fatalf("the rest from entry %d: %s", end, diff)
			}
		}
	}
}

// A state goes with one machine's boot, and with what was known then.
func TestStateDoesNotFit(t *testing.T) {
	const folder = "mainline-ima-ng"
	list := measurements(t, lists(folder)[1])
	e := evidence(t, folder)
	refs := knowing(t, list, nobody)
	o := attest.Options{References: refs, KeepState: true}
	o.From = kept(t, verify(t, e, o))
	changed := slices.Clone(list)
	changed[4] = measured(t, 10, compact.SHA256, sum(t, compact.SHA256, nil), "/other")
	rebooted := e
	quote := *e.Quote
	quote.Resets++
	rebooted.Quote = &quote
	otherBank := evidenceFor(t, list, compact.SHA384, false)
	more := evidenceFor(t, list, compact.SHA256, false)
	for name, test := range map[string]struct {
		e    attest.Evidence
		o    func(*attest.Options)
		text string
	}{
		"shorter":    {e: these(e, list[:53]), text: "the list has 53 entries, the state is of 54"},
		"changed":    {e: these(e, changed), text: "does not begin with its 54 entries"},
		"rebooted":   {e: rebooted, text: "of another boot"},
		"bank":       {e: otherBank, text: "does not have bank sha384"},
		"references": {e: e, o: func(o *attest.Options) { o.References = knowing(t, list[:20], nobody) }, text: "other references"},
		"options":    {e: e, o: func(o *attest.Options) { o.IgnoreViolations = true }, text: "or options"},
		"keys":       {e: e, o: func(o *attest.Options) { o.Keys = signingKeys(t) }, text: "keys"},
	} {
		with := o
		with.Now = now
		if test.o != nil {
			test.o(&with)
		}
		r, err := attest.Verify(test.e, with)
		if r != nil || !errors.Is(err, attest.ErrState) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: error %v, want %q", name, err, test.text)
		}
	}
	// Fewer banks will do.
	if r := verify(t, more, o); r.Verdict != attest.Trusted || r.Attested != 54 {
		t.Errorf("%s: %q", r.Verdict, r.Reasons)
	}
	// Nothing new has been measured.
	o.Rest = true
	if r := verify(t, these(e, nil), o); r.Verdict != attest.Trusted || r.Attested != 54 || r.State().Entries() != 54 {
		t.Errorf("%s: %q", r.Verdict, r.Reasons)
	}
	// Values that the list does not reach are a verdict, and no state.
	e.PCRs, e.Quote = new(attest.PCRs), nil
	later := readPCRs(t, "testdata/mainline-ima-ng/pcrs.txt").Value(compact.SHA256, 10)
	if err := e.PCRs.Set(compact.SHA256, 10, later); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, these(e, nil), o); r.Verdict != attest.NotTrusted || r.State() != nil {
		t.Errorf("%s: %q", r.Verdict, r.Reasons)
	}
}

func TestParseState(t *testing.T) {
	o := attest.Options{References: references(t, "testdata/digest-lists-plus11/digest_lists", nil), KeepState: true}
	data, err := json.Marshal(verify(t, evidence(t, "digest-lists-plus11"), o).State())
	if err != nil {
		t.Fatal(err)
	}
	for at := range data {
		s, err := attest.ParseState(flipped(data, at, 1))
		if (s == nil) == (err == nil) {
			t.Fatalf("%v, error %v", s, err)
		}
		// Of spaces and of the case of keys and digits, JSON does not care.
		if err == nil {
			again, err := json.Marshal(s)
			if err != nil || !bytes.Equal(again, data) {
				t.Errorf("byte %d changed: read as\n%s", at, again)
			}
		}
	}
	for _, test := range []struct {
		name, old, new string
		err            error
	}{
		{"version", `"version":1`, `"version":2`, compact.ErrUnsupportedVersion},
		{"format", `"digestlists `, `"digestlist `, attest.ErrMalformed},
		{"changed", `"entries":57`, `"entries":58`, attest.ErrMalformed},
		{"unknown field", `"version":1`, `"version":1,"more":1`, attest.ErrMalformed},
	} {
		if _, err := attest.ParseState([]byte(strings.Replace(string(data), test.old, test.new, 1))); !errors.Is(err, test.err) {
			t.Errorf("%s: error %v, want %v", test.name, err, test.err)
		}
	}
	if _, err := attest.ParseState(append(data, '{')); err == nil {
		t.Error("data after the state were taken")
	}
}
