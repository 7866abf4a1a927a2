package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"digestlists/internal/command"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/regular"
)

// keysFolder is where the kernel and the tools of early boot look for certificates.
const keysFolder = "/etc/keys"

// maxCertificate bounds a file of certificates, in bytes.
const maxCertificate = 1 << 20

// certificates reads the files and folders of --cert, or those of the root's /etc/keys.
func certificates(root *inroot.Root, paths []string) (*imasig.Keyring, error) {
	keys := new(imasig.Keyring)
	if len(paths) == 0 {
		const hint = "--cert names the certificate of the key that signs the packages"
		folder, err := root.Real(keysFolder)
		if err != nil {
			return nil, command.WithHint(fmt.Errorf("no certificate: %s: %w", root.Path(keysFolder), err), hint)
		}
		return keys, command.WithHint(addFolder(keys, root.Path(folder)), hint)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			err = addFolder(keys, path)
		} else if err == nil {
			err = addCertificates(keys, path)
		}
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// addFolder adds the certificates in a folder and those below it. There are private keys and
// other files beside them, which are passed over.
func addFolder(keys *imasig.Keyring, folder string) error {
	before := len(keys.Keys())
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := regular.ReadFile(path, 0, maxCertificate)
		if errors.Is(err, regular.ErrTooLarge) {
			return nil
		}
		if err != nil {
			return err
		}
		_ = keys.AddCertificate(data, path)
		return nil
	})
	if err == nil && len(keys.Keys()) == before {
		err = fmt.Errorf("%s: no certificate in it", folder)
	}
	return err
}

func addCertificates(keys *imasig.Keyring, path string) error {
	data, err := regular.ReadFile(path, 0, maxCertificate)
	if err != nil {
		return err
	}
	return keys.AddCertificate(data, path)
}
