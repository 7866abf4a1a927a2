package main

import (
	"os/exec"
	"strings"
	"testing"
)

// The parser runs before anything else at boot and is trusted by the kernel: it
// links no database, no network, no terminal and no certificate authority code.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range strings.Fields(string(out)) {
		for _, forbidden := range []string{"net", "database/sql", "crypto/tls", "crypto/x509", "golang.org/x/term", "modernc.org", "github.com/knqyf263", "github.com/glebarez"} {
			if pkg == forbidden || strings.HasPrefix(pkg, forbidden+"/") && forbidden != "net" {
				t.Errorf("links %s", pkg)
			}
		}
	}
}
