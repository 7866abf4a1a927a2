package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/listdir"
)

// MendLists is what to do about lists that do not pass.
const MendLists = "remove or sign the list that the error names; ima_digest_db_size=64M makes room for more"

// checkStep checks what a kernel would be given, before it is.
func (s *Setup) checkStep() (*Step, error) {
	if err := s.checkMetadata(); err != nil {
		return nil, fmt.Errorf("metadata = yes: %w", err)
	}
	return &Step{
		Name: "check",
		Text: "check that every list is signed by " + s.Cert + ", that all can be read, and that they fit into the kernel's table",
		Mend: MendLists,
		Do:   s.CheckLists,
	}, nil
}

// CheckLists checks that every list is signed by the certificate and can be read, and that
// all fit into the kernel's table; with metadata, that there are lists of it. It prints which
// are not, or what the kernel would know.
func (s *Setup) CheckLists(ctx context.Context, out io.Writer) error {
	if err := s.checkMetadata(); err != nil {
		return err
	}
	for _, path := range []string{s.Cert, s.Dir} {
		if _, err := os.Stat(s.path(path)); errors.Is(err, fs.ErrNotExist) {
			return command.WithHint(err, "make the key and the lists first: setup_ima_digest_lists does, or keys make and gen_digest_lists")
		}
	}
	dir := s.path(s.Dir)
	if err := run(ctx, out, "verify_digest_lists", "-d", dir, "--no-key-lists", "--key", s.path(s.Cert)); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "digestlists-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	return run(ctx, out, "upload_digest_lists", "--emulate", filepath.Join(tmp, "table"), "add", dir)
}

// ErrNoMetadata: the kernel would be told to ask for metadata that no list has.
var ErrNoMetadata = errors.New("with an EVM key the machine would not boot: gen_digest_lists -t metadata makes such lists")

// checkMetadata looks for lists of type metadata, where they are to be asked for.
func (s *Setup) checkMetadata() error {
	if !s.Metadata {
		return nil
	}
	found := false
	err := s.eachList(compact.TypeMetadata, func(listdir.List, []byte) error {
		found = true
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !found {
		return fmt.Errorf("no list of type metadata in %s: %w", s.Dir, ErrNoMetadata)
	}
	return nil
}
