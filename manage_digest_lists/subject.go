package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"digestlists/compact"
	"digestlists/internal/capability"
	"digestlists/internal/command"
	"digestlists/internal/evm"
	"digestlists/internal/filehash"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/selinux"
	"digestlists/internal/xattr"

	"golang.org/x/sys/unix"
)

// A subject is what is to be explained: a digest, or a file by its path.
type subject struct {
	named  bool // the algorithm of sum is known
	digest compact.Digest

	path   string // "" for a digest
	file   *os.File
	opened filehash.File
	hasher filehash.Hasher
	sums   map[compact.Algorithm][2][]byte // of content and metadata
}

// newSubject takes what looks like a digest for one: hex digits as many as an algorithm
// has, or algorithm:hex.
func newSubject(root *inroot.Root, text string) (*subject, error) {
	name, digits, named := strings.Cut(text, ":")
	if !named {
		digits = text
	}
	sum, err := hex.DecodeString(digits)
	algorithm, unknown := compact.ParseAlgorithm(name)
	switch {
	case strings.HasPrefix(text, "/"), err != nil && (!named || unknown != nil):
		return openSubject(root, text)
	case named && unknown != nil:
		return nil, command.WithCode(command.ExitUsage, unknown)
	case named && len(sum) != algorithm.Size():
		return nil, command.Usagef("%s: want %d hexadecimal digits", text, 2*algorithm.Size())
	}
	s := &subject{named: named, digest: compact.Digest{Sum: sum}}
	if s.digest.Algorithm = algorithm; named {
		return s, nil
	}
	for _, a := range compact.Algorithms() {
		if a.Size() == len(sum) {
			return s, nil
		}
	}
	return openSubject(root, text)
}

func openSubject(root *inroot.Root, path string) (*subject, error) {
	opener := inroot.Opener{Root: root}
	defer opener.Close()
	s := &subject{path: filepath.Join("/", path), sums: make(map[compact.Algorithm][2][]byte)}
	f, err := opener.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil // lists may name it nevertheless
	}
	if err != nil {
		return nil, err
	}
	s.file = f
	s.opened = filehash.File{Fd: int(f.Fd()), Path: path, Stat: new(unix.Stat_t)}
	if err := unix.Fstat(s.opened.Fd, s.opened.Stat); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s *subject) close() {
	if s.file != nil {
		s.file.Close()
	}
}

// is reports whether a digest is that of the subject.
func (s *subject) is(d compact.Digest) (bool, error) {
	if s.path == "" {
		return (!s.named || d.Algorithm == s.digest.Algorithm) && bytes.Equal(d.Sum, s.digest.Sum), nil
	}
	if s.file == nil {
		return false, nil
	}
	sums, ok := s.sums[d.Algorithm]
	if !ok {
		var err error
		if sums, err = s.hash(d.Algorithm); err != nil {
			return false, err
		}
		s.sums[d.Algorithm] = sums
	}
	if d.Type == compact.TypeMetadata {
		return bytes.Equal(d.Sum, sums[1]), nil
	}
	return bytes.Equal(d.Sum, sums[0]), nil
}

// hash returns the digests of the file's content and of its metadata.
func (s *subject) hash(a compact.Algorithm) (sums [2][]byte, err error) {
	if sums[0], err = s.hasher.Sum(context.Background(), s.opened, a, nil); err != nil {
		return sums, err
	}
	m := evm.Metadata{UID: s.opened.Stat.Uid, GID: s.opened.Stat.Gid, Mode: uint16(s.opened.Stat.Mode)}
	for name, value := range map[string]*[]byte{
		selinux.AttributeName: &m.Label, imasig.AttributeName: &m.IMA, capability.AttributeName: &m.Caps,
	} {
		*value, err = xattr.GetFd(s.opened.Fd, name)
		if err != nil && !errors.Is(err, xattr.ErrAbsent) && !errors.Is(err, xattr.ErrUnsupported) {
			return sums, fmt.Errorf("%s: %w", s.path, err)
		}
	}
	sums[1], err = m.Digest(a)
	return sums, err
}

// texts returns the digests of the content, in the kernel's order of algorithms.
func (s *subject) texts() []string {
	texts := []string{}
	for _, a := range compact.Algorithms() {
		if sums, ok := s.sums[a]; ok {
			texts = append(texts, digestText(a, sums[0]))
		}
	}
	return texts
}
