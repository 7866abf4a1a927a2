package signkey

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

	"digestlists/internal/imasig"
)

// maxKeyFile is more than any key file has, in bytes.
const maxKeyFile = 1 << 20

// Load reads a private key from a PEM file: PKCS#1 ("RSA PRIVATE KEY"), SEC 1 ("EC
// PRIVATE KEY") or PKCS#8, each of them encrypted or not. Password is only called for an
// encrypted key, and may be nil.
func Load(path string, password Password) (*Key, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(data, path, password)
}

// LoadCertificate reads the certificate of a key that signs, PEM or DER.
func LoadCertificate(path string) (*imasig.Key, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	var keys imasig.Keyring
	if err := keys.AddCertificate(data, path); err != nil {
		return nil, err
	}
	if n := len(keys.Keys()); n != 1 {
		return nil, fmt.Errorf("%s: %d certificates, want one", path, n)
	}
	return keys.Keys()[0], nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxKeyFile {
		return nil, fmt.Errorf("%s: more than %d bytes, too large for a key", path, maxKeyFile)
	}
	return data, nil
}

// Parse is Load of bytes. Name tells in messages where they are from.
func Parse(data []byte, name string, password Password) (*Key, error) {
	block, err := privateBlock(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	private, err := parseBlock(block, password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	key, err := newKey(private, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return key, nil
}

// PEM block types.
const (
	pemPKCS1     = "RSA PRIVATE KEY"
	pemSEC1      = "EC PRIVATE KEY"
	pemPKCS8     = "PRIVATE KEY"
	pemEncrypted = "ENCRYPTED PRIVATE KEY"
)

// privateBlock returns the first private key of a PEM file, which may hold
// certificates and curve parameters too.
func privateBlock(data []byte) (*pem.Block, error) {
	var first *pem.Block
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case pemPKCS1, pemSEC1, pemPKCS8, pemEncrypted:
			return block, nil
		case "DSA PRIVATE KEY", "OPENSSH PRIVATE KEY":
			return nil, fmt.Errorf("%w: %s, want RSA or EC in PKCS#1, PKCS#8 or SEC 1", ErrUnsupportedKey, block.Type)
		}
		if first == nil {
			first = block
		}
	}
	if first != nil {
		return nil, fmt.Errorf("%w: it holds %s", ErrNotPrivateKey, article(first.Type))
	}
	return nil, fmt.Errorf("%w: %s", ErrNotPrivateKey, describe(data))
}

func article(pemType string) string {
	switch pemType {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
		return "a certificate"
	case "PUBLIC KEY", "RSA PUBLIC KEY":
		return "a public key"
	}
	return fmt.Sprintf("PEM block %q", pemType)
}

// describe tells what a file without any PEM block is.
func describe(data []byte) string {
	var keys imasig.Keyring
	switch {
	case len(data) == 0:
		return "empty file"
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return "damaged PEM block"
	case keys.AddCertificate(data, "") == nil:
		return "it holds a certificate in DER"
	case keys.AddPublicKey(data, "") == nil:
		return "it holds a public key in DER"
	}
	return "no PEM block in it"
}

func parseBlock(block *pem.Block, password Password) (any, error) {
	if block.Type == pemEncrypted {
		return parseEncryptedPKCS8(block.Bytes, password)
	}
	if !legacyEncrypted(block) {
		key, err := parseDER(block.Type, block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: damaged %s: %w", ErrNotPrivateKey, block.Type, err)
		}
		return key, nil
	}
	der, err := decryptLegacy(block, password)
	if err != nil {
		return nil, err
	}
	key, err := parseDER(block.Type, der)
	if err != nil {
		// The format has only the padding to tell a wrong password by: one in 256 passes.
		return nil, ErrWrongPassword
	}
	return key, nil
}

func parseDER(pemType string, der []byte) (any, error) {
	switch pemType {
	case pemPKCS1:
		return x509.ParsePKCS1PrivateKey(der)
	case pemSEC1:
		return x509.ParseECPrivateKey(der)
	case pemPKCS8:
		return x509.ParsePKCS8PrivateKey(der)
	}
	return nil, errors.New("unknown type " + pemType)
}
