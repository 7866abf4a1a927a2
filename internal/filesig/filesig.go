// Package filesig checks and writes the signatures of single files in security.ima, such as
// RPM packages carry for each of their files (rpmsign --signfiles).
//
// Files are opened by their names below a root. Folders in a name may be links, as /lib is on
// many systems: they are followed as by a process whose root this is, and never lead out
// of it. The file itself must not be a link.
package filesig

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"digestlists/compact"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/parsers"
)

// A File is one to be looked at.
type File struct {
	Path string // on the system

	// What the package says of it, for Apply.
	Digest    []byte
	Algorithm compact.Algorithm // of Digest
	Signature []byte            // the contents of security.ima, nil for none
	Flags     parsers.Flags
}

// A Status says what came of a file.
type Status string

// What the signature of a file may be.
const (
	Signed   Status = "signed"        // and valid
	HashOnly Status = "hash only"     // security.ima has the right digest and no signature
	None     Status = "none"          // no security.ima; of Apply: no signature in the package
	Bad      Status = "bad signature" // or a wrong digest, or malformed
	Unknown  Status = "unknown key"
	Expired  Status = "expired key"
	Missing  Status = "missing" // no regular file of that name
	Failed   Status = "failed"  // it cannot be read or checked
)

// What else Apply may find.
const (
	Applied Status = "applied"
	Present Status = "present" // the file has this signature, or another good one
	Config  Status = "config"  // configuration: left alone
	Ghost   Status = "ghost"   // left alone
	Changed Status = "changed" // not the packaged content: left alone
	Refused Status = "refused" // the file system or the kernel does not take it
)

// A Result is what came of one file.
type Result struct {
	Path   string
	Status Status
	Signer *imasig.Key // of a signature that is valid
	Err    error       // why, where the status does not say all
	Device uint64      // st_dev, where the file was opened
}

// A Runner goes through files with several workers.
type Runner struct {
	Root   *inroot.Root
	Keys   *imasig.Keyring
	Now    time.Time
	Jobs   int
	DryRun bool // Apply writes nothing

	changed changes
}

// Check verifies security.ima of each file. Results are in the order of files. An error is
// one of files, or the end of ctx; what is wrong with a file is in its Result.
func (r *Runner) Check(ctx context.Context, files iter.Seq2[*File, error]) iter.Seq2[*Result, error] {
	return r.each(ctx, files, (*worker).check)
}

// Apply writes the signature that its package carries to security.ima of each file that
// still has the packaged content, if one of the keys made it and the file has none that one
// of them made.
func (r *Runner) Apply(ctx context.Context, files iter.Seq2[*File, error]) iter.Seq2[*Result, error] {
	return r.each(ctx, files, (*worker).apply)
}

// status returns what an error of verification says.
func status(err error) Status {
	var unknown *imasig.UnknownKeyError
	switch {
	case errors.As(err, &unknown):
		return Unknown
	case errors.Is(err, imasig.ErrExpiredKey):
		return Expired
	case errors.Is(err, imasig.ErrBadSignature), errors.Is(err, imasig.ErrMalformed):
		return Bad
	}
	return Failed
}

// verify checks a signature over a digest in its algorithm.
func (r *Runner) verify(res *Result, digest []byte, sig imasig.Signature) bool {
	key, err := r.Keys.VerifyDigest(digest, sig, r.Now)
	if err != nil {
		res.Status, res.Err = status(err), err
		return false
	}
	res.Status, res.Signer = Signed, key
	return true
}

func (res *Result) fail(s Status, format string, args ...any) {
	res.Status, res.Err = s, fmt.Errorf(format, args...)
}
