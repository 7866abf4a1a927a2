package preflight

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/listdir"

	"github.com/rogpeppe/go-internal/txtar"
)

const inputs = "../../test/inputs/"

// good makes the machine of testdata/good.txtar. Tests change what they are about.
func good(t *testing.T) *Machine {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/good.txtar")
	if err != nil {
		t.Fatal(err)
	}
	m := &Machine{Root: t.TempDir(), Dir: listdir.Default, Cert: DefaultCert}
	if err := txtar.Write(archive, m.Root); err != nil {
		t.Fatal(err)
	}
	m.copy(t, "keys/x509_golden.der", DefaultCert)
	return m
}

func (m *Machine) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.path(name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// copy takes a file of test/inputs.
func (m *Machine) copy(t *testing.T, from, name string) {
	t.Helper()
	content, err := os.ReadFile(inputs + from)
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, name, string(content))
}

func (m *Machine) remove(t *testing.T, name string) {
	t.Helper()
	if err := os.RemoveAll(m.path(name)); err != nil {
		t.Fatal(err)
	}
}

// unreadable puts something there that root cannot read either.
func (m *Machine) unreadable(t *testing.T, name string) {
	t.Helper()
	m.remove(t, name)
	if err := os.MkdirAll(filepath.Dir(m.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Base(name), m.path(name)); err != nil { // to itself
		t.Fatal(err)
	}
}

// want checks that one of the findings has the verdict and the text, and that all but
// ok say what they mean and what mends them.
func want(t *testing.T, findings []Finding, verdict Verdict, text string) {
	t.Helper()
	found := false
	for _, f := range findings {
		found = found || f.Verdict == verdict && strings.Contains(f.Text+": "+f.Means, text)
		if f.Verdict == OK != (f.Means == "") || f.Verdict == OK != (f.Mend == "") {
			t.Errorf("%s %q: means %q, mended by %q", f.Verdict, f.Text, f.Means, f.Mend)
		}
	}
	if !found {
		t.Errorf("no %s with %q: %+v", verdict, text, findings)
	}
}

func TestNothingAmiss(t *testing.T) {
	findings := Look(good(t))
	names := make(map[string]bool)
	for _, f := range findings {
		names[f.Check] = true
		if f.Verdict != OK {
			t.Errorf("%s: %s: %s", f.Check, f.Verdict, f.Text)
		}
	}
	for _, name := range Checks() {
		if !names[name] {
			t.Errorf("no finding of %s", name)
		}
	}
	if Worst(findings).Stops() {
		t.Error("a set-up stops")
	}
}

// The worst finding decides, and what is not known stops as an error does.
func TestWorst(t *testing.T) {
	for _, verdicts := range [][]Verdict{{OK, Warning}, {Warning, Unknown, OK}, {Unknown, Error, Warning}} {
		var findings []Finding
		stops := false
		for _, v := range verdicts {
			findings = append(findings, Finding{Verdict: v})
			stops = stops || v == Unknown || v == Error
		}
		if got := Worst(findings).Stops(); got != stops {
			t.Errorf("%v: stops %v, want %v", verdicts, got, stops)
		}
	}
}
