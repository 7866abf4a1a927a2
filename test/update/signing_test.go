package update

import (
	"strings"
	"testing"

	"digestlists/internal/hosttest"
	"digestlists/internal/xattr"
)

func TestSigning(t *testing.T) {
	t.Parallel()
	key := "key = " + shared.keys + "/rsa2048.pem"
	cert := "cert = " + shared.keys + "/x509_golden.der"
	command := "sign_command = openssl pkeyutl -sign -inkey " + shared.keys + "/rsa2048.pem -pkeyopt digest:$DIGEST_ALGORITHM"
	tests := []struct {
		name      string
		conf      []string
		attribute bool
	}{
		{"key", []string{"sign = key", key}, true},
		{"key with certificate", []string{"sign = key", key, cert, "signature = xattr"}, true},
		{"command", []string{"sign=command", command, cert}, true},
		{"appended", []string{"sign = key", key, cert, "signature = appended"}, false},
		{"detached", []string{"sign = key", key, "signature = detached"}, false},
		{"0.3.9x", []string{"sign = key", key, "generation = 0.3.9x"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, tt.conf...)
			m.mustUpdate("digest lists: 2 added, 0 removed" + stale)
			out := hosttest.Run(t, "", shared.tools+"/verify_digest_lists", "-v", "-d", m.path("etc/lists"), "--key", shared.keys+"/x509_golden.der")
			if strings.Count(out, "\n") < 2 {
				t.Errorf("verified: %s", out)
			}
			_, err := xattr.Get(m.path("etc/lists/"+m.lists()[0]), "security.ima")
			if (err == nil) != tt.attribute {
				t.Errorf("security.ima: %v", err)
			}
		})
	}
}

// A run that cannot sign leaves the machine as it was.
func TestCannotSign(t *testing.T) {
	t.Parallel()
	key := "key = " + shared.keys + "/rsa2048.pem"
	cert := "cert = " + shared.keys + "/x509_golden.der"
	tests := []struct {
		name string
		conf []string
		code int
		text string
	}{
		{"no key", []string{"sign = key", "key = /nowhere/key.pem"}, 3, "error: /nowhere/key.pem, which "},
		{"not a key", []string{"sign = key", "key = /etc/passwd"}, 3, "error: no list was changed: "},
		{"other certificate", []string{"sign = key", key, "cert = " + shared.keys + "/x509_other.der"}, 3, "no list was changed: "},
		{"command fails", []string{"sign = command", "sign_command = echo no token >&2; false", cert}, 3, "no token"},
		{"command signs nothing", []string{"sign = command", "sign_command = cat >/dev/null", cert}, 3, "no list was changed: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, tt.conf...)
			m.mustFail(tt.code, tt.text)
			m.wantLists()
			if w := m.writes(); len(w) > 0 {
				t.Errorf("written to the kernel: %q", w)
			}
			if m.exists("var/lib/digest_lists/initramfs-stale") {
				t.Error("the initramfs is marked though nothing changed")
			}
			m.configure("update = yes")
			m.mustUpdate("digest lists: 2 added without signature, 0 removed" + stale)
		})
	}
}

// Unsigned lists can turn off digest lists in a kernel that appraises them.
func TestUnsignedListsAndAppraisal(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write("proc/cmdline", appraises)
	m.mustFail(2, "error: this kernel appraises digest lists and they would not be signed")
	m.wantLists()
	m.configure("update = yes", "sign = key", "key = "+shared.keys+"/rsa2048.pem", "signature = detached")
	m.mustFail(2, "cannot see detached signatures")
	m.wantLists()
	m.configure("update = yes", "load = no")
	m.mustUpdate("digest lists: 2 added without signature, 0 removed" + stale)
	m.wantTable()
}
