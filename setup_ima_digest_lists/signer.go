package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/regular"
	"digestlists/internal/signkey"

	"github.com/urfave/cli/v2"
)

const (
	attributeName    = imasig.AttributeName
	passwordVariable = "DIGEST_LISTS_PASSWORD"
	maxCertificate   = 1 << 20 // bytes of a file with a key and certificates
)

// A signer signs lists with a key whose certificate is a list, too.
type signer struct {
	key   *signkey.Key
	trust imasig.Keyring // of the certificate alone
	der   []byte         // the certificate
	label string         // of its list
	paths [2]string      // of key and certificate
}

// newSigner returns the signer of the command line, or nil.
func newSigner(c *cli.Context) (*signer, error) {
	key, cert := c.String("key"), c.String("cert")
	switch {
	case !c.Bool("sign") && (key != "" || cert != ""):
		return nil, command.Usagef("-v and -x are for -s")
	case !c.Bool("sign"):
		return nil, nil
	case key == "" || cert == "":
		return nil, command.Usagef("-s needs a private key (-v) and its certificate (-x)")
	}
	return loadSigner(key, cert)
}

func loadSigner(key, cert string) (*signer, error) {
	s := &signer{paths: [2]string{key, cert}}
	var err error
	if s.der, err = readCertificate(cert); err != nil {
		return nil, err
	}
	if err := s.trust.AddCertificate(s.der, cert); err != nil {
		return nil, err
	}
	if s.key, err = signkey.Load(key, keyPassword(key)); err != nil {
		return nil, err
	}
	s.label = strings.TrimSuffix(filepath.Base(cert), filepath.Ext(cert)) + ".der"
	return s, s.key.UseCertificate(s.trust.Keys()[0])
}

// readCertificate returns the certificate of a file in DER: the file itself, or what
// is in it as PEM, after a private key maybe.
func readCertificate(path string) ([]byte, error) {
	data, err := regular.ReadFile(path, 0, maxCertificate)
	if err != nil {
		return nil, err
	}
	isPEM := false
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if isPEM = true; strings.HasSuffix(block.Type, "CERTIFICATE") {
			return block.Bytes, nil
		}
	}
	if isPEM {
		return nil, fmt.Errorf("%s: no certificate in it", path)
	}
	return data, nil
}

// keyPassword asks for the password of an encrypted key, unless it is in the environment.
func keyPassword(key string) signkey.Password {
	if _, set := os.LookupEnv(passwordVariable); set {
		return signkey.FromEnv(passwordVariable)
	}
	return signkey.Prompt(signkey.ControllingTerminal{}, key)
}

// sign returns the attribute that signs a list.
func (s *signer) sign(content []byte, a compact.Algorithm) ([]byte, error) {
	sig, err := imasig.Sign(content, a, s.key)
	if err != nil {
		return nil, err
	}
	return sig.Marshal(), nil
}

// addKey adds the signer's certificate to the lists, unless it is there.
func (w *work) addKey(tx *listdir.Tx) error {
	if w.signer == nil {
		return nil
	}
	for _, l := range tx.Dir().Lists() {
		if l.Type != compact.TypeKey {
			continue
		}
		content, err := tx.Dir().ReadInto(l.File, nil)
		if err != nil {
			return err
		}
		if content, _, _, err = imasig.SplitAppended(content); err != nil {
			return fmt.Errorf("%s: %w", l.File, err)
		}
		if bytes.Equal(content, w.signer.der) {
			return w.signUnsigned(tx, l)
		}
	}
	staged, err := w.stage(tx, w.signer.der)
	if err != nil {
		return err
	}
	_, err = tx.Append(listdir.Name{Type: compact.TypeKey, Label: w.signer.label}, staged)
	return err
}

// signUnsigned signs a list that has no good signature by the signer's key.
func (w *work) signUnsigned(tx *listdir.Tx, l listdir.List) error {
	if w.signer == nil {
		return nil
	}
	content, err := tx.Dir().ReadInto(l.File, nil)
	if err != nil {
		return err
	}
	found, err := imasig.Find(filepath.Join(w.dir, l.File), content)
	if err == nil {
		_, err = w.signer.trust.Open(found, time.Now())
	}
	if err == nil || errors.Is(err, imasig.ErrExpiredKey) {
		return err
	}
	if _, ok := imasig.Reason(err); !ok {
		return err
	}
	value, err := w.signer.sign(content, w.algorithm)
	if err != nil {
		return err
	}
	return tx.SetXattr(l.File, attributeName, value)
}
