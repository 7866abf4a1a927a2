package pgp

import (
	"bytes"
	"crypto/rsa"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"digestlists/internal/imasig"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A Key is a public key, primary or subkey, that may sign.
type Key struct {
	Name    string  // the file it is from
	Owner   string  // user id of the primary key
	ID      [8]byte // end of the fingerprint
	Created time.Time
	Expires time.Time // zero: never
	Revoked bool

	public *packet.PublicKey
}

// IDString returns the key id as 16 hexadecimal digits.
func (k *Key) IDString() string { return hex.EncodeToString(k.ID[:]) }

// A Keyring is a set of trusted keys. The zero value is empty; once filled it can be used
// by several goroutines.
type Keyring struct {
	keys []*Key
}

// Keys returns all keys in the order in which they were added.
func (r *Keyring) Keys() []*Key { return append([]*Key(nil), r.keys...) }

// Add adds the keys of a file as rpm --import takes it: any number of ASCII-armoured
// blocks with text between them, or binary packets. Name tells in messages where it
// is from. Keys that cannot be read are left out; a file without any other is an error.
func (r *Keyring) Add(data []byte, name string) error {
	if len(data) == 0 {
		return fmt.Errorf("%s: %w: empty file", name, imasig.ErrMalformed)
	}
	var keys []*Key
	var problem error
	for _, block := range split(data) {
		entities, err := block.read()
		if err != nil {
			problem = err
		}
		for _, entity := range entities {
			keys = append(keys, signingKeys(entity, name)...)
		}
	}
	if keys == nil {
		if problem == nil {
			problem = errors.New("no key in it that can sign")
		}
		return fmt.Errorf("%s: %w: not OpenPGP keys: %w", name, imasig.ErrMalformed, problem)
	}
	r.keys = append(r.keys, keys...)
	return nil
}

var armorStart = []byte("-----BEGIN PGP ")

// A block is a part of a key file that is read by itself.
type block struct {
	data    []byte
	armored bool
}

// split cuts a file before each armoured block, since the library reads only the first.
func split(data []byte) []block {
	if !bytes.Contains(data, armorStart) {
		return []block{{data, false}}
	}
	var blocks []block
	for {
		_, rest, ok := bytes.Cut(data, armorStart)
		if !ok {
			return blocks
		}
		data = rest
		end := len(rest)
		if next := bytes.Index(rest, armorStart); next >= 0 {
			end = next
		}
		blocks = append(blocks, block{append(bytes.Clone(armorStart), rest[:end]...), true})
	}
}

func (b block) read() (openpgp.EntityList, error) {
	if !b.armored {
		return openpgp.ReadKeyRing(bytes.NewReader(b.data))
	}
	decoded, err := armor.Decode(bytes.NewReader(b.data))
	if errors.Is(err, io.EOF) {
		return nil, errors.New("damaged armour")
	}
	if err != nil {
		return nil, err
	}
	if decoded.Type != openpgp.PublicKeyType {
		return nil, fmt.Errorf("it holds a %q, want a %q", decoded.Type, openpgp.PublicKeyType)
	}
	return openpgp.ReadKeyRing(decoded.Body)
}

// signingKeys returns the keys of an entity that may make signatures. The library has
// verified that the subkeys belong to it and, for those that sign, that they say so too.
func signingKeys(entity *openpgp.Entity, name string) []*Key {
	self, identity := entity.PrimarySelfSignature()
	owner := ""
	if identity != nil {
		owner = identity.Name
	}
	primary := newKey(entity.PrimaryKey, self, len(entity.Revocations) > 0)
	keys := []*Key{primary}
	for _, sub := range entity.Subkeys {
		if !sub.PublicKey.PubKeyAlgo.CanSign() || sub.Sig.FlagsValid && !sub.Sig.FlagSign {
			continue
		}
		key := newKey(sub.PublicKey, sub.Sig, primary.Revoked || len(sub.Revocations) > 0)
		// A subkey ends with its primary key.
		if !primary.Expires.IsZero() && (key.Expires.IsZero() || key.Expires.After(primary.Expires)) {
			key.Expires = primary.Expires
		}
		keys = append(keys, key)
	}
	for _, key := range keys {
		key.Name, key.Owner = name, owner
	}
	return keys
}

func newKey(public *packet.PublicKey, self *packet.Signature, revoked bool) *Key {
	key := &Key{Created: public.CreationTime, Revoked: revoked, public: public}
	binary.BigEndian.PutUint64(key.ID[:], public.KeyId)
	if self != nil && self.KeyLifetimeSecs != nil && *self.KeyLifetimeSecs != 0 {
		key.Expires = key.Created.Add(time.Duration(*self.KeyLifetimeSecs) * time.Second)
	}
	return key
}

// checkValidity returns an imasig.ErrExpiredKey for a key that is not to be used now.
func (k *Key) checkValidity(now time.Time) error {
	switch {
	case k.Revoked:
		return fmt.Errorf("%w: %s", imasig.ErrRevokedKey, k.IDString())
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return fmt.Errorf("%w: key %s was valid until %s", imasig.ErrExpiredKey, k.IDString(), k.Expires.UTC().Format(time.RFC3339))
	case now.Before(k.Created):
		return fmt.Errorf("%w: key %s is of %s", imasig.ErrNotYetValid, k.IDString(), k.Created.UTC().Format(time.RFC3339))
	}
	return nil
}

// rsaKey returns the key if it is an RSA key.
func (k *Key) rsaKey() (*rsa.PublicKey, bool) {
	key, ok := k.public.PublicKey.(*rsa.PublicKey)
	return key, ok
}
