package preflight

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/internal/certificate"
	"digestlists/internal/hosttest"
	"digestlists/internal/signkey"
	"digestlists/internal/xattr"
)

func TestFileSystems(t *testing.T) {
	m := good(t)
	want(t, fileSystems(m), OK, "keep attributes and notice changes")
	m.write(t, "/proc/mounts", "/dev/vda1 / ext4 rw,relatime 0 0\n")
	want(t, fileSystems(m), Warning, "/ (ext4) is mounted without i_version")
	m.write(t, "/proc/sys/kernel/osrelease", "6.1.0\n")
	want(t, fileSystems(m), OK, "keep attributes and notice changes")
	// Of what every machine has, proc keeps no attributes.
	want(t, mount(&Machine{Root: "/proc"}, "/", "proc", "rw"), Error, "/ (proc) keeps no security attributes")
	m.remove(t, "/proc/mounts")
	want(t, fileSystems(m), Unknown, "file systems are not known")
}

func TestBudget(t *testing.T) {
	const list = "/etc/ima/digest_lists/0-file_list-compact-known"
	m := good(t)
	want(t, budget(m), OK, "there are no lists yet")
	m.copy(t, "known/0-file_list-compact-known", list)
	want(t, budget(m), OK, "1 lists take ")
	m.write(t, "/proc/cmdline", "ima_digest_db_size=1")
	want(t, budget(m), Error, "those that come last have no room")
	m.write(t, "/proc/cmdline", "ima_digest_db_size=much")
	want(t, budget(m), Error, "ima_digest_db_size")
	m.remove(t, "/proc/cmdline")
	m.write(t, list, "\x01\x00cut")
	want(t, budget(m), Error, "0-file_list-compact-known")
	m.unreadable(t, "/etc/ima/digest_lists")
	want(t, budget(m), Unknown, "digest_lists")
}

// makeImage makes an image of what is there now, after a change to it.
func makeImage(t *testing.T, m *Machine, image, change string) {
	t.Helper()
	script, err := filepath.Abs("../../initramfs/build.sh")
	if err != nil {
		t.Fatal(err)
	}
	hosttest.Shell(t, t.TempDir(), ". "+script+"; mkdir tree; digestlists_collect "+m.Root+" $PWD/tree; cd tree; "+change+`
		find . -print0 | cpio -0 -o -H newc --quiet | zstd >`+m.path(image))
}

func TestImages(t *testing.T) {
	const (
		image = "/boot/initrd.img-5.10.0-test"
		list  = "/etc/ima/digest_lists/0-file_list-compact-known"
	)
	m := good(t)
	want(t, images(m), OK, "no lists to have")
	m.copy(t, "known/0-file_list-compact-known", list)
	m.write(t, "/usr/bin/upload_digest_lists", "uploader")
	m.write(t, "/etc/ima/ima-policy", "policy")
	want(t, images(m), Error, "the image cannot be read: "+m.path(image))
	if err := xattr.Set(m.path(list), "security.ima", []byte("\x03\x02")); err != nil {
		t.Fatal(err)
	}
	makeImage(t, m, image, ":")
	want(t, images(m), OK, "has the uploader, the certificates, the policy and the 1 lists that are here now, with their signatures")
	for change, text := range map[string]string{
		"rm usr/bin/upload*":                         "loads no list: not in it: usr/bin/upload_digest_lists",
		"rm -r etc/ima/digest_lists":                 "loads no list: not in it: etc/ima/digest_lists/0-file_list-compact-known",
		"rm etc/ima/digest_lists.attributes":         "has no signatures of some lists, or older ones: without the signature of here: etc/ima/digest_lists/0-file_list-compact-known: appraisal would refuse these lists",
		"rm etc/ima/ima-policy":                      "is older than the system: not in it: etc/ima/ima-policy",
		"rm etc/keys/*; echo x >>etc/ima/ima-policy": "is older than the system: not in it: etc/keys/x509_ima.der; another one in it: etc/ima/ima-policy",
		"cd etc/ima/digest_lists; for i in 1 2; do cp 0-* $i-file_list-x-y; done; cd ../../..": "is older than the system: no longer here: etc/ima/digest_lists/1-file_list-x-y and 1 more",
	} {
		makeImage(t, m, image, change)
		want(t, images(m), Warning, text)
	}

	// Where the kernel is going to ask for lists, an image without them is no small matter.
	makeImage(t, m, image, "rm usr/bin/upload*")
	m.write(t, "/proc/cmdline", "ima_appraise=log ima_appraise_digest_list=digest")
	want(t, images(m), Error, "loads no list")
	m.write(t, "/proc/cmdline", "quiet")
	want(t, images(m), Warning, "loads no list")
	m.write(t, "/boot/loader/entries/x.conf", "initrd /initrd.img-5.10.0-test\n")
	m.write(t, "/boot/loader/entries/x~digestlists-log.conf", "# digest lists: ima_appraise_digest_list=digest\ninitrd /initrd.img-5.10.0-test\n")
	want(t, images(m), Error, "loads no list")
	m.write(t, "/boot/loader/entries/x~digestlists-log.conf", "initrd /initrd.img-6 /initrd.img-5.10.0-test\n")
	want(t, images(m), Error, "a boot entry for digest lists has the image /initrd.img-6, which is not there")

	m.unreadable(t, "/etc/ima/digest_lists")
	want(t, images(m), Unknown, "digest_lists")
	m.remove(t, "/boot")
	want(t, images(m), Warning, "no initramfs was found")
}

