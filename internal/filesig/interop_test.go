package filesig_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"digestlists/internal/filesig"
	"digestlists/internal/hosttest"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/xattr"
	"digestlists/parsers"
	"digestlists/parsers/rpmdb"
	"digestlists/parsers/rpmpkg"
)

const keys = "../../test/inputs/keys/"

// runner trusts the certificates of these names.
func runner(t *testing.T, root string, certs ...string) *filesig.Runner {
	t.Helper()
	at, err := inroot.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { at.Close() })
	r := &filesig.Runner{Root: at, Keys: new(imasig.Keyring), Now: time.Now(), Jobs: 2}
	for _, cert := range certs {
		data, err := os.ReadFile(keys + cert)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Keys.AddCertificate(data, cert); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// statuses is the outcome as lines of path and status.
func statuses(t *testing.T, results func(yield func(*filesig.Result, error) bool)) string {
	t.Helper()
	var text strings.Builder
	for res, err := range results {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s: %s\n", res.Path, res.Status)
	}
	return text.String()
}

func database(t *testing.T, r *filesig.Runner, root string) string {
	t.Helper()
	return statuses(t, r.Apply(t.Context(), filesig.Packaged(t.Context(), rpmdb.Source{}, parsers.Input{Root: root})))
}

const applied = `/etc/files.conf: config
/usr/bin/program: applied
/usr/lib/files/changed: applied
/usr/lib/files/empty: applied
/usr/lib/files/hard: applied
/usr/lib/files/library: applied
`

// TestApply: evmctl verifies what Apply has written, and rpm's own plug-in writes the same
// when it installs the package.
func TestApply(t *testing.T) {
	pkg := signedPackage(t, keys+"rsa2048.pem")
	plain := install(t, pkg, "--noplugins")
	plugins := imaPlugin(t)
	byPlugin := install(t, pkg, "--define", "__plugindir "+plugins, "--define", "__transaction_ima "+plugins+"/ima.so")
	r := runner(t, plain, "x509_golden.der")
	if got := database(t, r, plain); got != applied {
		t.Errorf("got\n%swant\n%s", got, applied)
	}
	for _, name := range []string{"/usr/bin/program", "/usr/lib/files/library", "/usr/lib/files/empty", "/usr/lib/files/changed"} {
		out, err := exec.Command("evmctl", "ima_verify", "--key", keys+"x509_golden.der", plain+name).CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("verification is OK")) {
			t.Errorf("evmctl %s: %v\n%s", name, err, out)
		}
		ours, err := xattr.Get(plain+name, imasig.AttributeName)
		theirs, errTheirs := xattr.Get(byPlugin+name, imasig.AttributeName)
		if err != nil || errTheirs != nil || !bytes.Equal(ours, theirs) {
			t.Errorf("%s: %x, %v, the plug-in has %x, %v", name, ours, err, theirs, errTheirs)
		}
	}
	if _, err := xattr.Get(plain+"/etc/files.conf", imasig.AttributeName); !errors.Is(err, xattr.ErrAbsent) {
		t.Errorf("the configuration was signed: %v", err)
	}
	again := strings.ReplaceAll(applied, "applied", "present")
	if got := database(t, runner(t, plain, "x509_golden.der"), plain); got != again {
		t.Errorf("the second time\n%swant\n%s", got, again)
	}
}

// Two names of a file have different signatures where the key is one of ECDSA: that of the
// first is as good, also the second time.
func TestApplyToHardLinks(t *testing.T) {
	cert := filepath.Join(t.TempDir(), "ec.der")
	hosttest.Run(t, "", "openssl", "req", "-x509", "-new", "-key", keys+"ec.pem", "-days", "30", "-subj", "/CN=ec", "-outform", "DER", "-out", cert)
	data, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pkg := signedPackage(t, keys+"ec.pem")
	root := install(t, pkg, "--noplugins")
	var before []byte
	for _, want := range []string{applied, strings.ReplaceAll(applied, "applied", "present")} {
		r := runner(t, root)
		if err := r.Keys.AddCertificate(data, "ec.der"); err != nil {
			t.Fatal(err)
		}
		if got := database(t, r, root); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
		after, err := xattr.Get(root+"/usr/lib/files/hard", imasig.AttributeName)
		if err != nil || before != nil && !bytes.Equal(before, after) {
			t.Errorf("%v, %x became %x", err, before, after)
		}
		before = after
	}
	out := hosttest.Run(t, "", "evmctl", "ima_verify", "--key", cert, root+"/usr/lib/files/library")
	if !strings.Contains(out, "verification is OK") {
		t.Error(out)
	}
}

