package securityfs

import (
	"slices"
	"strings"
	"testing"
)

// Whatever is on the command line, it is read, and there is a budget within the bounds or an
// error; and what is after -- is another's.
func FuzzCommandLine(f *testing.F) {
	f.Add("quiet ima_policy=\"tcb|exec_tcb\" ima-digest-list-pcr=+11 ima_digest_db_size=32M -- ima_policy=x\n")
	f.Add("ima_appraise_tcb ima_appraise=fix ima_appraise_digest_list=digest ima_digest_db_size=0x1E")
	f.Fuzz(func(t *testing.T, text string) {
		const standard, highest = 16 << 20, 64 << 20
		c := ParseCommandLine(text)
		if n, err := c.Budget(standard, highest); n < 0 || n > highest || err != nil && n != 0 {
			t.Fatalf("budget %d, %v", n, err)
		}
		s := Setup{CommandLine: c}
		if r := s.refusal(); r != nil && (r.Reason == "" || r.Change == "") {
			t.Fatalf("%#v", r)
		}
		if strings.Count(text, `"`)%2 != 0 {
			return
		}
		more := ParseCommandLine(text + " -- ima_digest_list_pcr=11 ima_digest_db_size=1")
		if len(more.pcrs) != len(c.pcrs) || more.size != c.size {
			t.Fatalf("%+v becomes %+v", c, more)
		}
	})
}

// Rules are those of their lines, and only what is left out depends on their order.
func FuzzPolicy(f *testing.F) {
	f.Add(tcbRules, listRules)
	f.Add(appraiseRule, "\n\tmeasure\x00")
	f.Fuzz(func(t *testing.T, a, b string) {
		first, second, both := parsePolicy(a), parsePolicy(b), parsePolicy(b+"\n"+a)
		want := Policy{measures: first.measures || second.measures, appraises: first.appraises || second.appraises, lists: first.lists || second.lists}
		if want.leftOut = slices.Clone(second.leftOut); !second.lists {
			want.leftOut = append(want.leftOut, first.leftOut...)
		}
		if !slices.Equal(both.leftOut, want.leftOut) || both.measures != want.measures || both.appraises != want.appraises || both.lists != want.lists {
			t.Fatalf("%+v, want %+v", *both, want)
		}
	})
}

// A keyring that is found is in a line of its own.
func FuzzKeys(f *testing.F) {
	f.Add("1a2b3c4d I------     1 perm 1f0b0000     0     0 keyring   .ima: 1\n", ".ima")
	f.Add("0x12 x\n\n-1 I 1 perm 0 0 0 keyring .ima: empty\n", ".evm")
	f.Fuzz(func(t *testing.T, keys, name string) {
		id, err := findInKeys(strings.NewReader(keys), name)
		if err != nil && id != 0 || err == nil && !strings.Contains(keys, name+":") {
			t.Fatalf("%d, %v", id, err)
		}
	})
}