// The command that mends an image is of use only where the hook is that puts lists into it.
func TestRebuildCommand(t *testing.T) {
	m := good(t)
	m.write(t, "/usr/lib/modules/1/modules.dep", "")
	m.write(t, "/lib/modules/1/modules.dep", "")
	m.write(t, "/usr/sbin/dracut", "")
	if err := os.Chmod(m.path("/usr/sbin/dracut"), 0o755); err != nil {
		t.Fatal(err)
	}
	const command = "/usr/sbin/dracut --force --kver 1"
	if got := rebuildCommand(m); !strings.HasPrefix(got, "install the hook ") || !strings.HasSuffix(got, ", then "+command) {
		t.Error(got)
	}
	m.write(t, "/usr/lib/dracut/modules.d/98digestlist/module-setup.sh", "")
	if got := rebuildCommand(m); got != command {
		t.Error(got)
	}
}

func TestPackages(t *testing.T) {
	const db = "/var/lib/rpm/rpmdb.sqlite"
	m := good(t)
	want(t, packages(m), OK, "there is no RPM database")
	m.copy(t, "db/sqlite/rpmdb.sqlite", db)
	want(t, packages(m), Warning, "packages have digests of another algorithm")
	if got := compareHash(map[uint32]int{8: 5}, "sha256"); got[0].Verdict != OK {
		t.Errorf("%+v", got)
	}
	future := time.Now().Add(time.Hour)
	if err := os.Chtimes(m.path(db), future, future); err != nil {
		t.Fatal(err)
	}
	want(t, packages(m), Error, "the clock says ")
	m.write(t, db, "no database")
	want(t, packages(m), Error, "the RPM database cannot be read")
	want(t, compareHash(map[uint32]int{2: 1, 8: 5, 10: 2}, "sha1"), Warning, "7 of 8 packages have digests of another algorithm (sha256) than the kernel's (sha1)")
	m.unreadable(t, "/var/lib/rpm")
	want(t, packages(m), Unknown, "rpm")
}

func TestTrouble(t *testing.T) {
	m := good(t)
	want(t, trouble(m), OK, "no program is known")
	m.write(t, "/usr/sbin/plymouthd", "")
	want(t, trouble(m), Warning, "plymouth copies files into the initramfs")
	m.write(t, "/proc/7/comm", "gjs\n")
	m.write(t, "/proc/7/maps", "1000-2000 rwxp 00000000 00:00 1 /var/tmp/ffi (deleted)\n")
	want(t, trouble(m), Warning, "gjs (/var/tmp/ffi)")
	m.unreadable(t, "/usr/sbin/plymouthd")
	want(t, trouble(m), Warning, "plymouth copies files") // a link is a file that is there
	m.unreadable(t, "/usr/sbin")
	want(t, trouble(m), Unknown, "whether plymouth copies files")
}

