package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"digestlists/compact"
	"digestlists/internal/decode"
	"digestlists/internal/hashes"
	"digestlists/internal/listdir"
	"digestlists/internal/regular"
	"digestlists/parsers"
	"digestlists/parsers/formats"
	"digestlists/parsers/rpmdb"
)

const uploader = "/usr/bin/upload_digest_lists"

// listsStep makes and signs the lists.
func (s *Setup) listsStep() (*Step, error) {
	var of []string
	if s.Packages {
		if _, err := rpmdb.Find(s.path("/")); err != nil {
			return nil, fmt.Errorf("packages = yes: %w", err)
		}
		of = append(of, "the packages in the RPM database")
	}
	of = append(of, s.PackageFiles...)
	of = append(of, uploader, "the certificate")
	if len(s.Immutable) > 0 {
		of = append(of, "what is unknown in "+strings.Join(s.Immutable, " ")+" (immutable)")
	}
	if len(s.Mutable) > 0 {
		of = append(of, "what is unknown in "+strings.Join(s.Mutable, " ")+" (mutable)")
	}
	return &Step{
		Name:    "lists",
		Text:    "make lists in " + s.Dir + ", signed with " + s.Key + ", of " + strings.Join(of, ", "),
		Mend:    "see the error; gen_digest_lists makes each of these lists by hand",
		Touches: []string{s.Dir, s.Dir + ".sig"},
		Do:      s.makeLists,
		Undo:    s.clearStaging,
	}, nil
}

