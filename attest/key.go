package attest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"

	"digestlists/compact"
	"digestlists/internal/hashes"

	"github.com/google/go-tpm/tpm2"
)

// An AttestationKey is the public part of the key that a TPM signs quotes with. Whoever
// passes it in has made sure that it is the key of that machine's TPM.
type AttestationKey struct {
	public crypto.PublicKey // *rsa.PublicKey or *ecdsa.PublicKey
}

// ParseAttestationKey reads a key in PEM (PUBLIC KEY), as tpm2_readpublic writes it with
// -f pem, in DER, or as a TPM2B_PUBLIC.
//
// A TPM2B_PUBLIC says what the TPM does with the key. One that may sign other things
// than what the TPM itself has made could sign a forged quote, and is ErrKey. So is a key that
// is neither RSA nor ECDSA; what is no key at all is ErrMalformed.
func ParseAttestationKey(data []byte) (*AttestationKey, error) {
	if block, rest := pem.Decode(data); block != nil {
		if block.Type != "PUBLIC KEY" || len(strings.TrimSpace(string(rest))) > 0 {
			return nil, fmt.Errorf("%w: PEM block %q with %d bytes after it, want one PUBLIC KEY", ErrMalformed, block.Type, len(rest))
		}
		return parseKeyDER(block.Bytes)
	}
	if len(data) > 2 && int(binary.BigEndian.Uint16(data)) == len(data)-2 {
		return parseTPMKey(data)
	}
	return parseKeyDER(data)
}

func parseKeyDER(der []byte) (*AttestationKey, error) {
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: neither a public key in PEM or DER nor a TPM2B_PUBLIC: %w", ErrMalformed, err)
	}
	return newKey(public)
}

func newKey(public crypto.PublicKey) (*AttestationKey, error) {
	switch public.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return &AttestationKey{public}, nil
	}
	return nil, fmt.Errorf("%w: a key of type %T, want RSA or ECDSA", ErrKey, public)
}

func parseTPMKey(data []byte) (*AttestationKey, error) {
	area, err := unmarshal[tpm2.TPMTPublic](data[2:])
	if err != nil {
		return nil, err
	}
	if a := area.ObjectAttributes; !a.Restricted || !a.SignEncrypt || a.Decrypt || !a.FixedTPM {
		return nil, fmt.Errorf("%w: the TPM does not keep it to signing what it has made itself (fixedtpm, restricted, sign)", ErrKey)
	}
	public, err := tpm2.Pub(*area)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return newKey(public)
}

// signature is a TPMT_SIGNATURE.
type signature struct {
	scheme tpm2.TPMAlgID
	hash   compact.Algorithm
	rsa    []byte
	r, s   []byte
}

func (s *signature) name() string {
	names := map[tpm2.TPMAlgID]string{tpm2.TPMAlgRSASSA: "rsassa", tpm2.TPMAlgRSAPSS: "rsapss", tpm2.TPMAlgECDSA: "ecdsa"}
	return names[s.scheme] + "-" + s.hash.String()
}

func parseSignature(data []byte) (*signature, error) {
	parsed, err := unmarshal[tpm2.TPMTSignature](data)
	if err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	sig := &signature{scheme: parsed.SigAlg}
	var hash tpm2.TPMIAlgHash
	switch parsed.SigAlg {
	case tpm2.TPMAlgRSASSA, tpm2.TPMAlgRSAPSS:
		of := parsed.Signature.RSASSA
		if parsed.SigAlg == tpm2.TPMAlgRSAPSS {
			of = parsed.Signature.RSAPSS
		}
		rsa, err := of()
		if err != nil {
			return nil, fmt.Errorf("signature: %w: %w", ErrMalformed, err)
		}
		hash, sig.rsa = rsa.Hash, rsa.Sig.Buffer
	case tpm2.TPMAlgECDSA:
		ecc, err := parsed.Signature.ECDSA()
		if err != nil {
			return nil, fmt.Errorf("signature: %w: %w", ErrMalformed, err)
		}
		hash, sig.r, sig.s = ecc.Hash, ecc.SignatureR.Buffer, ecc.SignatureS.Buffer
	default:
		return nil, fmt.Errorf("signature: %w: scheme %#04x, want RSASSA, RSAPSS or ECDSA", compact.ErrUnsupportedAlgorithm, uint16(parsed.SigAlg))
	}
	if sig.hash, err = tpmAlgorithm(hash); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	return sig, nil
}

func (k *AttestationKey) verify(sig *signature, digest []byte) error {
	hash, ok := hashes.CryptoHash(sig.hash)
	if !ok {
		return fmt.Errorf("signature: %w: %s", compact.ErrUnsupportedAlgorithm, sig.hash)
	}
	var err error
	switch key := k.public.(type) {
	case *rsa.PublicKey:
		switch sig.scheme {
		case tpm2.TPMAlgRSASSA:
			err = rsa.VerifyPKCS1v15(key, hash, digest, sig.rsa)
		case tpm2.TPMAlgRSAPSS:
			err = rsa.VerifyPSS(key, hash, digest, sig.rsa, nil)
		default:
			return fmt.Errorf("%w: made with %s, the key is an RSA key", ErrSignature, sig.name())
		}
	case *ecdsa.PublicKey:
		if sig.scheme != tpm2.TPMAlgECDSA {
			return fmt.Errorf("%w: made with %s, the key is an ECDSA key", ErrSignature, sig.name())
		}
		if !ecdsa.Verify(key, digest, new(big.Int).SetBytes(sig.r), new(big.Int).SetBytes(sig.s)) {
			err = ErrSignature
		}
	}
	if err != nil {
		return fmt.Errorf("%w: the key did not sign this quote", ErrSignature)
	}
	return nil
}
