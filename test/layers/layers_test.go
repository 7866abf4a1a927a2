// Package layers holds the arrows between packages: tools stand on internal packages,
// those on attest and parsers, all on compact.
package layers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "digestlists/"

// internals are what the public packages use of the internal ones, and why. Whoever
// builds on a public package builds on these, too, so that they use nothing but each
// other, compact and parsers.
var internals = map[string]string{
	"ahead":      "reading a list while it is replayed",
	"capability": "the text of capabilities",
	"decode":     "digests of a list of any format, with its errors",
	"evm":        "the digest that EVM signs, for evm-sig templates",
	"filehash":   "hashing open files",
	"hashes":     "the hash functions that are in no standard library",
	"imasig":     "signatures of lists and of measured files",
	"inroot":     "files below a root whose links lead nowhere else",
	"listdir":    "names and order of the lists in a directory",
	"packed":     "evidence that may be compressed",
	"pgp/packet": "where OpenPGP packets and their parts begin and end",
	"regular":    "files whole, up to a size, that are no fifos",
	"selinux":    "labels, of which the list has the policy's",
	"xattr":      "attributes of open files",
}

// uses says which of them each public package may use.
var uses = map[string][]string{
	"attest":          {"ahead", "decode", "evm", "hashes", "imasig", "listdir", "packed", "regular"},
	"parsers/ascii":   {"regular"},
	"parsers/audit":   {"packed", "regular"},
	"parsers/keylime": {"regular"},
	"parsers/rpmdb":   {"inroot"},
	"parsers/rpmlist": {"pgp/packet"},
	"parsers/tree":    {"capability", "filehash", "hashes", "selinux", "xattr"},
}

// helpers are for tests alone.
var helpers = []string{"fixtures", "faulttest", "hosttest", "ptytest", "scripttest"}

// A pkg is what the go command says of one.
type pkg struct {
	ImportPath string
	Imports    []string
}

// listed has the packages of the module, by their path in it, with those of the module
// that they import.
var listed = sync.OnceValues(func() (map[string][]string, error) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		return nil, err
	}
	all := make(map[string][]string)
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		var imports []string
		for _, i := range p.Imports {
			if strings.HasPrefix(i, module) {
				imports = append(imports, own(i))
			}
		}
		all[own(p.ImportPath)] = imports
	}
})

func packages(t *testing.T) map[string][]string {
	t.Helper()
	all, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func own(importPath string) string { return strings.TrimPrefix(importPath, module) }

// in reports whether a package is one of a folder.
func in(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

// below reports whether an arrow from one package to another points down.
func below(from, to string) bool {
	switch {
	case from == "compact":
		return false
	case to == "compact":
		return true
	case from == "parsers/rpmhdr":
		return false
	case in(from, "parsers"):
		return in(to, "parsers") || mayUse(from, to)
	case in(from, "attest"):
		return in(to, "parsers") || mayUse(from, to)
	case in(from, "internal"):
		return in(to, "internal") || in(to, "parsers") || in(to, "attest")
	case in(from, "examples"): // which show what others can do
		return in(to, "parsers") || in(to, "attest")
	}
	return true // tools and tests
}

func mayUse(from, to string) bool {
	name, ok := strings.CutPrefix(to, "internal/")
	return ok && slices.Contains(uses[from], name)
}

func TestArrowsPointDown(t *testing.T) {
	for from, imports := range packages(t) {
		for _, to := range imports {
			if !below(from, to) {
				t.Errorf("%s uses %s", from, to)
			}
		}
	}
}

// What a public package uses may not bring in the rest of the house.
func TestUsedInternalsAreLeaves(t *testing.T) {
	all := packages(t)
	for name := range internals {
		for _, to := range all["internal/"+name] {
			used, ok := strings.CutPrefix(to, "internal/")
			if ok && internals[used] == "" || in(to, "attest") {
				t.Errorf("internal/%s uses %s, which public packages may not", name, to)
			}
		}
	}
}

// The lists here say no more than there is.
func TestListsAreTrue(t *testing.T) {
	all := packages(t)
	needed := make(map[string]bool)
	for from, names := range uses {
		for _, name := range names {
			if !slices.Contains(all[from], "internal/"+name) {
				t.Errorf("%s does not use %s", from, name)
			}
			needed[name] = true
		}
	}
	for name := range internals {
		if !needed[name] {
			t.Errorf("no public package uses internal/%s", name)
		}
	}
}

func TestHelpersAreForTests(t *testing.T) {
	for from, imports := range packages(t) {
		for _, to := range imports {
			if name := path.Base(to); in(to, "internal") && slices.Contains(helpers, name) && !slices.Contains(helpers, path.Base(from)) {
				t.Errorf("%s uses %s", from, to)
			}
		}
	}
}
