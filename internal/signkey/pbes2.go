package signkey

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/scrypt"
)

// Encrypted PKCS#8 keys (RFC 5958 section 3) with PBES2 (RFC 8018 section 6.2), as openssl
// makes them: a key derived from the password by PBKDF2 or scrypt (RFC 7914), then a
// block cipher in CBC mode. The older PBES1 with DES and RC2 is not read.

// What a file may ask for before it is refused: deriving the key is costly on purpose.
const (
	maxIterations   = 5_000_000
	maxScryptMemory = 256 << 20 // bytes, over all lanes
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
)

var pbes2Hashes = map[string]func() hash.Hash{
	"1.2.840.113549.2.7":  sha1.New,
	"1.2.840.113549.2.8":  sha256.New224,
	"1.2.840.113549.2.9":  sha256.New,
	"1.2.840.113549.2.10": sha512.New384,
	"1.2.840.113549.2.11": sha512.New,
}

type blockCipher struct {
	keySize int // bytes
	make    func(key []byte) (cipher.Block, error)
}

var pbes2Ciphers = map[string]blockCipher{
	"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
	"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
	"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
	"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
}

// An encryptedKey is a key that only a password is missing for.
type encryptedKey struct {
	derive func(password []byte, size int) ([]byte, error)
	cipher blockCipher
	iv     []byte
	data   []byte
}

var errNotEncryptedKey = fmt.Errorf("%w: damaged %s", ErrNotPrivateKey, pemEncrypted)

// parseEncrypted reads an EncryptedPrivateKeyInfo.
func parseEncrypted(der []byte) (*encryptedKey, error) {
	input := cryptobyte.String(der)
	var info, algorithm, parameters, data cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !input.ReadASN1(&info, casn1.SEQUENCE) || !input.Empty() ||
		!info.ReadASN1(&algorithm, casn1.SEQUENCE) || !info.ReadASN1(&data, casn1.OCTET_STRING) || !info.Empty() ||
		!algorithm.ReadASN1ObjectIdentifier(&oid) {
		return nil, errNotEncryptedKey
	}
	if !oid.Equal(oidPBES2) {
		return nil, fmt.Errorf("%w: encrypted with scheme %s, want PBES2 (openssl pkcs8 -topk8 -v2 aes-256-cbc)", ErrUnsupportedKey, oid)
	}
	if !algorithm.ReadASN1(&parameters, casn1.SEQUENCE) || !algorithm.Empty() {
		return nil, errNotEncryptedKey
	}
	key := &encryptedKey{data: data}
	if err := key.parseDerivation(&parameters); err != nil {
		return nil, err
	}
	if err := key.parseCipher(&parameters); err != nil {
		return nil, err
	}
	if !parameters.Empty() {
		return nil, errNotEncryptedKey
	}
	return key, nil
}

func (k *encryptedKey) parseDerivation(in *cryptobyte.String) error {
	var function, parameters cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&function, casn1.SEQUENCE) || !function.ReadASN1ObjectIdentifier(&oid) ||
		!function.ReadASN1(&parameters, casn1.SEQUENCE) || !function.Empty() {
		return errNotEncryptedKey
	}
	switch {
	case oid.Equal(oidPBKDF2):
		return k.parsePBKDF2(parameters)
	case oid.Equal(oidScrypt):
		return k.parseScrypt(parameters)
	}
	return fmt.Errorf("%w: encrypted with key derivation %s, want PBKDF2 or scrypt", ErrUnsupportedKey, oid)
}

