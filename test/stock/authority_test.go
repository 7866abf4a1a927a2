package stock

import (
	"os"
	"path/filepath"
	"testing"

	"digestlists/internal/hosttest"
	"digestlists/test/boot"
)

// makeKey makes a key that a choosy kernel takes, where the set-up expects one.
const makeKey = "setup_ima_digest_lists keys make --ca-key /root/authority.pem --ca-cert /root/authority.pem --days 30"

// bringAuthority gives a machine the authority whose certificates its kernel takes, which
// KERNEL_CA names as for the boot tests, and reports whether the kernel is one that takes no others.
func (m *machine) bringAuthority(t *testing.T) bool {
	t.Helper()
	if !m.kernel.DigestLists || !m.kernel.TrustedKeyring {
		return false
	}
	if err := os.WriteFile(filepath.Join(m.root, "root/authority.pem"), hosttest.Read(t, boot.Authority(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	return true
}