func TestKeyring(t *testing.T) {
	m := good(t)
	want(t, keyring(m), OK, "a certificate that a kernel can use")
	want(t, keyring(m), OK, "the kernel has the key of ")
	m.write(t, "/proc/keys", "")
	want(t, keyring(m), Warning, "the kernel has neither the key of ")
	m.remove(t, "/proc/keys")
	want(t, keyring(m), Unknown, "which keys the kernel trusts is not known")
	m.copy(t, "keys/expired.der", DefaultCert)
	want(t, keyring(m), Error, "has expired on 2021-01-01")
	m.write(t, DefaultCert, "-----BEGIN CERTIFICATE-----\n")
	want(t, keyring(m), Error, "not a certificate in DER")
	m.unreadable(t, DefaultCert)
	want(t, keyring(m), Unknown, "x509_ima.der")
	m.remove(t, DefaultCert)
	want(t, keyring(m), Warning, "there is no certificate")
}

func TestCertificate(t *testing.T) {
	now := time.Now()
	key, err := signkey.Generate("p-256")
	if err != nil {
		t.Fatal(err)
	}
	der, err := certificate.Make(key, "lists", now, 30, nil)
	if err != nil {
		t.Fatal(err)
	}
	parse := func() *x509.Certificate {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	check := func(change func(*x509.Certificate), verdict Verdict, text string) {
		t.Helper()
		cert := parse()
		change(cert)
		want(t, usable(&Machine{Cert: "cert"}, cert, now.Add(time.Hour)), verdict, text)
	}
	check(func(*x509.Certificate) {}, OK, "a kernel can use")
	check(func(c *x509.Certificate) { c.NotBefore = now.Add(48 * time.Hour) }, Error, "the clock is behind")
	check(func(c *x509.Certificate) { c.SubjectKeyId = nil }, Error, "no subject key identifier")
	check(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }, Error, "not for digital signatures")

	// One that is signed by a key of the kernel's will be taken.
	m := good(t)
	cert := parse()
	cert.AuthorityKeyId = []byte{1, 2, 0x2b, 0xd3, 0x19, 0x90}
	want(t, trusted(m, cert, Warning), OK, "the key with which ")
}

// With digest lists, to appraise by a certificate that the kernel does not trust makes some
// kernels crash: that is an error, and a warning where files are only measured.
func TestUntrusted(t *testing.T) {
	const none = "1 I--Q--- 1 perm 1f3f0000 0 0 keyring .ima: empty\n"
	m := good(t)
	if found := Unappraisable(m); len(found) > 0 {
		t.Errorf("with a trusted certificate: %v", found)
	}
	m.write(t, "/proc/keys", none)
	want(t, keyring(m), Warning, "the kernel has neither the key of ")
	want(t, Unappraisable(m), Error, "the kernel has neither the key of ")
	m.write(t, "/proc/cmdline", "ima_policy=appraise_exec_tcb ima_appraise_digest_list=digest\n")
	m.remove(t, "/sys/kernel/security/ima/policy")
	want(t, keyring(m), Error, "the kernel has neither the key of ")
	m.remove(t, DefaultCert)
	want(t, keyring(m), Error, "there is no certificate")

	// A kernel without that keyring takes any key, and one without digest lists reads no list.
	m.write(t, "/proc/keys", "")
	want(t, keyring(m), Warning, "there is no certificate")
	m.write(t, "/proc/keys", none)
	m.remove(t, "/sys/kernel/security/ima/digest_list_data")
	want(t, keyring(m), Warning, "there is no certificate")
	if found := Unappraisable(m); len(found) > 0 {
		t.Errorf("without digest lists: %v", found)
	}
}
