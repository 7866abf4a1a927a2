package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// buildFlags are those of the Makefile that matter for what is in the binary.
var buildFlags = []string{"-trimpath", "-ldflags=-s -w", "-tags=urfave_cli_no_docs"}

// build builds the tool as it is shipped, and returns where it is.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "upload_digest_lists")
	cmd := exec.Command("go", slices.Concat([]string{"build", "-o", bin}, buildFlags, []string{"."})...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// TestShipped is about the very file that is installed.
func TestShipped(t *testing.T) {
	bin := build(t)
	t.Run("one small static file", func(t *testing.T) { testOneSmallStaticFile(t, bin) })
	t.Run("early boot", func(t *testing.T) { testEarlyBoot(t, bin) })
	t.Run("boot log", func(t *testing.T) { testBootLog(t, bin) })
	t.Run("window", func(t *testing.T) { testWindow(t, bin) })
}

// The image of an early boot has no libraries, and not much room.
func testOneSmallStaticFile(t *testing.T, bin string) {
	const limit = 6 << 20
	if info, err := os.Stat(bin); err != nil || info.Size() > limit {
		t.Errorf("%d bytes, want at most %d (%v)", info.Size(), limit, err)
	}
	f, err := elf.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("wants a dynamic linker")
		}
	}
}

// modules are all that is linked besides the standard library and our own packages,
// with what is below them.
var modules = []string{
	"filippo.io/bigmod",
	"github.com/emmansun/gmsm/internal",
	"github.com/emmansun/gmsm/sm3",
	"github.com/urfave/cli/v2",
	"github.com/xrash/smetrics", // of cli
	"golang.org/x/crypto/cryptobyte",
	"golang.org/x/crypto/ripemd160",
	"golang.org/x/sys/cpu", // of bigmod
	"golang.org/x/sys/unix",
}

// forbidden are packages of the standard library that have no place here. What
// begins with them is forbidden, too, but for net/netip and net/url.
var forbidden = []string{"net", "database/sql", "crypto/tls", "crypto/x509", "plugin"}

// The parser runs before anything else at boot and is trusted by the kernel: it
// links no database, no network, no terminal and no certificate authority code.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", buildFlags[2], "-f", "{{.ImportPath}} {{.Standard}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		pkg, standard, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case standard == "true":
			if slices.ContainsFunc(forbidden, func(f string) bool { return pkg == f || f != "net" && strings.HasPrefix(pkg, f+"/") }) {
				t.Errorf("links %s", pkg)
			}
		case !strings.HasPrefix(pkg, "digestlists/") && !slices.ContainsFunc(modules, func(m string) bool {
			return pkg == m || strings.HasPrefix(pkg, m+"/")
		}):
			t.Errorf("links %s", pkg)
		}
	}
}
