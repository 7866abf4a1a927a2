package preflight

import (
	"crypto/x509"
	"os"
	"testing"
	"time"

	"digestlists/internal/certificate"
	"digestlists/internal/signkey"
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

func TestImages(t *testing.T) {
	const image = "/boot/initrd.img-5.10.0-test"
	m := good(t)
	want(t, images(m), OK, "no lists to have")
	m.copy(t, "known/0-file_list-compact-known", "/etc/ima/digest_lists/0-file_list-compact-known")
	m.write(t, image, "newer")
	want(t, images(m), OK, "not older than the lists")
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(m.path(image), long, long); err != nil {
		t.Fatal(err)
	}
	want(t, images(m), Warning, "1 initramfs images have older lists")
	m.unreadable(t, "/etc/ima/digest_lists")
	want(t, images(m), Unknown, "digest_lists")
	m.remove(t, image)
	want(t, images(m), Warning, "no initramfs was found")
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
		want(t, usable("cert", cert, now.Add(time.Hour)), verdict, text)
	}
	check(func(*x509.Certificate) {}, OK, "a kernel can use")
	check(func(c *x509.Certificate) { c.NotBefore = now.Add(48 * time.Hour) }, Error, "is the clock right?")
	check(func(c *x509.Certificate) { c.SubjectKeyId = nil }, Error, "no subject key identifier")
	check(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }, Error, "not for digital signatures")

	// One that is signed by a key of the kernel's will be taken.
	m := good(t)
	cert := parse()
	cert.AuthorityKeyId = []byte{1, 2, 0x2b, 0xd3, 0x19, 0x90}
	want(t, trusted(m, cert), OK, "the key with which ")
}
