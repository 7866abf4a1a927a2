package imapolicy_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"digestlists/internal/imapolicy"
)

// debian is the kernel that the files of rules were given to: see test/boot.
var debian = &imapolicy.Kernel{
	Version: imapolicy.Version{Major: 6, Minor: 1},
	Config:  map[string]bool{"IMA_APPRAISE_MODSIG": false},
}

func lines(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(list) < 60 {
		t.Fatalf("%s: %d rules, want 60", name, len(list))
	}
	return list
}

func TestAccepted(t *testing.T) {
	for _, rule := range lines(t, "testdata/accepted") {
		if _, err := imapolicy.Parse([]byte(rule+"\n"), debian); err != nil {
			t.Errorf("%q: %v", rule, err)
		}
	}
}

// Each line has the column that is to be shown, and a rule, quoted where an editor
// would not show it.
func TestRefused(t *testing.T) {
	for _, line := range lines(t, "testdata/refused") {
		number, rule, _ := strings.Cut(line, "\t")
		column, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if strings.HasPrefix(rule, `"`) {
			if rule, err = strconv.Unquote(rule); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		}
		// The line before and the one after are good.
		policy, err := imapolicy.Parse([]byte("measure\n"+rule+"\naudit\n"), debian)
		var faults imapolicy.Faults
		if policy != nil || !errors.As(err, &faults) || len(faults) != 1 || faults[0].Line != 2 {
			t.Errorf("%q: %v, %v", rule, policy, err)
			continue
		}
		if faults[0].Column != column {
			t.Errorf("%q: %v, want column %d", rule, err, column)
		}
	}
}
