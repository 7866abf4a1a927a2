package signkey

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// get asks for the password of an encrypted key.
func (p Password) get() ([]byte, error) {
	if p == nil {
		return nil, ErrNeedPassword
	}
	return p()
}

// legacyEncrypted reports whether a block is encrypted as RFC 1423 has it, with the
// header DEK-Info, as openssl still writes PKCS#1 and SEC 1 keys.
func legacyEncrypted(block *pem.Block) bool {
	//lint:ignore SA1019 existing keys are in this format
	return x509.IsEncryptedPEMBlock(block)
}

func decryptLegacy(block *pem.Block, password Password) ([]byte, error) {
	secret, err := password.get()
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 existing keys are in this format
	der, err := x509.DecryptPEMBlock(block, secret)
	if errors.Is(err, x509.IncorrectPasswordError) {
		return nil, ErrWrongPassword
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupportedKey, err)
	}
	return der, nil
}

// parseEncryptedPKCS8 asks for the password only once the rest is known to be good.
func parseEncryptedPKCS8(der []byte, password Password) (any, error) {
	key, err := parseEncrypted(der)
	if err != nil {
		return nil, err
	}
	secret, err := password.get()
	if err != nil {
		return nil, err
	}
	return key.decrypt(secret)
}