// imaPlugin returns a folder that has none but that plug-in of rpm's.
func imaPlugin(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*/rpm-plugins/ima.so")
	if err != nil || len(found) != 1 {
		t.Fatalf("rpm's ima plug-in: %q, %v", found, err)
	}
	dir := t.TempDir()
	if err := os.Symlink(found[0], filepath.Join(dir, "ima.so")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestApplyLeavesAlone: files that are not the packaged ones, and signatures by others.
func TestApplyLeavesAlone(t *testing.T) {
	pkg := signedPackage(t, keys+"rsa2048.pem")
	root := install(t, pkg, "--noplugins")
	outside := filepath.Join(t.TempDir(), "outside")
	for _, err := range []error{
		os.WriteFile(root+"/usr/lib/files/changed", []byte("Changed\n"), 0o644),
		os.Remove(root + "/usr/lib/files/empty"),
		os.Rename(root+"/usr/bin/program", outside),
		os.Symlink(outside, root+"/usr/bin/program"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	from := func(r *filesig.Runner) string {
		in := parsers.Input{Paths: []string{pkg}}
		return statuses(t, r.Apply(t.Context(), filesig.Packaged(t.Context(), rpmpkg.Source{}, in)))
	}
	const want = `/etc/files.conf: config
/usr/bin/program: missing
/usr/lib/files/changed: changed
/usr/lib/files/empty: missing
/usr/lib/files/hard: unknown key
/usr/lib/files/library: unknown key
`
	if got := from(runner(t, root, "x509_other.der")); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	dry := runner(t, root, "x509_golden.der")
	dry.DryRun = true
	if got, want := from(dry), strings.ReplaceAll(want, "unknown key", "applied"); got != want {
		t.Errorf("dry run\n%swant\n%s", got, want)
	}
	for _, path := range []string{outside, root + "/usr/lib/files/library", root + "/usr/lib/files/changed"} {
		if _, err := xattr.Get(path, imasig.AttributeName); !errors.Is(err, xattr.ErrAbsent) {
			t.Errorf("%s was signed: %v", path, err)
		}
	}
}

// TestApplyThroughLinks: a folder may be a link in the root's own terms, and none leads out.
func TestApplyThroughLinks(t *testing.T) {
	pkg := signedPackage(t, keys+"rsa2048.pem")
	root, other := install(t, pkg, "--noplugins"), install(t, pkg, "--noplugins")
	for _, err := range []error{
		os.Rename(root+"/usr/lib", root+"/usr/lib64"),
		os.Symlink("/usr/lib64", root+"/usr/lib"),
		os.RemoveAll(root + "/usr/bin"),
		os.Symlink("../../../../../../../../.."+other+"/usr/bin", root+"/usr/bin"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r := runner(t, root, "x509_golden.der")
	if got, want := database(t, r, root), strings.Replace(applied, "program: applied", "program: missing", 1); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if _, err := xattr.Get(root+"/usr/lib64/files/library", imasig.AttributeName); err != nil {
		t.Error(err)
	}
	if _, err := xattr.Get(other+"/usr/bin/program", imasig.AttributeName); !errors.Is(err, xattr.ErrAbsent) {
		t.Errorf("a file outside of the root was signed: %v", err)
	}
}

// TestApplyRefused: a file system that is not to be written to.
func TestApplyRefused(t *testing.T) {
	pkg := signedPackage(t, keys+"rsa2048.pem")
	root := install(t, pkg, "--noplugins")
	if err := unix.Mount(root, root, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(root, 0) })
	if err := unix.Mount("", root, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	in := parsers.Input{Paths: []string{pkg}}
	for res, err := range runner(t, root, "x509_golden.der").Apply(t.Context(), filesig.Packaged(t.Context(), rpmpkg.Source{}, in)) {
		if err != nil {
			t.Fatal(err)
		}
		if res.Status == filesig.Config {
			continue
		}
		if res.Status != filesig.Refused || !errors.Is(res.Err, unix.EROFS) || res.Device == 0 {
			t.Errorf("%s: %s, %v, device %d", res.Path, res.Status, res.Err, res.Device)
		}
	}
}

// TestCheck: signatures of evmctl, in each state that one may be in.
func TestCheck(t *testing.T) {
	root := t.TempDir()
	file := func(name string, sign ...string) {
		path := filepath.Join(root, name)
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
		if sign != nil {
			hosttest.Run(t, "", "evmctl", append(sign, path)...)
		}
	}
	file("a-rsa", "ima_sign", "--key", keys+"rsa2048.pem")
	file("b-sha512", "ima_sign", "-a", "sha512", "--key", keys+"rsa2048.pem")
	file("c-hash", "ima_hash")
	file("d-none")
	file("e-changed", "ima_sign", "--key", keys+"rsa2048.pem")
	file("f-changed-hash", "ima_hash")
	file("g-other", "ima_sign", "--key", keys+"other.pem")
	file("h-malformed")
	file("h-version-1", "ima_sign", "--rsa", "--key", keys+"rsa2048.pem")
	for _, err := range []error{
		os.WriteFile(root+"/e-changed", []byte("changed"), 0o644),
		os.WriteFile(root+"/f-changed-hash", []byte("changed"), 0o644),
		xattr.Set(root+"/h-malformed", imasig.AttributeName, []byte{3, 2, 4, 0, 0, 0, 0, 1, 0}),
		os.Mkdir(root+"/i", 0o755),
		os.Symlink("../a-rsa", root+"/i/link"),
		os.WriteFile(root+"/i/none", nil, 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	const want = `/a-rsa: signed
/b-sha512: signed
/c-hash: hash only
/d-none: none
/e-changed: bad signature
/f-changed-hash: bad signature
/g-other: unknown key
/h-malformed: bad signature
/h-version-1: failed
/i/none: none
`
	r := runner(t, root, "x509_golden.der")
	if got := statuses(t, r.Check(t.Context(), filesig.Tree(r.Root, []string{root}))); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	// Links that are named lead below the root, as /bin does on many systems.
	if err := os.Symlink("/i", root+"/link"); err != nil {
		t.Fatal(err)
	}
	links := []string{root + "/link", root + "/i/link"}
	if got, want := statuses(t, r.Check(t.Context(), filesig.Tree(r.Root, links))), "/i/none: none\n/a-rsa: signed\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
