package setup

import (
	"context"
	"io"
	"os"
	"path/filepath"
)

// checkStep checks what a kernel would be given, before it is.
func (s *Setup) checkStep() (*Step, error) {
	return &Step{
		Name: "check",
		Text: "check that every list is signed by " + s.Cert + ", that all can be read, and that they fit into the kernel's table",
		Mend: "remove or sign the list that the error names; ima_digest_db_size=64M makes room for more",
		Do:   s.check,
	}, nil
}

func (s *Setup) check(ctx context.Context, _ io.Writer) error {
	dir := s.path(s.Dir)
	if err := run(ctx, io.Discard, "verify_digest_lists", "-d", dir, "--no-key-lists", "--key", s.path(s.Cert)); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "digestlists-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	return run(ctx, io.Discard, "upload_digest_lists", "--emulate", filepath.Join(tmp, "table"), "add", dir)
}
