package signkey

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidAES256CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

// What new keys are encrypted with. OpenSSL reads such keys, and so does Linux's
// sign-file; scrypt is not in every build of either.
const (
	newIterations = 600_000
	newSalt       = 16 // bytes
)

// encryptPKCS8 returns an EncryptedPrivateKeyInfo: PBES2 with PBKDF2, HMAC-SHA256 and
// AES-256 in CBC mode (RFC 8018).
func encryptPKCS8(plain, password []byte) ([]byte, error) {
	if len(password) == 0 {
		return nil, errors.New("empty password")
	}
	var random [newSalt + aes.BlockSize]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	salt, iv := random[:newSalt], random[newSalt:]
	secret, err := pbkdf2.Key(sha256.New, string(password), salt, newIterations, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	data := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
	return marshalEncrypted(salt, iv, data)
}

func marshalEncrypted(salt, iv, data []byte) ([]byte, error) {
	var b cryptobyte.Builder
	sequence := func(b *cryptobyte.Builder, fill cryptobyte.BuilderContinuation) { b.AddASN1(casn1.SEQUENCE, fill) }
	derivation := func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidPBKDF2)
		sequence(b, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(salt)
			b.AddASN1Int64(newIterations)
			sequence(b, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidHMACSHA256)
				b.AddASN1NULL()
			})
		})
	}
	encryption := func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidAES256CBC)
		b.AddASN1OctetString(iv)
	}
	sequence(&b, func(b *cryptobyte.Builder) {
		sequence(b, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidPBES2)
			sequence(b, func(b *cryptobyte.Builder) {
				sequence(b, derivation)
				sequence(b, encryption)
			})
		})
		b.AddASN1OctetString(data)
	})
	return b.Bytes()
}
