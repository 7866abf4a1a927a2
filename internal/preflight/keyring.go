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
		return one(Warning, m.Cert+": there is no certificate to sign lists with", "setup_ima_digest_lists makes one; or put yours there")
	}
	if err != nil {
		return one(Unknown, err.Error(), "")
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return one(Error, fmt.Sprintf("%s: not a certificate in DER: the kernel takes no other: %v", m.Cert, err),
			"openssl x509 -in "+m.Cert+" -outform DER -out "+m.Cert)
	}
	return append(usable(m.Cert, cert, time.Now()), trusted(m, cert)...)
}

func usable(name string, cert *x509.Certificate, now time.Time) []Finding {
	switch {
	case now.Before(cert.NotBefore):
		return one(Error, fmt.Sprintf("%s is not valid before %s: is the clock right?", name, cert.NotBefore.Format(time.DateOnly)), "timedatectl")
	case now.After(cert.NotAfter):
		return one(Error, fmt.Sprintf("%s has expired on %s", name, cert.NotAfter.Format(time.DateOnly)), "make another one, and sign the lists again")
	case len(cert.SubjectKeyId) == 0:
		return one(Error, name+" has no subject key identifier: the kernel finds keys of signatures by it", "make one with subjectKeyIdentifier=hash")
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return one(Error, name+" is not for digital signatures: some kernels refuse it", "make one with keyUsage=digitalSignature")
	}
	return one(OK, name+" is a certificate that a kernel can use", "")
}

// trusted looks for the key among those of the kernel. A key that is not loaded may be
// one that the kernel would take: if what it was signed with is there.
func trusted(m *Machine, cert *x509.Certificate) []Finding {
	f, err := os.Open(m.path("/proc/keys"))
	if err != nil {
		return one(Unknown, fmt.Sprintf("which keys the kernel trusts is not known: %v", err), "")
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
		return one(Unknown, fmt.Sprintf("/proc/keys: %v", lines.Err()), "")
	case hasOwn:
		return one(OK, "the kernel has the key of "+m.Cert, "")
	case hasIssuer:
		return one(OK, "the kernel has the key with which "+m.Cert+" is signed, and will take it", "")
	}
	return one(Warning, "the kernel has neither the key of "+m.Cert+" nor the one it is signed with: measuring does without; for appraisal "+
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
