package preflight

import (
	"bufio"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"digestlists/internal/regular"
	"digestlists/internal/securityfs"
)

const maxCert = 1 << 20

// keyring looks at the certificate of the lists, and whether the kernel trusts it.
func keyring(m *Machine) []Finding {
	setup := securityfs.ReadSetup(m.path(securityfs.MountPoint), m.path(securityfs.ProcMountPoint))
	return signing(m, setup.CommandLine != nil && setup.Appraises())
}

// Unappraisable is what keeps this kernel from appraising lists that are signed with the key
// of the certificate, and may make it crash if it does: errors only.
func Unappraisable(m *Machine) []Finding {
	return slices.DeleteFunc(signing(m, true), func(f Finding) bool { return f.Verdict != Error })
}

// signing looks at the certificate for a kernel that appraises lists, or for one that measures.
func signing(m *Machine, appraises bool) []Finding {
	verdict := Warning
	if appraises && choosy(m) {
		verdict = Error
	}
	der, err := regular.ReadFile(m.path(m.Cert), 0, maxCert)
	if errors.Is(err, fs.ErrNotExist) {
		return absent(m, verdict)
	}
	if err != nil {
		return m.unread(m.Cert, err, "whether a kernel can use the certificate of the lists is not known")
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return amiss(Error, fmt.Sprintf("%s: not a certificate in DER: %v", m.Cert, err), "the kernel takes no other",
			"openssl x509 -in "+m.path(m.Cert)+" -outform DER -out "+m.path(m.Cert)+", if it is in PEM; or "+m.tool("keys make --force"))
	}
	return append(usable(m, cert, time.Now()), trusted(m, cert, verdict)...)
}

// choosy reports whether the kernel has digest lists, and a keyring that takes only
// certificates that are signed by a key which it trusts.
func choosy(m *Machine) bool {
	_, err := securityfs.KernelKeyring(m.path(securityfs.ProcMountPoint), ".ima")
	return err == nil && securityfs.Check(m.path(securityfs.MountPoint)) == nil
}

// sign says how to come to a certificate that a choosy kernel takes.
func (m *Machine) sign() string {
	return "have it signed by a key in .builtin_trusted_keys or .secondary_trusted_keys (" + m.tool("keys make --ca-key KEY --ca-cert CERT") +
		" makes such a one), or enroll the key it is signed with: mokutil --import CA.der"
}

func absent(m *Machine, verdict Verdict) []Finding {
	text := m.Cert + ": there is no certificate to sign lists with"
	if verdict == Error {
		return amiss(Error, text, "one that the set-up makes is signed by nobody whom this kernel trusts: "+dangerous, m.sign())
	}
	return amiss(verdict, text, "appraisal takes signed lists only", m.tool("keys make")+", as the set-up does; or put yours there")
}

// dangerous is what comes of a certificate that the kernel does not trust.
const dangerous = "for appraisal its .ima keyring would refuse the key, and a list signed by an unknown key can crash kernel 5.10"

func usable(m *Machine, cert *x509.Certificate, now time.Time) []Finding {
	another := m.tool("keys make --force") + " makes one with all that a kernel wants: sign the lists again with it"
	switch {
	case now.Before(cert.NotBefore):
		return amiss(Error, fmt.Sprintf("%s is not valid before %s", m.Cert, cert.NotBefore.Format(time.DateOnly)),
			"the clock is behind, or the certificate is for later; no signature is good until then", "set the clock: timedatectl set-ntp true")
	case now.After(cert.NotAfter):
		return amiss(Error, fmt.Sprintf("%s has expired on %s", m.Cert, cert.NotAfter.Format(time.DateOnly)), "its signatures are no longer good", another)
	case len(cert.SubjectKeyId) == 0:
		return amiss(Error, m.Cert+" has no subject key identifier", "the kernel finds keys of signatures by it", another)
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return amiss(Error, m.Cert+" is not for digital signatures", "some kernels refuse it", another)
	}
	return fine("%s is a certificate that a kernel can use", m.Cert)
}

// trusted looks for the key among those of the kernel. A key that is not loaded may be
// one that the kernel would take: if what it was signed with is there.
func trusted(m *Machine, cert *x509.Certificate, verdict Verdict) []Finding {
	const unknown = "which keys the kernel trusts is not known"
	f, err := os.Open(m.path("/proc/keys"))
	if err != nil {
		return m.unread("/proc/keys", err, unknown)
	}
	defer f.Close()
	own, issuer := shortID(cert.SubjectKeyId), shortID(cert.AuthorityKeyId)
	var hasOwn, hasIssuer bool
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 9 || !strings.HasPrefix(fields[7], "asymmetri") {
			continue
		}
		hasOwn = hasOwn || own != "" && hasField(fields, own)
		hasIssuer = hasIssuer || issuer != "" && hasField(fields, issuer)
	}
	switch {
	case lines.Err() != nil:
		return m.unread("/proc/keys", fmt.Errorf("/proc/keys: %w", lines.Err()), unknown)
	case hasOwn:
		return fine("the kernel has the key of %s", m.Cert)
	case hasIssuer:
		return fine("the kernel has the key with which %s is signed, and will take it", m.Cert)
	}
	return amiss(verdict, "the kernel has neither the key of "+m.Cert+" nor the one it is signed with", "measuring does without; "+dangerous, m.sign())
}

// shortID is how /proc/keys names the key of a certificate: the last four bytes of its
// identifier (asymmetric_type.c, asymmetric_key_describe).
func shortID(id []byte) string {
	if len(id) < 4 {
		return ""
	}
	return hex.EncodeToString(id[len(id)-4:])
}

func hasField(fields []string, id string) bool {
	for _, f := range fields[8:] {
		if f == id {
			return true
		}
	}
	return false
}
