package filesig

import (
	"bytes"
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"digestlists/compact"
	"digestlists/internal/filehash"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/xattr"
	"digestlists/parsers"
)

// A worker looks at one file after the other.
type worker struct {
	*Runner
	ctx    context.Context
	hasher filehash.Hasher
	sum    [compact.MaxDigestSize]byte
	value  [xattr.Room]byte
	opener inroot.Opener
}

// start opens a file, and says in the result if that is the end of it. The caller closes
// the descriptor.
func (w *worker) start(f *File, res *Result) (filehash.File, bool) {
	fd, st, err := w.opener.OpenFd(f.Path)
	switch {
	case err == nil:
		res.Device = uint64(st.Dev)
		return filehash.File{Fd: fd, Path: f.Path, Stat: st}, true
	case inroot.Gone(err):
		res.Status, res.Err = Missing, err
	default:
		res.Status, res.Err = Failed, err
	}
	return filehash.File{}, false
}

// digest hashes a file, and says in the result if it cannot be hashed.
func (w *worker) digest(opened filehash.File, a compact.Algorithm, res *Result) ([]byte, bool) {
	digest, err := w.hasher.Sum(w.ctx, opened, a, w.sum[:0])
	if err != nil {
		res.Status, res.Err = Failed, err
	}
	return digest, err == nil
}

func (w *worker) check(f *File, res *Result) {
	opened, ok := w.start(f, res)
	if !ok {
		return
	}
	defer unix.Close(opened.Fd)
	value, err := xattr.GetFdInto(w.value[:0], opened.Fd, imasig.AttributeName)
	switch {
	case err == nil:
	case errors.Is(err, xattr.ErrAbsent), errors.Is(err, xattr.ErrUnsupported):
		res.Status = None
		return
	default:
		res.fail(Failed, "%s: %w", f.Path, err)
		return
	}
	sig, err := imasig.Parse(value)
	switch {
	case errors.Is(err, imasig.ErrNoSignature):
		w.checkDigest(opened, value, res)
		return
	case err != nil:
		res.Status, res.Err = status(err), err
		return
	}
	if len(w.Keys.Lookup(sig.KeyID)) == 0 { // nothing that hashing could add
		res.Status, res.Err = Unknown, &imasig.UnknownKeyError{ID: sig.KeyID.String()}
		return
	}
	if digest, ok := w.digest(opened, sig.Hash, res); ok {
		w.verify(res, digest, sig)
	}
}

// checkDigest checks an attribute that holds no signature.
func (w *worker) checkDigest(opened filehash.File, value []byte, res *Result) {
	a, want, err := imasig.ParseDigest(value)
	if err != nil {
		res.Status, res.Err = Bad, err
		return
	}
	digest, ok := w.digest(opened, a, res)
	if !ok {
		return
	}
	res.Status = HashOnly
	if !bytes.Equal(digest, want) {
		res.fail(Bad, "the %s in %s is not that of the content", a, imasig.AttributeName)
	}
}

func (w *worker) apply(f *File, res *Result) {
	switch {
	case f.Flags&parsers.FlagGhost != 0:
		res.Status = Ghost
		return
	case f.Flags&parsers.FlagConfig != 0:
		res.Status = Config
		return
	case absent(f.Signature):
		res.Status = None
		return
	}
	sig, err := imasig.Parse(f.Signature)
	if err != nil {
		res.Status, res.Err = status(err), err
		return
	}
	opened, ok := w.start(f, res)
	if !ok {
		return
	}
	defer unix.Close(opened.Fd)
	if w.unchanged(f, opened, res) && w.signs(f, opened, sig, res) {
		w.write(opened, imasig.AttributeName, f.Signature, w.alsoSigns(f, opened), res)
	}
}

// absent reports whether a package has no signature for a file. For links and the like old
// versions of rpmsign have written zeros.
func absent(signature []byte) bool { return len(bytes.Trim(signature, "\x00")) == 0 }

// unchanged reports whether a file has the packaged content.
func (w *worker) unchanged(f *File, opened filehash.File, res *Result) bool {
	digest, ok := w.digest(opened, f.Algorithm, res)
	if ok && !bytes.Equal(digest, f.Digest) {
		res.Status = Changed
		return false
	}
	return ok
}

// signs reports whether a signature is good for a file with the packaged content.
func (w *worker) signs(f *File, opened filehash.File, sig imasig.Signature, res *Result) bool {
	digest := f.Digest
	if sig.Hash != f.Algorithm {
		var ok bool
		if digest, ok = w.digest(opened, sig.Hash, res); !ok {
			return false
		}
	}
	return w.verify(res, digest, sig)
}

// alsoSigns reports whether a file has a good signature already. It may be that of another
// package, or of another name of the file: ECDSA gives another one each time.
func (w *worker) alsoSigns(f *File, opened filehash.File) func(value []byte) bool {
	return func(value []byte) bool {
		sig, err := imasig.Parse(value)
		return err == nil && w.signs(f, opened, sig, new(Result))
	}
}

// write sets an attribute, unless it has the value or another that is as good.
func (w *worker) write(opened filehash.File, attr string, value []byte, good func([]byte) bool, res *Result) {
	if present, err := xattr.GetFd(opened.Fd, attr); err == nil && (bytes.Equal(present, value) || good(present)) {
		res.Status = Present
		if _, ours := w.changed.get(opened); ours {
			res.Status = Applied
		}
		return
	}
	res.Status = Applied
	if w.DryRun {
		return
	}
	w.changed.add(opened, nil)
	w.refused(xattr.SetFd(opened.Fd, attr, value), opened.Path, res)
}

// refused says in the result that an attribute could not be changed.
func (w *worker) refused(err error, path string, res *Result) {
	switch {
	case err == nil:
	case errors.Is(err, xattr.ErrPermission), errors.Is(err, xattr.ErrUnsupported), errors.Is(err, unix.EROFS):
		res.Status, res.Err = Refused, err
	default:
		res.fail(Failed, "%s: %w", path, err)
	}
}
