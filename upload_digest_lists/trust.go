package main

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"digestlists/compact"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/regular"
	"digestlists/parsers/compactlist"
)

// defaultCertificate is what the kernel loads into its own keyring at boot.
const defaultCertificate = "/etc/keys/x509_ima.der"

const maxCertificate = 1 << 20 // bytes

// trust is the certificates with which lists must be signed. A nil one asks for no
// signatures.
type trust struct {
	keys  imasig.Keyring
	files [][]byte
	// all is set if the certificates were named: each list must be signed then.
	// Otherwise, what the kernel does not read itself need not be: a vendor may have
	// signed it with a key that the kernel knows from elsewhere.
	all bool
}

// loadTrust reads the named certificates, or else the default one where it is
// wanted and there.
func loadTrust(named []string, orDefault bool) (*trust, error) {
	t := &trust{all: len(named) > 0}
	for _, path := range named {
		if err := t.add(path); err != nil {
			return nil, err
		}
	}
	if t.all {
		return t, nil
	}
	if !orDefault {
		return nil, nil
	}
	err := t.add(defaultCertificate)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return t, err
}

func (t *trust) add(path string) error {
	data, err := regular.ReadFile(path, 0, maxCertificate)
	if err != nil {
		return err
	}
	t.files = append(t.files, data)
	return t.keys.AddCertificate(data, path)
}

// learn adds a certificate that the kernel has taken: it takes lists with signatures of its
// key, unless only those of named certificates are wanted.
func (t *trust) learn(certificate []byte, name string) error {
	if t == nil || t.all {
		return nil
	}
	return t.keys.AddCertificate(certificate, name)
}

// check refuses a list of the directory that is not signed as it has to be. Validity
// periods of certificates do not matter: the kernel does not look at them, and at
// boot the clock may not be set.
func (t *trust) check(dir string, l listdir.List, content []byte) error {
	if t == nil {
		return nil
	}
	if l.Type == compact.TypeKey && (!t.all || t.contains(content)) {
		return nil // the kernel has rules of its own for keys
	}
	found, err := imasig.Find(filepath.Join(dir, l.File), content)
	if err == nil {
		_, err = t.keys.Open(found, time.Now())
	}
	var unknown *imasig.UnknownKeyError
	switch {
	case errors.Is(err, imasig.ErrExpiredKey): // of a good signature
		return nil
	case !t.mustBeSigned(l) && (errors.Is(err, imasig.ErrNoSignature) || errors.As(err, &unknown)):
		return nil
	}
	return err
}

// mustBeSigned is true for lists that the kernel reads itself, and those that make a
// program a parser.
func (t *trust) mustBeSigned(l listdir.List) bool {
	return t.all || l.Format == compactlist.Format || l.Type == compact.TypeParser
}

// contains reports whether a key list is one of the certificates themselves.
func (t *trust) contains(certificate []byte) bool {
	return slices.ContainsFunc(t.files, func(file []byte) bool { return bytes.Equal(file, certificate) })
}
