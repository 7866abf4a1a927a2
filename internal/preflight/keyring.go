package preflight

import (
	"bufio"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"digestlists/internal/regular"
)

const maxCert = 1 << 20

// keyring looks at the certificate of the lists, and whether the kernel trusts it.
func keyring(m *Machine) []Finding {
	der, err := regular.ReadFile(m.path(m.Cert), 0, maxCert)
	if errors.Is(err, fs.ErrNotExist) {
		return amiss(Warning, m.Cert+": there is no certificate to sign lists with", "appraisal takes signed lists only",
			m.tool("keys make")+", as the set-up does; or put yours there")
	}
	if err != nil {
		return m.unread(m.Cert, err, "whether a kernel can use the certificate of the lists is not known")
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return amiss(Error, fmt.Sprintf("%s: not a certificate in DER: %v", m.Cert, err), "the kernel takes no other",
			"openssl x509 -in "+m.path(m.Cert)+" -outform DER -out "+m.path(m.Cert)+", if it is in PEM; or "+m.tool("keys make --force"))
	}
	return append(usable(m, cert, time.Now()), trusted(m, cert)...)
}

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
func trusted(m *Machine, cert *x509.Certificate) []Finding {
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
	return amiss(Warning, "the kernel has neither the key of "+m.Cert+" nor the one it is signed with", "measuring does without; for appraisal "+
		"its .ima keyring would refuse the key, and a list signed by an unknown key can crash kernel 5.10",
		"have it signed by a key in .builtin_trusted_keys or .secondary_trusted_keys, or enroll that key: mokutil --import CA.der")
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
