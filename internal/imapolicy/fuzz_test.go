package imapolicy_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"digestlists/internal/imapolicy"
)

// Whatever the text, there is a policy or there are faults at places in it; and the
// rules of a policy are one by one.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/accepted", "testdata/refused"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			f.Add(line)
		}
	}
	f.Add([]byte("measure\nappraise fowner=0 # all\n\x00"))
	kernel := &imapolicy.Kernel{Version: imapolicy.Version{Major: 6, Minor: 19}, DigestLists: true}
	f.Fuzz(func(t *testing.T, text []byte) {
		policy, err := imapolicy.Parse(text, kernel)
		var faults imapolicy.Faults
		if errors.As(err, &faults) != (policy == nil) || err != nil && len(faults) == 0 {
			t.Fatalf("%v, %v", policy, err)
		}
		for _, fault := range faults {
			if fault.Line < 1 || fault.Column < 1 || fault.Reason == "" {
				t.Fatalf("%#v", fault)
			}
		}
		if policy == nil {
			return
		}
		for _, rule := range policy.Rules {
			again, err := imapolicy.Parse([]byte(rule.Text), kernel)
			if err != nil || len(again.Rules) != 1 || again.Rules[0].Text != rule.Text {
				t.Fatalf("%q alone: %v", rule.Text, err)
			}
		}
	})
}