// parsePBKDF2 reads PBKDF2-params; the key length that they may state is that of the
// cipher anyway.
func (k *encryptedKey) parsePBKDF2(in cryptobyte.String) error {
	var salt, function cryptobyte.String
	var iterations uint64
	if !in.ReadASN1(&salt, casn1.OCTET_STRING) || !in.ReadASN1Integer(&iterations) || !in.SkipOptionalASN1(casn1.INTEGER) {
		return errNotEncryptedKey
	}
	if iterations == 0 || iterations > maxIterations {
		return fmt.Errorf("%w: %d iterations of PBKDF2, want 1 to %d", ErrUnsupportedKey, iterations, maxIterations)
	}
	newHash := sha1.New // the default
	if !in.Empty() {
		var oid asn1.ObjectIdentifier
		if !in.ReadASN1(&function, casn1.SEQUENCE) || !in.Empty() || !function.ReadASN1ObjectIdentifier(&oid) {
			return errNotEncryptedKey
		}
		if newHash = pbes2Hashes[oid.String()]; newHash == nil {
			return fmt.Errorf("%w: PBKDF2 with %s, want HMAC with SHA-1 or SHA-2", ErrUnsupportedKey, oid)
		}
	}
	k.derive = func(password []byte, size int) ([]byte, error) {
		return pbkdf2.Key(newHash, string(password), salt, int(iterations), size)
	}
	return nil
}

// parseScrypt reads scrypt-params.
func (k *encryptedKey) parseScrypt(in cryptobyte.String) error {
	var salt cryptobyte.String
	var cost, blockSize, lanes uint64
	if !in.ReadASN1(&salt, casn1.OCTET_STRING) || !in.ReadASN1Integer(&cost) ||
		!in.ReadASN1Integer(&blockSize) || !in.ReadASN1Integer(&lanes) {
		return errNotEncryptedKey
	}
	const limit = maxScryptMemory / 128
	if cost < 2 || cost&(cost-1) != 0 || blockSize == 0 || lanes == 0 ||
		cost > limit || blockSize > limit/cost || lanes > limit/(cost*blockSize) {
		return fmt.Errorf("%w: scrypt with cost %d, block size %d, parallelization %d; want at most %d MiB",
			ErrUnsupportedKey, cost, blockSize, lanes, maxScryptMemory>>20)
	}
	k.derive = func(password []byte, size int) ([]byte, error) {
		return scrypt.Key(password, salt, int(cost), int(blockSize), int(lanes), size)
	}
	return nil
}

// parseCipher reads the encryption scheme, whose parameter is the IV, and checks that
// the data is what it can have made: crypto/cipher panics otherwise.
func (k *encryptedKey) parseCipher(in *cryptobyte.String) error {
	var scheme, iv cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&scheme, casn1.SEQUENCE) || !scheme.ReadASN1ObjectIdentifier(&oid) {
		return errNotEncryptedKey
	}
	var ok bool
	if k.cipher, ok = pbes2Ciphers[oid.String()]; !ok {
		return fmt.Errorf("%w: encrypted with cipher %s, want AES or triple DES in CBC mode", ErrUnsupportedKey, oid)
	}
	block, err := k.cipher.make(make([]byte, k.cipher.keySize))
	if err != nil {
		return err
	}
	if !scheme.ReadASN1(&iv, casn1.OCTET_STRING) || !scheme.Empty() || len(iv) != block.BlockSize() ||
		len(k.data) == 0 || len(k.data)%block.BlockSize() != 0 {
		return errNotEncryptedKey
	}
	k.iv = iv
	return nil
}

// decrypt returns the key. A wrong password shows in the padding, or else in what
// is not a key.
func (k *encryptedKey) decrypt(password []byte) (any, error) {
	secret, err := k.derive(password, k.cipher.keySize)
	if err != nil {
		return nil, err
	}
	block, err := k.cipher.make(secret)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(k.data))
	cipher.NewCBCDecrypter(block, k.iv).CryptBlocks(plain, k.data)
	plain, ok := unpad(plain, block.BlockSize())
	if !ok {
		return nil, ErrWrongPassword
	}
	key, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, ErrWrongPassword
	}
	return key, nil
}

// unpad removes 1 to blockSize bytes that each say how many they are.
func unpad(plain []byte, blockSize int) ([]byte, bool) {
	n := int(plain[len(plain)-1])
	if n == 0 || n > blockSize {
		return nil, false
	}
	for _, b := range plain[len(plain)-n:] {
		if int(b) != n {
			return nil, false
		}
	}
	return plain[:len(plain)-n], true
}
