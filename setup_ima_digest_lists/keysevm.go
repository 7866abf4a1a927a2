package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"

	"digestlists/internal/command"
	"digestlists/internal/evmkey"
	"digestlists/internal/keyctl"
	"digestlists/internal/regular"
	"digestlists/internal/securityfs"

	"github.com/urfave/cli/v2"
)

// standardHandle is where TPM 2.0 keeps the storage root key: TCG TPM v2.0 Provisioning
// Guidance, section 7.8.
const standardHandle = 0x81000001

func masterFlag() cli.Flag {
	return &cli.StringFlag{Name: "master", Value: string(evmkey.Trusted), Usage: "`KIND` of master key: trusted (sealed by the TPM) or user (root can read it)"}
}

func keysMaster() *cli.Command {
	return &cli.Command{
		Name:      "master",
		Usage:     "make a master key, load it, and keep it in a file",
		UsageText: "setup_ima_digest_lists keys master [--master KIND] [options]",
		Description: "The file is /etc/keys/kmk-KIND.blob, and /etc/sysconfig/masterkey says so: dracut's module\n" +
			"masterkey loads it. A trusted key needs a TPM with a storage root key at --handle.",
		Flags: []cli.Flag{
			rootFlag(), forceFlag(), masterFlag(),
			&cli.UintFlag{Name: "handle", Value: standardHandle, Usage: "`N`: where the TPM has its storage root key", DefaultText: "0x81000001"},
		},
		Action: func(c *cli.Context) error {
			kind, err := kindOf(c)
			if err != nil {
				return err
			}
			if handle := c.Uint("handle"); handle > math.MaxUint32 {
				return command.Usagef("--handle %#x, want 32 bits", handle)
			}
			files := []newFile{{path: kind.MasterFile(), secret: true}}
			if files, err = addConfig(c, files)(kind.MasterConfig()); err != nil {
				return err
			}
			if err := absent(c, files...); err != nil {
				return err
			}
			if files[0].content, err = evmkey.NewMaster(kind, uint32(c.Uint("handle"))); err != nil {
				return masterHint(err)
			}
			return writeFiles(c, files...)
		},
	}
}

// masterHint says what a kernel or TPM lacks.
func masterHint(err error) error {
	if errors.Is(err, keyctl.ErrNoType) {
		return command.WithHint(err, "load the kernel module trusted, or use --master user")
	}
	return command.WithHint(err, "a storage root key is made with: "+
		"tpm2_createprimary -C o -c srk && tpm2_evictcontrol -C o -c srk 0x81000001")
}

func keysEVM() *cli.Command {
	return &cli.Command{
		Name:      "evm",
		Usage:     "make an EVM key below a master key, load it, and keep it in a file",
		UsageText: "setup_ima_digest_lists keys evm [--master KIND] [options]",
		Description: "The file is /etc/keys/evm-KIND.blob, and /etc/sysconfig/evm says so: dracut's module\n" +
			"integrity loads it. The master key is loaded from its file if it is not there yet.",
		Flags: []cli.Flag{rootFlag(), forceFlag(), masterFlag()},
		Action: func(c *cli.Context) error {
			kind, err := kindOf(c)
			if err != nil {
				return err
			}
			files := []newFile{{path: kind.EVMFile(), secret: true}}
			if files, err = addConfig(c, files)(kind.EVMConfig()); err != nil {
				return err
			}
			if err := absent(c, files...); err != nil {
				return err
			}
			if err := loadMaster(c, kind); err != nil {
				return err
			}
			if files[0].content, err = evmkey.New(kind); err != nil {
				return err
			}
			return writeFiles(c, files...)
		},
	}
}

func keysLoad() *cli.Command {
	return &cli.Command{
		Name:      "load",
		Usage:     "load the master key and the EVM key from their files",
		UsageText: "setup_ima_digest_lists keys load [--master KIND] [--enable-evm] [options]",
		Flags: []cli.Flag{
			rootFlag(), masterFlag(),
			&cli.BoolFlag{Name: "enable-evm", Usage: "and give the key to EVM, which then checks attributes until the next boot"},
		},
		Action: func(c *cli.Context) error {
			kind, err := kindOf(c)
			if err != nil {
				return err
			}
			if err := loadMaster(c, kind); err != nil {
				return err
			}
			blob, err := readBlob(c, kind.EVMFile())
			if err != nil {
				return err
			}
			if err := evmkey.Load(blob); err != nil || !c.Bool("enable-evm") {
				return err
			}
			if err := securityfs.EnableEVM(securityfs.MountPoint, securityfs.EVMHMAC); err != nil {
				return err
			}
			return evmkey.Unload()
		},
	}
}

func kindOf(c *cli.Context) (evmkey.Kind, error) {
	if err := command.NoArguments(c); err != nil {
		return "", err
	}
	kind, err := evmkey.ParseKind(c.String("master"))
	if err != nil {
		return "", command.Usagef("--master: %w", err)
	}
	return kind, nil
}

// addConfig adds a configuration file, unless it is there and says the same.
func addConfig(c *cli.Context, files []newFile) func(path, content string) ([]newFile, error) {
	return func(path, content string) ([]newFile, error) {
		there, err := regular.ReadFile(filepath.Join(c.String("root"), path), 0, maxConfig)
		if err == nil && bytes.Equal(there, []byte(content)) {
			return files, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return append(files, newFile{path: path, content: []byte(content)}), nil
	}
}

// maxConfig and maxBlob are more than such files have, in bytes.
const (
	maxConfig = 1 << 20
	maxBlob   = 32 << 10
)

func readBlob(c *cli.Context, path string) ([]byte, error) {
	path = filepath.Join(c.String("root"), path)
	blob, err := regular.ReadFile(path, 0, maxBlob)
	if err == nil && len(bytes.TrimSpace(blob)) == 0 {
		err = fmt.Errorf("%s: empty, want a key", path)
	}
	return blob, err
}

// loadMaster loads a master key that is not loaded yet.
func loadMaster(c *cli.Context, kind evmkey.Kind) error {
	loaded, err := evmkey.MasterLoaded(kind)
	if err != nil || loaded {
		return err
	}
	blob, err := readBlob(c, kind.MasterFile())
	if err != nil {
		return command.WithHint(err, "setup_ima_digest_lists keys master makes one")
	}
	return evmkey.LoadMaster(kind, blob)
}
