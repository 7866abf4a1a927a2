package metadata_test

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/internal/evm"
	"digestlists/internal/metadata"
	"digestlists/internal/owner"
	"digestlists/internal/xattr"
	"digestlists/parsers"
	"digestlists/parsers/tree"
)

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o600), os.Chmod(name, mode))
}

// makeTree makes a root with each kind of metadata.
func makeTree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	bin := filepath.Join(root, "usr/bin")
	for name, mode := range map[string]os.FileMode{
		"plain": 0o755, "private": 0o600, "suid": 0o755 | os.ModeSetuid, "owned": 0o640, "capable": 0o755, "labelled": 0o644, "all": 0o710, "raw": 0o644,
	} {
		write(t, filepath.Join(bin, name), name, mode)
	}
	must(
		t,
		os.Chown(filepath.Join(bin, "owned"), 12, 34),
		os.Chown(filepath.Join(bin, "all"), 4294967, 8),
		exec.Command("setcap", "cap_net_raw=ep", filepath.Join(bin, "capable")).Run(),
		exec.Command("setcap", "-n", "1000", "cap_setuid,cap_chown=ip", filepath.Join(bin, "all")).Run(),
		xattr.Set(filepath.Join(bin, "labelled"), "security.selinux", evm.Label("system_u:object_r:bin_t:s0")),
		xattr.Set(filepath.Join(bin, "all"), "security.selinux", evm.Label("u:r:t:s0-s0:c0.c1023")),
		xattr.Set(filepath.Join(bin, "raw"), "security.selinux", []byte("u:r:without_nul_t")),
	)
	return root
}

// entries lists a tree and completes what it yields.
func entries(t *testing.T, root string, opts metadata.Options, a compact.Algorithm) ([]parsers.Entry, error) {
	t.Helper()
	c, err := metadata.New(opts)
	must(t, err)
	defer c.Close()
	in := parsers.Input{
		Paths: []string{root}, Root: root, Algorithm: a,
		Attributes: parsers.FieldCaps | parsers.FieldLabel,
	}
	for list, err := range (tree.Source{}).Lists(t.Context(), in) {
		must(t, err)
		return parsers.Collect(c.Entries(list.Entries))
	}
	return nil, nil
}

var evmctlHash = regexp.MustCompile(`(?m)^hash\(\w+\): ([0-9a-f]+)$`)

// evmctl returns the digest that it signs. It also sets security.ima and security.evm.
func evmctl(t *testing.T, key, file, algorithm string) string {
	t.Helper()
	out, err := exec.Command("evmctl", "sign", "-o", "--imahash", "--portable", "-a", algorithm, "-k", key, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	all := evmctlHash.FindAllSubmatch(out, -1)
	if all == nil {
		t.Fatalf("no hash in what evmctl says: %s", out)
	}
	return string(all[len(all)-1][1])
}

func TestDigestsAreThoseThatEvmctlSigns(t *testing.T) {
	root := makeTree(t)
	key := filepath.Join(t.TempDir(), "key.pem")
	must(t, exec.Command("openssl", "genrsa", "-out", key, "2048").Run())
	for _, a := range []compact.Algorithm{compact.SHA256, compact.SHA512} {
		all, err := entries(t, root, metadata.Options{Root: root, Digest: true}, a)
		must(t, err)
		if len(all) != 8 {
			t.Fatalf("%d entries", len(all))
		}
		for _, e := range all {
			if want, got := evmctl(t, key, filepath.Join(root, e.Path), a.String()), hex.EncodeToString(e.EVMDigest); got != want {
				t.Errorf("%s: %s, evmctl %s", e.Path, got, want)
			}
			if e.Path == "/usr/bin/all" && (e.Caps != "cap_chown,cap_setuid=ip [rootid=1000]" || e.Label != "u:r:t:s0-s0:c0.c1023") {
				t.Errorf("%q, %q", e.Caps, e.Label)
			}
		}
	}
}

// A system may hash contents in another algorithm than that of the list.
func TestAlgorithmOfIMA(t *testing.T) {
	root := makeTree(t)
	file := filepath.Join(root, "usr/bin/plain")
	ima := compact.SHA512
	all, err := entries(t, root, metadata.Options{Root: root, Digest: true, IMA: &ima}, compact.SHA256)
	must(t, err)
	for _, e := range all {
		if e.Path != "/usr/bin/plain" {
			continue
		}
		must(t, exec.Command("evmctl", "ima_hash", "-a", "sha512", file).Run())
		value, err := xattr.Get(file, "security.ima")
		must(t, err)
		m := evm.Metadata{IMA: value, Mode: e.Mode}
		want, err := m.Digest(compact.SHA256)
		must(t, err)
		if string(want) != string(e.EVMDigest) {
			t.Errorf("%x, want %x over %x", e.EVMDigest, want, value)
		}
	}
}

func one(e parsers.Entry) func(func(*parsers.Entry, error) bool) {
	return func(yield func(*parsers.Entry, error) bool) { yield(&e, nil) }
}

func TestWhatCannotBeFoundOut(t *testing.T) {
	system := t.TempDir()
	write(t, filepath.Join(system, "etc/passwd"), "root:x:0:0::/:\n", 0o644)
	write(t, filepath.Join(system, "etc/group"), "root:x:0:\n", 0o644)
	names := func(user, group string) parsers.Entry {
		return parsers.Entry{Path: "/f", User: user, Group: group, Known: parsers.FieldNames}
	}
	caps := names("root", "root")
	caps.Caps = "cap_nosuch=ep"
	label := names("root", "root")
	label.LabelValue, label.Known = []byte("no label"), label.Known|parsers.FieldLabel
	for _, tt := range []struct {
		name  string
		root  string
		entry parsers.Entry
		want  string
	}{
		{"user", system, names("nosuch", "root"), `unknown user "nosuch"`},
		{"group", system, names("root", "nosuch"), `unknown group "nosuch"`},
		{"no system", t.TempDir(), names("root", "root"), "etc/passwd: no such file"},
		{"no owner", system, parsers.Entry{Path: "/f"}, "who owns it"},
		{"capabilities", system, caps, `unknown capability "cap_nosuch"`},
		{"label", system, label, `bad label "no label"`},
	} {
		c, err := metadata.New(metadata.Options{Root: tt.root})
		must(t, err)
		_, err = parsers.Collect(c.Entries(one(tt.entry)))
		c.Close()
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "/f") {
			t.Errorf("%s: error %v, want %s", tt.name, err, tt.want)
		}
		if tt.name == "user" && !errors.Is(err, owner.ErrUnknown) {
			t.Errorf("error %v is not of its class", err)
		}
	}
	if _, err := metadata.New(metadata.Options{Root: system, Labels: metadata.PolicyLabels}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a root without a policy: %v", err)
	}
}
