// Package preflight looks at a machine before digest lists are turned on, and says
// what is there, what is missing and how to mend it. It changes nothing.
//
// Each check is a function in a file of its own and a row of the table in this one.
package preflight

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// DefaultCert is where the kernel and dracut look for the certificate of IMA.
const DefaultCert = "/etc/keys/x509_ima.der"

// A Verdict says how good a finding is.
type Verdict string

// The verdicts. What could not be found out is not fine.
const (
	OK      Verdict = "ok"
	Warning Verdict = "warning"
	Unknown Verdict = "unknown"
	Error   Verdict = "error"
)

var rank = map[Verdict]int{OK: 0, Warning: 1, Unknown: 2, Error: 3}

// Stops reports whether a setup should not go on without being told to.
func (v Verdict) Stops() bool { return rank[v] >= rank[Unknown] }

// A Finding is the answer of a check. A check may have several.
type Finding struct {
	Check   string  `json:"check"`   // a name out of [Checks]
	Verdict Verdict `json:"verdict"` // how good it is
	Text    string  `json:"text"`    // what was found
	Means   string  `json:"means"`   // what that means for digest lists; "" for OK, whose text says it
	Mend    string  `json:"mend"`    // the command or change that mends it; "" for OK only
}

// A Machine is what is looked at: the running system, or files below another root.
type Machine struct {
	Root string // "" for the running system
	Dir  string // the digest list directory
	Cert string // the certificate of the lists
}

// path returns where a file of the machine is.
func (m *Machine) path(name string) string { return filepath.Join(m.Root, name) }

// A check looks at one thing. Its findings need no name.
type check struct {
	name string
	look func(*Machine) []Finding
}

// checks is the table of all there is to look at, in the order of the report.
var checks = []check{
	{"kernel", kernel},
	{"securityfs", securityFS},
	{"extension", extension},
	{"cmdline", commandLine},
	{"policy", policy},
	{"tpm", tpm},
	{"keyring", keyring},
	{"filesystems", fileSystems},
	{"ramfs", initramfsRoot},
	{"budget", budget},
	{"initramfs", images},
	{"packages", packages},
	{"evm", evm},
	{"trouble", trouble},
}

// Checks returns the names of all checks.
func Checks() []string {
	names := make([]string, len(checks))
	for i, c := range checks {
		names[i] = c.name
	}
	return names
}

// Look runs all checks.
func Look(m *Machine) []Finding {
	var all []Finding
	for _, c := range checks {
		for _, f := range c.look(m) {
			f.Check = c.name
			all = append(all, f)
		}
	}
	return all
}

// Worst returns the worst verdict of some findings.
func Worst(findings []Finding) Verdict {
	worst := OK
	for _, f := range findings {
		if rank[f.Verdict] > rank[worst] {
			worst = f.Verdict
		}
	}
	return worst
}

// exists tells whether a file is there; an error is that this cannot be told.
func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
