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

	"golang.org/x/sys/unix"
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
		return keys, command.WithHint(addFolder(keys, root, folder), hint)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			err = addHostFolder(keys, path)
		} else if err == nil {
			err = addCertificates(keys, path)
		}
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// addHostFolder adds those of a folder that need not be below the root of the files.
func addHostFolder(keys *imasig.Keyring, folder string) error {
	host, err := inroot.Open("/")
	if err != nil {
		return err
	}
	defer host.Close()
	if folder, err = filepath.Abs(folder); err != nil {
		return err
	}
	return addFolder(keys, host, folder)
}

// addFolder adds the certificates in a folder and those below it, also through links to
// files. There are private keys and other files beside them, which are passed over.
func addFolder(keys *imasig.Keyring, root *inroot.Root, folder string) error {
	before := len(keys.Keys())
	err := filepath.WalkDir(root.Path(folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return addFile(keys, root, path)
	})
	if err == nil && len(keys.Keys()) == before {
		err = fmt.Errorf("%s: no certificate in it", root.Path(folder))
	}
	return err
}

// addFile adds the certificate of a file, if it is one.
func addFile(keys *imasig.Keyring, root *inroot.Root, path string) error {
	name, err := filepath.Rel(root.Path("/"), path)
	if err != nil {
		return err
	}
	real, err := root.Real(name)
	if inroot.Gone(err) || errors.Is(err, unix.ELOOP) {
		return nil
	}
	if err != nil {
		return err
	}
	data, err := regular.ReadFile(root.Path(real), unix.O_NOFOLLOW, maxCertificate)
	if errors.Is(err, regular.ErrTooLarge) || inroot.Gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_ = keys.AddCertificate(data, path)
	return nil
}

func addCertificates(keys *imasig.Keyring, path string) error {
	data, err := regular.ReadFile(path, 0, maxCertificate)
	if err != nil {
		return err
	}
	return keys.AddCertificate(data, path)
}
