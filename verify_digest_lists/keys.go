package main

import (
	"fmt"
	"os"
	"path/filepath"

	"digestlists/compact"
	"digestlists/internal/imasig"
	"digestlists/internal/pgp"

	"github.com/urfave/cli/v2"
)

// loadKeys gathers what is trusted. A file that was named and holds no key is an
// error; a key list that is no certificate is a result like that of any other
// list, and does not keep the other keys from being used.
func (v *verifier) loadKeys(c *cli.Context) error {
	for _, path := range c.StringSlice("key") {
		if err := v.addKey(path); err != nil {
			return err
		}
	}
	for _, dir := range c.StringSlice("keyring-dir") {
		if err := v.addKeys(dir); err != nil {
			return err
		}
	}
	for _, path := range c.StringSlice("rpm-keys") {
		data, err := readFile(path, maxKeys)
		if err != nil {
			return err
		}
		if v.vendors == nil {
			v.vendors = new(pgp.Keyring)
		}
		if err := v.vendors.Add(data, path); err != nil {
			return err
		}
	}
	if !c.Bool("no-key-lists") {
		v.addKeyLists()
	}
	return nil
}

func (v *verifier) addKey(path string) error {
	data, err := readFile(path, maxKeys)
	if err != nil {
		return err
	}
	return v.keys.Add(data, path)
}

func (v *verifier) addKeys(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	added := 0
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		if err := v.addKey(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
		added++
	}
	if added == 0 {
		return fmt.Errorf("%s: no certificate", dir)
	}
	return nil
}

func (v *verifier) addKeyLists() {
	v.keyListsTrusted = true
	for _, l := range v.dir.Lists() {
		if l.Type != compact.TypeKey {
			continue
		}
		data, err := v.dir.ReadInto(l.File, nil)
		if err == nil {
			if data, _, _, err = imasig.SplitAppended(data); err == nil {
				err = v.keys.AddCertificate(data, l.File)
			}
			if err != nil {
				err = malformedError{err}
			}
		}
		if err != nil {
			v.badKeys = append(v.badKeys, failure(l.File, err))
		}
	}
}
