package ready_test

import (
	"errors"
	"strings"
	"testing"

	"digestlists/internal/imapolicy"
	"digestlists/internal/imapolicy/ready"
)

// A boot test gives them to a kernel.
func TestEveryPolicyIsGood(t *testing.T) {
	all, err := ready.All()
	if err != nil || len(all) < 10 {
		t.Fatalf("%d policies, %v", len(all), err)
	}
	for _, p := range all {
		forLists := strings.HasSuffix(p.Name, "-lists")
		oldest := &imapolicy.Kernel{Version: imapolicy.Version{Major: 5, Minor: 10}, DigestLists: forLists}
		policy, err := imapolicy.Parse(p.Content, oldest)
		if err != nil || policy.Open {
			t.Errorf("%s: %v", p.Name, err)
		}
		if forLists != strings.Contains(string(p.Content), "DIGEST_LIST_CHECK") {
			t.Errorf("%s: the name does not say what it is for", p.Name)
		}
		if !strings.HasSuffix(p.Summary, ".") {
			t.Errorf("%s: summary %q", p.Name, p.Summary)
		}
	}
}

func TestForUser(t *testing.T) {
	p, err := ready.Find("user-signed")
	if err != nil {
		t.Fatal(err)
	}
	of, err := p.ForUser(48)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(of.Content); strings.Contains(text, "1000") || strings.Count(text, "uid=48 ") != 2 {
		t.Errorf("%s", text)
	}
	tcb, err := ready.Find("tcb")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tcb.ForUser(48); err == nil {
		t.Error("tcb is about a user")
	}
	if _, err := ready.Find("../ready.go"); !errors.Is(err, ready.ErrUnknown) {
		t.Error(err)
	}
}
