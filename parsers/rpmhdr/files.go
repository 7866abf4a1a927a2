package rpmhdr

import (
	"encoding/binary"
	"fmt"
	"slices"

	"digestlists/compact"
)

// Bits of Files.Flags: rpmfileAttrs_e.
const (
	FileConfig uint32 = 1 << 0
	FileGhost  uint32 = 1 << 6
)

// Files steps through the files of a package that have a digest:
//
//	var files rpmhdr.Files
//	if err := files.Load(header); err != nil {
//		return err
//	}
//	for files.Next() {
//		use(files.Algorithm(), files.Digest(), files.Mode())
//	}
//
// Load checks all the arrays, so that nothing can go wrong later. Next and the
// accessors of numbers and digests do not allocate; a Files can be loaded again,
// which reuses its memory.
type Files struct {
	header    *Header
	algorithm compact.Algorithm
	count     int // files, with a digest or without

	hex     []byte // FileDigests from the next file on
	digests []byte // decoded, back to back, without the missing ones
	rest    []byte // digests of the next files
	digest  []byte
	at      int // index of the current file

	modes, sizes, longSizes, flags, dirIndexes []byte // as in the header

	paths               column // BaseNames, or OldFileNames without dirIndexes
	users, groups, caps column
	signatures          column
	dirs                texts
	dirStarts           []uint32 // of each directory in dirs, made when asked for
	signature           []byte
}

// Reset drops the header loaded and keeps the memory for the next one.
func (f *Files) Reset() { *f = Files{digests: f.digests[:0], dirStarts: f.dirStarts[:0]} }

// Load checks the per-file arrays of a header and decodes the digests. A header
// without digests has no files. On an error there are none either.
func (f *Files) Load(h *Header) error {
	f.Reset()
	f.header, f.at = h, -1
	if err := f.load(); err != nil {
		f.Reset()
		return err
	}
	f.rest = f.digests
	return nil
}

func (f *Files) load() error {
	digests := f.header.find(FileDigests)
	if digests == nil {
		return nil
	}
	if digests.kind != kindStrings {
		return f.header.failValue(digests, compact.ErrMalformed, "of type %v, want %v", digests.kind, kindStrings)
	}
	f.count = int(digests.count)
	if err := f.loadAlgorithm(); err != nil {
		return err
	}
	if err := f.loadNumbers(); err != nil {
		return err
	}
	if err := f.loadPaths(); err != nil {
		return err
	}
	if err := f.loadOwners(); err != nil {
		return err
	}
	return f.decode(digests)
}

// loadAlgorithm reads FileDigestAlgo. Packages from before RPM 4.6 have none.
func (f *Files) loadAlgorithm() error {
	f.algorithm = compact.MD5
	e := f.header.find(FileDigestAlgo)
	if e == nil {
		return nil
	}
	if e.kind != kindInt32 || e.count != 1 {
		return f.header.failValue(e, compact.ErrMalformed, "%d values of type %v, want 1 of type %v", e.count, e.kind, kindInt32)
	}
	var err error
	f.algorithm, err = compact.AlgorithmFromOpenPGP(binary.BigEndian.Uint32(f.header.data[e.start:]))
	if err != nil {
		return &compact.FormatError{Offset: f.header.dataOffset(e), Field: e.tag.String(), Err: err}
	}
	return nil
}

func (f *Files) loadNumbers() (err error) {
	if f.modes, err = f.numbers(FileModes, kindInt16); err != nil {
		return err
	}
	if f.sizes, err = f.numbers(FileSizes, kindInt32); err != nil {
		return err
	}
	if f.longSizes, err = f.numbers(LongFileSizes, kindInt64); err != nil {
		return err
	}
	if f.flags, err = f.numbers(FileFlags, kindInt32); err != nil {
		return err
	}
	if f.modes == nil {
		return f.missing(FileModes)
	}
	if f.sizes == nil && f.longSizes == nil {
		return f.missing(FileSizes)
	}
	for i := 0; i < len(f.longSizes); i += 8 {
		if f.longSizes[i] >= 0x80 {
			return f.failFile(LongFileSizes, i/8, compact.ErrTooLarge, "%d bytes", binary.BigEndian.Uint64(f.longSizes[i:]))
		}
	}
	return nil
}

// numbers returns the raw array of a tag that has a number for each file, nil if
// the header has no such tag.
func (f *Files) numbers(tag Tag, want kind) ([]byte, error) {
	e, err := f.array(tag, want)
	if e == nil {
		return nil, err
	}
	return f.header.data[e.start:][:e.count*kindSizes[want]], nil
}

// array returns the entry of a tag that has a value for each file, nil if the
// header has no such tag.
func (f *Files) array(tag Tag, want kind) (*entry, error) {
	e := f.header.find(tag)
	if e == nil {
		return nil, nil
	}
	if e.kind != want {
		return nil, f.header.failValue(e, compact.ErrMalformed, "of type %v, want %v", e.kind, want)
	}
	if int(e.count) != f.count {
		return nil, f.header.failValue(e, compact.ErrMalformed, "%d values for %d file digests", e.count, f.count)
	}
	return e, nil
}

