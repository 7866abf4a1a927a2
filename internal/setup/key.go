package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"digestlists/internal/atomicfile"
	"digestlists/internal/command"
	"digestlists/internal/preflight"
)

// ErrUntrusted is a certificate with which this kernel does not appraise lists.
var ErrUntrusted = errors.New("this kernel cannot appraise lists")

// trust lets no step be taken towards appraisal where the kernel does not trust the
// certificate, or would not trust the one that would be made.
func (s *Setup) trust() error {
	if s.Mode == Measure || s.Force {
		return nil
	}
	found := preflight.Unappraisable(&preflight.Machine{Root: s.Root, Dir: s.Dir, Cert: s.Cert})
	if len(found) == 0 {
		return nil
	}
	err := fmt.Errorf("mode %s: %w: %s (%s)", s.Mode, ErrUntrusted, found[0].Text, found[0].Means)
	return command.WithHint(command.WithCode(command.ExitFailed, err), found[0].Mend+"; or choose mode measure")
}

// keyStep makes the key that signs lists, where there is none.
func (s *Setup) keyStep() (*Step, error) {
	return &Step{
		Name:    "key",
		Text:    fmt.Sprintf("make a signing key %s and its certificate %s, unless they are there", s.Key, s.Cert),
		Mend:    "setup_ima_digest_lists keys make by hand, or name a key and its certificate that are there",
		Touches: []string{s.Key, s.Key + atomicfile.Unfinished, s.Cert, s.Cert + atomicfile.Unfinished},
		Done:    s.haveKey,
		Do: func(context.Context, io.Writer) error {
			return makeKey(s.path(s.Key), s.path(s.Cert))
		},
	}, nil
}

// haveKey reports whether key and certificate are there; one alone is an error.
func (s *Setup) haveKey() (bool, error) {
	_, keyErr := os.Stat(s.path(s.Key))
	_, certErr := os.Stat(s.path(s.Cert))
	noKey, noCert := errors.Is(keyErr, fs.ErrNotExist), errors.Is(certErr, fs.ErrNotExist)
	switch {
	case noKey && noCert:
		return false, nil
	case noKey:
		return false, fmt.Errorf("%s: there is a certificate, but not its key %s", s.Cert, s.Key)
	case noCert:
		return false, fmt.Errorf("%s: there is a key, but not its certificate %s", s.Key, s.Cert)
	}
	return true, errors.Join(keyErr, certErr)
}
