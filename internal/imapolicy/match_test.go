package imapolicy_test

import (
	"testing"

	"digestlists/internal/imapolicy"
)

func TestAppraised(t *testing.T) {
	exec := imapolicy.Access{Func: "BPRM_CHECK", Mask: "MAY_EXEC", FSMagic: 0xef53, FSName: "ext4"}
	tests := []struct {
		policy string
		line   int // of the rule, 0 for none
	}{
		{"measure\nappraise func=BPRM_CHECK\n", 2},
		{"appraise func=MMAP_CHECK\n", 0},
		{"appraise mask=MAY_READ\n", 0},
		{"appraise mask=^MAY_EXEC\n", 1},
		{"dont_appraise fsmagic=0xef53\nappraise\n", 0},
		{"dont_appraise fsmagic=0x9fa0\nappraise\n", 2},
		{"appraise func=BPRM_CHECK\ndont_appraise\n", 1},
		{"appraise fsname=tmpfs\n", 0},
		{"appraise uid=1000\n", 0},
		{"appraise uid<1000\n", 1},
		{"appraise euid>0\n", 0},
		{"appraise fowner=0 gid=0\n", 1},
		{"appraise fgroup>0\n", 0},
		// What is not known counts as what is worse.
		{"dont_appraise obj_type=bin_t\nappraise\n", 2},
		{"appraise obj_type=bin_t\n", 1},
		{"dont_appraise fsuuid=8bcbe394-4f13-4144-be8e-5aa9ea2ce2f6\nappraise fowner=0\n", 2},
		{"dont_appraise fs_subtype=sshfs\nappraise\n", 2},
		{"measure\naudit\n", 0},
	}
	for _, tt := range tests {
		policy, err := imapolicy.Parse([]byte(tt.policy), &imapolicy.Kernel{Version: imapolicy.Version{Major: 6, Minor: 19}})
		if err != nil {
			t.Fatalf("%q: %v", tt.policy, err)
		}
		line := 0
		if rule := policy.Appraised(exec); rule != nil {
			line = rule.Line
		}
		if line != tt.line {
			t.Errorf("%q: line %d, want %d", tt.policy, line, tt.line)
		}
	}
}

func TestLastLineWithoutEnd(t *testing.T) {
	for text, open := range map[string]bool{"measure": true, "measure\n": false, "measure\n\t": true} {
		policy, err := imapolicy.Parse([]byte(text), debian)
		if err != nil || policy.Open != open {
			t.Errorf("%q: %+v, %v", text, policy, err)
		}
	}
}

// What a kernel is not known to lack is not refused, what it is known to lack is.
func TestKernelAsBuilt(t *testing.T) {
	tests := []struct {
		rule   string
		kernel imapolicy.Kernel
		good   bool
	}{
		{"appraise func=MODULE_CHECK appraise_type=imasig|modsig appraise_flag=check_blacklist", imapolicy.Kernel{}, true},
		{"appraise func=MODULE_CHECK appraise_type=imasig|modsig", imapolicy.Kernel{Config: map[string]bool{"IMA_APPRAISE_MODSIG": false}}, false},
		{"measure obj_type=bin_t", imapolicy.Kernel{}, true},
		{"measure obj_type=bin_t", imapolicy.Kernel{LSMs: []string{"lockdown", "selinux"}}, true},
		{"measure obj_type=bin_t", imapolicy.Kernel{LSMs: []string{"lockdown", "apparmor"}}, false},
		{"measure subj_role=x", imapolicy.Kernel{LSMs: []string{"apparmor"}, Config: map[string]bool{"IMA_LSM_RULES": false}}, false},
		{"appraise func=DIGEST_LIST_CHECK appraise_type=imasig", imapolicy.Kernel{DigestLists: true}, true},
		{"appraise func=BPRM_CHECK appraise_type=meta_immutable", imapolicy.Kernel{DigestLists: true}, true},
		{"appraise func=BPRM_CHECK appraise_type=meta_immutable", imapolicy.Kernel{}, false},
	}
	for _, tt := range tests {
		tt.kernel.Version = imapolicy.Version{Major: 6, Minor: 6}
		if _, err := imapolicy.Parse([]byte(tt.rule+"\n"), &tt.kernel); (err == nil) != tt.good {
			t.Errorf("%q: %v", tt.rule, err)
		}
	}
}

// Linux 6.12 was seen to take these, which 6.1 refuses.
func TestNewerKernelTakes(t *testing.T) {
	for _, rule := range []string{
		"measure func=MMAP_CHECK_REQPROT",
		"appraise func=BPRM_CHECK appraise_flag=check_blacklist",
		"appraise appraise_flag=blacklist",
		"measure appraise_flag=check_blacklist",
	} {
		newer := &imapolicy.Kernel{Version: imapolicy.Version{Major: 6, Minor: 12}}
		if _, err := imapolicy.Parse([]byte(rule+"\n"), newer); err != nil {
			t.Errorf("%q: %v", rule, err)
		}
		if _, err := imapolicy.Parse([]byte(rule+"\n"), debian); err == nil {
			t.Errorf("%q is taken for Linux 6.1", rule)
		}
	}
}