// clearStaging removes what a generator that was killed has left beside the directory,
// as the next one would.
func (s *Setup) clearStaging(context.Context) error {
	dir := s.path(s.Dir)
	if _, err := os.Stat(filepath.Dir(dir)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	tx, err := listdir.Begin(dir, listdir.Options{})
	if err != nil {
		return err
	}
	return tx.Close()
}

func (s *Setup) makeLists(ctx context.Context, out io.Writer) error {
	if err := os.MkdirAll(s.path(s.Dir), 0o755); err != nil {
		return err
	}
	for _, make := range []func(context.Context, io.Writer) error{
		s.packageLists, s.packageFileLists, s.keyList, s.parserList, s.immutableLists, s.mutableLists,
	} {
		if err := make(ctx, out); err != nil {
			return err
		}
	}
	return nil
}

// generate runs gen_digest_lists on the directory, and signs what it makes.
func (s *Setup) generate(ctx context.Context, out io.Writer, args ...string) error {
	all := append([]string{"-d", s.path(s.Dir)}, args...)
	all = append(all, "-s", "-k", s.path(s.Key), "--cert", s.path(s.Cert))
	if s.PasswordFile != "" {
		all = append(all, "--password-file", s.path(s.PasswordFile))
	}
	return run(ctx, out, "gen_digest_lists", all...)
}

func (s *Setup) packageLists(ctx context.Context, out io.Writer) error {
	if !s.Packages {
		return nil
	}
	db, err := rpmdb.Find(s.path("/"))
	if err != nil {
		return err
	}
	args := []string{"-f", "rpm+db", "-t", "file", "--db", db, "--sync=add"}
	later, err := s.later()
	if err != nil {
		return err
	}
	if later { // an option of that generation only
		args = append(args, "-I", "sha256")
	}
	return s.generate(ctx, out, args...)
}

// In the 0.3.9x generation, a list is named NAME-VERSION-RELEASE.ARCH, and before
// NAME-VERSION-RELEASE-ARCH.
var laterName = regexp.MustCompile(`\.(noarch|x86_64|aarch64|i[3-6]86|riscv64|loongarch64|ppc64le|s390x)$`)

// later reports whether the directory has lists of packages in the form of the 0.3.9x
// generation, by the C tools as a rule: others would then be there twice.
func (s *Setup) later() (bool, error) {
	dir, err := listdir.Open(s.path(s.Dir))
	if err != nil {
		return false, err
	}
	defer dir.Close()
	for _, l := range dir.Lists() {
		if l.Format == "rpm" && laterName.MatchString(l.Label) {
			return true, nil
		}
	}
	return false, nil
}

func (s *Setup) packageFileLists(ctx context.Context, out io.Writer) error {
	for _, p := range s.PackageFiles {
		if err := s.generate(ctx, out, "-f", "rpm+pkg", "-i", s.path(p), "-t", "file", "-o", "append"); err != nil {
			return err
		}
	}
	return nil
}

// keyList says who may sign lists, unless one of the key lists does already.
func (s *Setup) keyList(ctx context.Context, out io.Writer) error {
	cert, err := os.ReadFile(s.path(s.Cert))
	if err != nil {
		return err
	}
	found := false
	err = s.eachList(compact.TypeKey, func(_ listdir.List, content []byte) error {
		found = found || bytes.Contains(content, cert)
		return nil
	})
	if err != nil || found {
		return err
	}
	return s.generate(ctx, out, "-f", "copy", "-i", s.path(s.Cert), "-t", "key", "-o", "append")
}

// parserList lets the kernel take lists from the uploader, unless it does already.
func (s *Setup) parserList(ctx context.Context, out io.Writer) error {
	has, err := s.parserListed()
	if err != nil || has {
		return err
	}
	return s.generate(ctx, out, "-f", "compact", "-i", s.path(uploader), "-t", "parser", "-m", "immutable", "-a", s.Hash, "-o", "append")
}

func (s *Setup) parserListed() (bool, error) {
	algorithm, sum, err := s.hashFile(s.path(uploader))
	if err != nil {
		return false, fmt.Errorf("%w: the kernel takes lists from it: install it first", err)
	}
	found := false
	err = s.eachList(compact.TypeParser, func(l listdir.List, content []byte) error {
		for e, err := range decode.Entries(formats.Lists(), l.Name, content, parsers.Options{}) {
			if err != nil {
				return err
			}
			found = found || e.Algorithm == algorithm && bytes.Equal(e.Digest, sum)
		}
		return nil
	})
	return found, err
}

// hashFile hashes a file as the kernel will.
func (s *Setup) hashFile(path string) (compact.Algorithm, []byte, error) {
	algorithm, err := compact.ParseAlgorithm(s.Hash)
	if err != nil {
		return 0, nil, err
	}
	h, err := hashes.New(algorithm)
	if err != nil {
		return 0, nil, err
	}
	f, err := regular.Open(path, 0)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		return 0, nil, fmt.Errorf("%s: %w", path, err)
	}
	return algorithm, h.Sum(nil), nil
}

// eachList reads the lists of a type.
func (s *Setup) eachList(t compact.Type, use func(listdir.List, []byte) error) error {
	dir, err := listdir.Open(s.path(s.Dir))
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, l := range dir.Lists() {
		if l.Type != t {
			continue
		}
		content, err := dir.ReadInto(l.File, nil)
		if err == nil {
			err = use(l, content)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", l.File, err)
		}
	}
	return nil
}

func (s *Setup) immutableLists(ctx context.Context, out io.Writer) error {
	return s.unknownLists(ctx, out, s.Immutable, "-m", "immutable")
}

func (s *Setup) mutableLists(ctx context.Context, out io.Writer) error {
	return s.unknownLists(ctx, out, s.Mutable)
}

// unknownLists makes a list of what no list knows yet in some folders.
func (s *Setup) unknownLists(ctx context.Context, out io.Writer, folders []string, args ...string) error {
	for _, p := range folders {
		if _, err := os.Stat(s.path(p)); err != nil {
			return err
		}
		all := append([]string{"-f", "unknown", "-i", "D:" + s.path(s.Dir), "-i", "I:" + s.path(p), "-t", "file", "-a", s.Hash, "-o", "append"}, args...)
		if err := s.generate(ctx, out, all...); err != nil {
			return err
		}
	}
	return nil
}
