package listdir

import (
	"errors"
	"fmt"
	"io"

	"digestlists/internal/xattr"

	"golang.org/x/sys/unix"
)

// A Staged is the content of a list that is on its way into the directory: a
// file of its own, on the same file system, that no reader sees. It becomes a
// list with Tx.Append, Tx.Insert or Tx.Replace, once; if it never does, it is
// dropped with the transaction.
//
// Different ones may be made and written by several goroutines at once.
type Staged struct {
	tx         *Tx
	file       string // name in the staging folder
	fd         int    // -1 once closed
	used       bool
	copyOf     string // the list whose content this is; "" if it is new
	signatures []stagedSignature
	err        error // the first error; it is returned by everything that follows
}

// A Place says where a detached signature goes.
type Place int

// The places of detached signatures.
const (
	Beside Place = iota // in the list directory: <list>.sig
	Apart               // in the folder that ApartDir names: <list>, <list>.sig or <list>.pgp
)

// ApartDir returns the folder for signatures that are kept out of a list
// directory: its sibling of the same name with ".sig" at the end.
func ApartDir(path string) string { return trimPath(path) + signatureSuffix }

// apartSuffixes are the ends of names in ApartDir, after the name of the list.
// The last is a distribution's OpenPGP signature.
var apartSuffixes = []string{"", signatureSuffix, ".pgp"}

type stagedSignature struct {
	place  Place
	suffix string
	file   string // name in the staging folder
}

// Create starts the content of a list: write it, then Close.
func (tx *Tx) Create() (*Staged, error) {
	s := &Staged{tx: tx, fd: -1}
	if tx.dry {
		return s, nil
	}
	if err := tx.stage(); err != nil {
		return nil, err
	}
	s.file = fmt.Sprintf(stagedName, tx.serial.Add(1))
	fd, err := open(tx.workFd, s.file, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL)
	if err != nil {
		return nil, dirError(tx.path, fmt.Errorf("stage a list: %w", err))
	}
	s.fd = fd
	if err := setMode(fd); err != nil {
		s.fail("set mode of", err)
		return nil, s.Close()
	}
	return s, nil
}

// stagedName is as long as names of lists are. Of short ones a block of an ext4 directory has
// hundreds, and the kernel looks at one after the other for each file.
const stagedName = "%060d"

// setMode gives a new file the mode that the umask may have cut.
func setMode(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&0o7777 == listMode {
		return err
	}
	return unix.Fchmod(fd, listMode)
}

// Stage is Create, Write and Close in one: the list with that content.
func (tx *Tx) Stage(content []byte) (*Staged, error) {
	s, err := tx.Create()
	if err != nil {
		return nil, err
	}
	s.Write(content) // an error stays with s
	if err := s.Close(); err != nil {
		return nil, err
	}
	return s, nil
}

// Copy stages the present content of a list with all its extended attributes but
// security.evm, so that they can be changed. Its signatures stay with it.
func (tx *Tx) Copy(file string) (*Staged, error) {
	f, err := tx.dir.OpenList(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := tx.Create()
	if err != nil {
		return nil, err
	}
	s.copyOf = file
	if !tx.dry {
		s.copyFrom(f)
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Staged) copyFrom(f File) {
	n, err := io.Copy(s, f)
	if err == nil && n != f.size {
		err = fileError(f.dir.path, f.name, fmt.Errorf("%w: %d bytes, want %d", ErrChanged, n, f.size))
	}
	if err == nil {
		err = copyAttributes(s.fd, f.fd)
	}
	if err == nil {
		err = unix.Fchmod(s.fd, listMode)
	}
	if err != nil {
		s.fail("copy", err)
	}
}

// Write adds to the content. It is not buffered.
func (s *Staged) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.tx.dry {
		return len(p), nil
	}
	if err := writeAll(s.fd, p); err != nil {
		return 0, s.fail("write", err)
	}
	return len(p), nil
}

// Close ends the content and returns the first error of all that was done to s.
// Closing again does nothing more.
func (s *Staged) Close() error {
	if s.fd >= 0 {
		err := unix.Close(s.fd)
		s.fd = -1
		if err != nil {
			s.fail("close", err)
		}
	}
	return s.err
}

// SetXattr sets an extended attribute, such as security.ima. A file system
// without them is unix.ENOTSUP, a missing privilege os.ErrPermission: where that
// is no error to the caller, s can still be used.
func (s *Staged) SetXattr(attr string, value []byte) error {
	if s.err != nil || s.tx.dry {
		return s.err
	}
	fd := s.fd
	if fd < 0 {
		var err error
		if fd, err = open(s.tx.workFd, s.file, unix.O_RDONLY); err != nil {
			return s.fail("open", err)
		}
		defer unix.Close(fd)
	}
	if err := xattr.SetFd(fd, attr, value); err != nil {
		return dirError(s.tx.path, err)
	}
	return nil
}

// AddSignature gives the list a detached signature. Beside the list the suffix
// is ".sig"; apart it is "", ".sig" or ".pgp".
func (s *Staged) AddSignature(place Place, suffix string, content []byte) error {
	if s.err != nil {
		return s.err
	}
	sig, err := s.tx.stageSignature(place, suffix, content)
	if err != nil {
		return err
	}
	s.signatures = append(s.signatures, sig)
	return nil
}

func (tx *Tx) stageSignature(place Place, suffix string, content []byte) (stagedSignature, error) {
	known := place == Beside && suffix == signatureSuffix
	for _, s := range apartSuffixes {
		known = known || place == Apart && suffix == s
	}
	if !known {
		return stagedSignature{}, fmt.Errorf("detached signature: unknown suffix %q", suffix)
	}
	file, err := tx.Stage(content)
	if err != nil {
		return stagedSignature{}, err
	}
	return stagedSignature{place: place, suffix: suffix, file: file.file}, nil
}

// fail keeps the first error.
func (s *Staged) fail(what string, err error) error {
	if s.err == nil {
		s.err = dirError(s.tx.path, fmt.Errorf("%s staged list: %w", what, err))
	}
	return s.err
}

// take marks s as used by tx.
func (s *Staged) take(tx *Tx) error {
	switch {
	case s.tx != tx || s.used:
		return dirError(tx.path, errors.New("staged list belongs elsewhere or is used already"))
	case s.Close() != nil:
		return s.err
	}
	s.used = true
	return nil
}
