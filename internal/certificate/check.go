package certificate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"time"
)

// A Finding is something about a certificate that keeps it, or may keep it, from being
// of use to a kernel.
type Finding struct {
	Bad  bool // a kernel, or these tools, refuse it for that; else it is to be known
	Text string
}

// A Kernel is what a certificate is for.
type Kernel struct {
	// Config has options that the kernel was built with or without, such as
	// CRYPTO_ECDSA; those left out are not known, and refuse nothing.
	Config map[string]bool
	// Trusts has the identifiers of the keys by one of which the certificate must be
	// signed; nil if the kernel's IMA keyring takes any.
	Trusts [][]byte
}

// Check returns what is to be said of a certificate. It asks for what Linux 6.6 does,
// where the keyrings .ima and .evm take only keys that are for signatures: kernels
// before ask for less.
func Check(cert *x509.Certificate, k *Kernel, now time.Time) (findings []Finding) {
	bad := func(format string, args ...any) {
		findings = append(findings, Finding{true, fmt.Sprintf(format, args...)})
	}
	note := func(format string, args ...any) {
		findings = append(findings, Finding{false, fmt.Sprintf(format, args...)})
	}
	checkKey(cert, k, bad, note)
	checkAlgorithm(cert, bad, note)
	switch {
	case now.After(cert.NotAfter):
		bad("it was valid until %s: kernels do not look at that, these tools and evmctl do", cert.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(cert.NotBefore):
		bad("it is valid from %s on: kernels do not look at that, these tools and evmctl do", cert.NotBefore.UTC().Format(time.RFC3339))
	}
	checkIdentifier(cert, bad, note)
	if cert.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		bad("its key usage has no digitalSignature, which newer kernels ask for")
	}
	if cert.IsCA || cert.KeyUsage&x509.KeyUsageCertSign != 0 {
		bad("it is that of a CA, which the keyrings .ima and .evm of newer kernels do not take")
	}
	checkTrust(cert, k, bad)
	return findings
}

type report = func(format string, args ...any)

func checkKey(cert *x509.Certificate, k *Kernel, bad, note report) {
	switch pub := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := pub.N.BitLen(); n < 2048 {
			note("an RSA key of %d bits is weak, want 2048", n)
		}
	case *ecdsa.PublicKey:
		if ecdsa, known := k.Config["CRYPTO_ECDSA"]; known && !ecdsa {
			bad("an EC key: the kernel is built without CRYPTO_ECDSA")
		}
		switch pub.Curve {
		case elliptic.P256(), elliptic.P384():
			note("an EC key: Linux verifies with such keys since 5.13, if built with CRYPTO_ECDSA")
		case elliptic.P521():
			note("a P-521 key: Linux has this curve since 6.10")
		default:
			bad("an EC key on %s, want P-256 or P-384", pub.Params().Name)
		}
	default:
		bad("a key of type %s, want RSA or EC", cert.PublicKeyAlgorithm)
	}
}

func checkAlgorithm(cert *x509.Certificate, bad, note report) {
	switch cert.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.ECDSAWithSHA256, x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA512WithRSA, x509.ECDSAWithSHA512:
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		note("it is signed with SHA-1, which some kernels refuse")
	case x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
		bad("it is signed with RSA-PSS, which kernels do not verify")
	case x509.UnknownSignatureAlgorithm:
		bad("it is signed in a way that kernels do not verify, want RSA (PKCS #1 v1.5) or ECDSA with SHA-2")
	default:
		bad("it is signed with %s, which kernels do not verify", cert.SignatureAlgorithm)
	}
}

// checkIdentifier looks at what signatures name the key by.
func checkIdentifier(cert *x509.Certificate, bad, note report) {
	if len(cert.SubjectKeyId) < 4 {
		bad("no subject key identifier of 4 bytes or more: kernels do not find the key that a signature names")
		return
	}
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(cert.RawSubjectPublicKeyInfo, &info); err != nil {
		bad("%v", err)
		return
	}
	if sum := sha1.Sum(info.Key.Bytes); !bytes.Equal(sum[16:], cert.SubjectKeyId[len(cert.SubjectKeyId)-4:]) {
		note("its key identifier is not the SHA-1 of the key: give the certificate to whatever signs")
	}
}

// checkTrust looks for the key that signed the certificate.
func checkTrust(cert *x509.Certificate, k *Kernel, bad report) {
	if k.Trusts == nil {
		return
	}
	for _, id := range k.Trusts {
		if len(id) > 0 && bytes.Equal(id, cert.AuthorityKeyId) {
			return
		}
	}
	if len(cert.AuthorityKeyId) == 0 {
		bad("no authority key identifier: the kernel does not find the key that signed it")
		return
	}
	bad("the kernel does not trust the key that signed it, %x (%s)", cert.AuthorityKeyId, cert.Issuer)
}
