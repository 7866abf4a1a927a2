package signkey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
)

// kinds are the keys that can be made: sizes and curves that kernels verify with.
var kinds = []struct {
	name string
	make func() (crypto.Signer, error)
}{
	{"rsa-2048", makeRSA(2048)},
	{"rsa-3072", makeRSA(3072)},
	{"rsa-4096", makeRSA(4096)},
	{"p-256", makeEC(elliptic.P256())},
	{"p-384", makeEC(elliptic.P384())},
}

func makeRSA(bits int) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, bits) }
}

func makeEC(curve elliptic.Curve) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
}

// Kinds returns the names of the keys that Generate makes.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// Generate makes a new key. Its kind is a name out of Kinds.
func Generate(kind string) (*Key, error) {
	i := slices.Index(Kinds(), kind)
	if i < 0 {
		return nil, fmt.Errorf("%w: %q, want one of %s", ErrUnsupportedKey, kind, strings.Join(Kinds(), ", "))
	}
	private, err := kinds[i].make()
	if err != nil {
		return nil, err
	}
	return newKey(private, "new key")
}

// Signer returns the private key, to sign other things than lists with.
func (k *Key) Signer() crypto.Signer { return k.private }

// MarshalPEM returns the key as PKCS#8 in PEM, encrypted unless the password is nil.
func (k *Key) MarshalPEM(password []byte) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, err
	}
	if password == nil {
		return pem.EncodeToMemory(&pem.Block{Type: pemPKCS8, Bytes: der}), nil
	}
	if der, err = encryptPKCS8(der, password); err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemEncrypted, Bytes: der}), nil
}