func (f *Files) loadPaths() (err error) {
	if err := f.loadColumn(&f.paths, BaseNames); err != nil {
		return err
	}
	if !f.paths.present {
		return f.loadColumn(&f.paths, OldFileNames)
	}
	if f.dirIndexes, err = f.numbers(DirIndexes, kindInt32); err != nil {
		return err
	}
	if f.dirIndexes == nil {
		return f.missing(DirIndexes)
	}
	names := f.header.find(DirNames)
	if names == nil {
		return f.missing(DirNames)
	}
	if names.kind != kindStrings {
		return f.header.failValue(names, compact.ErrMalformed, "of type %v, want %v", names.kind, kindStrings)
	}
	f.dirs = f.header.texts(names)
	if err := f.checkDirs(names); err != nil {
		return err
	}
	for i := 0; i < len(f.dirIndexes); i += 4 {
		if dir := binary.BigEndian.Uint32(f.dirIndexes[i:]); dir >= names.count {
			return f.failFile(DirIndexes, i/4, compact.ErrMalformed, "directory %d, want 0 to %d", int32(dir), names.count-1)
		}
	}
	return nil
}

// maxPath is PATH_MAX of Linux, in bytes and with the NUL at the end.
const maxPath = 4096

// checkDirs refuses directories that no system can have. Any number of files may be in the
// same one: their paths would be many times as large as the header.
func (f *Files) checkDirs(names *entry) error {
	rest := f.dirs
	for i := range names.count {
		if dir := rest.next(); len(dir) >= maxPath {
			return f.header.failValue(names, compact.ErrMalformed, "directory %d of %d bytes, want fewer than %d", i, len(dir), maxPath)
		}
	}
	return nil
}

// decode decodes the digests, so that a wrong one is found before any is used.
func (f *Files) decode(e *entry) error {
	f.hex = f.header.texts(e)
	size, rest := f.algorithm.Size(), f.hex
	f.digests = slices.Grow(f.digests, min(len(rest)/2, f.count*size))
	for i := range f.count {
		if rest[0] == 0 {
			rest = rest[1:]
			continue
		}
		n := len(f.digests)
		if len(rest) <= 2*size || rest[2*size] != 0 || !decodeHex(f.digests[n:n+size:n+size], rest) {
			text := (*texts)(&rest).next()
			return f.failFile(FileDigests, i, compact.ErrMalformed, "%q (%d characters), want %d hex digits of %v", clip(text), len(text), 2*size, f.algorithm)
		}
		f.digests = f.digests[:n+size]
		rest = rest[2*size+1:]
	}
	return nil
}

// Next steps to the next file that has a digest, the first one at the first
// call. It returns false after the last one.
func (f *Files) Next() bool {
	for f.at+1 < f.count {
		f.at++
		if f.hex[0] == 0 {
			f.hex = f.hex[1:]
			continue
		}
		size := f.algorithm.Size()
		f.hex = f.hex[2*size+1:]
		f.digest, f.rest = f.rest[:size:size], f.rest[size:]
		return true
	}
	return false
}

// Algorithm returns the algorithm of all digests of the package.
func (f *Files) Algorithm() compact.Algorithm { return f.algorithm }

// Digest returns the digest of the current file. It is valid until Load.
func (f *Files) Digest() []byte { return f.digest }

// Mode returns st_mode of the current file.
func (f *Files) Mode() uint16 { return binary.BigEndian.Uint16(f.modes[2*f.at:]) }

// Size returns the size of the current file in bytes.
func (f *Files) Size() int64 {
	if f.longSizes != nil {
		return int64(binary.BigEndian.Uint64(f.longSizes[8*f.at:]))
	}
	return int64(binary.BigEndian.Uint32(f.sizes[4*f.at:]))
}

// Flags returns the attributes of the current file, such as FileConfig.
func (f *Files) Flags() uint32 {
	if f.flags == nil {
		return 0
	}
	return binary.BigEndian.Uint32(f.flags[4*f.at:])
}

// missing is the error for an array that files with digests need.
func (f *Files) missing(tag Tag) error {
	return fail(f.header.offset, tag.String(), compact.ErrMalformed, "missing, with %d file digests", f.count)
}

func (f *Files) failFile(tag Tag, i int, class error, format string, args ...any) error {
	e := f.header.find(tag)
	field := fmt.Sprintf("%v, file %d of %d", tag, i+1, f.count)
	return fail(f.header.dataOffset(e), field, class, format, args...)
}

// clip shortens hostile text for an error message.
func clip(text []byte) []byte { return text[:min(len(text), 2*compact.MaxDigestSize)] }
