package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"digestlists/attest"
	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/parsers"
	"digestlists/parsers/keylime"
	"digestlists/parsers/rpmdb"
	"digestlists/parsers/rpmpkg"

	"github.com/urfave/cli/v2"
)

// readKeys returns nil without --key and --keyring-dir: signatures are not asked for then.
func readKeys(c *cli.Context) (*attest.Keys, error) {
	files, err := trustedKeys(c)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	keys := new(attest.Keys)
	for _, path := range files {
		data, err := readFile(path, maxKeys)
		if err != nil {
			return nil, err
		}
		if err := keys.Add(data, path); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func trustedKeys(c *cli.Context) ([]string, error) {
	files := c.StringSlice("key")
	for _, dir := range c.StringSlice("keyring-dir") {
		inDir, err := filesIn(dir)
		if err != nil {
			return nil, err
		}
		files = append(files, inDir...)
	}
	return files, nil
}

func filesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if files == nil {
		return nil, fmt.Errorf("%s: no certificate", dir)
	}
	return files, nil
}

func readReferences(c *cli.Context, keys *attest.Keys, now time.Time) (*attest.References, error) {
	refs := attest.NewReferences(keys, now)
	for _, path := range c.StringSlice("reference") {
		if err := addReference(c.Context, refs, path); err != nil {
			return nil, err
		}
	}
	return refs, nil
}

// addReference finds out what is at a path. A name alone does not make something a
// reference: what is none of these is an error.
func addReference(ctx context.Context, refs *attest.References, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		if _, ok := listdir.ParseName(filepath.Base(path)); ok {
			return refs.AddFile(path)
		}
		if strings.HasSuffix(path, ".rpm") {
			_, err := refs.AddSource(ctx, rpmpkg.Source{}, files(path))
			return err
		}
		if strings.HasSuffix(path, ".json") {
			return addPolicy(ctx, refs, path)
		}
	}
	database, err := rpmdb.Open(path)
	if err == nil {
		_, err = refs.AddSource(ctx, rpmdb.Source{}, parsers.Input{DB: database.Path, Type: compact.TypeFile})
		return err
	}
	if !errors.Is(err, rpmdb.ErrNoDatabase) {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: neither a digest list, by its name, nor a package, an RPM database, or a Keylime policy (.json)", path)
	}
	return addFolder(ctx, refs, path)
}

func files(path string) parsers.Input {
	return parsers.Input{Paths: []string{path}, Type: compact.TypeFile}
}

// addPolicy adds the digests of a Keylime policy. What else is in it would make the verdict
// milder, or is about keys that only Keylime looks at.
func addPolicy(ctx context.Context, refs *attest.References, path string) error {
	source := keylime.Source{Unused: func(path string, parts []string) {
		refs.Note(fmt.Sprintf("of %s only the digests are used, not its %s", path, strings.Join(parts, ", ")))
	}}
	_, err := refs.AddSource(ctx, source, files(path))
	return err
}

// addFolder adds the lists and the packages in a folder.
func addFolder(ctx context.Context, refs *attest.References, path string) error {
	lists, err := refs.AddTree(path)
	if err != nil {
		return err
	}
	_, err = refs.AddSource(ctx, rpmpkg.Source{}, files(path))
	if !errors.Is(err, rpmpkg.ErrNoPackages) {
		return err
	}
	if lists == 0 {
		return command.WithCode(command.ExitNothing, fmt.Errorf("%s: no digest list, package or RPM database", path))
	}
	return nil
}
