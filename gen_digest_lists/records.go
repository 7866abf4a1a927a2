package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"digestlists/compact"
	"digestlists/internal/capability"
	"digestlists/internal/owner"
	"digestlists/internal/regular"
	"digestlists/internal/selinux"
	"digestlists/parsers"
)

// A record is a line of a file of records: what a file is to be listed with, where
// that is not what it has.
type record struct {
	path      string
	digest    []byte // nil for the one of the file
	algorithm compact.Algorithm
	mode      *uint16
	uid, gid  *uint32
	caps      *string
	label     *string
}

// maxRecords bounds a file of records in bytes.
const maxRecords = 256 << 20

// recordReader reads lines like path=…|digest=…|mode=….
type recordReader struct {
	algorithm compact.Algorithm // of records that do not name one
	owners    func() (*owner.DB, error)
	warn      func(format string, args ...any)
	mode      *uint16 // of the last record that had one
}

// read reads a file of records. Errors name the file and the line.
func (r *recordReader) read(name string) ([]record, error) {
	data, err := regular.ReadFile(name, 0, maxRecords)
	if err != nil {
		return nil, err
	}
	var records []record
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		rec, err := r.parse(strings.TrimSuffix(text, "\n"))
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, line, err)
		}
		if rec.digest == nil && rec.algorithm != r.algorithm {
			// As with the C tool; to hash the file would put digests of several
			// algorithms into a list of one.
			r.warn("%s: line %d: left out: no digest, and its algorithm is %v, not %v", name, line, rec.algorithm, r.algorithm)
			continue
		}
		records = append(records, rec)
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("%s: no records, want lines like path=…|mode=…", name)
	}
	return records, nil
}

// parse reads a record. The mode of one holds for those after it that have none.
func (r *recordReader) parse(line string) (record, error) {
	rec := record{algorithm: r.algorithm}
	seen := make(map[string]bool)
	names := make(map[string]string)
	for field := range strings.SplitSeq(line, "|") {
		key, value, found := strings.Cut(field, "=")
		if !found || value == "" {
			return rec, fmt.Errorf("field %q, want NAME=VALUE", field)
		}
		if seen[key] {
			return rec, fmt.Errorf("second %s=", key)
		}
		seen[key] = true
		if key == "uname" || key == "gname" {
			names[key] = value
		} else if err := rec.set(key, value); err != nil {
			return rec, fmt.Errorf("%s=%q: %w", key, value, err)
		}
	}
	if err := r.setNames(&rec, names); err != nil {
		return rec, err
	}
	if rec.mode != nil {
		r.mode = rec.mode
	}
	rec.mode = r.mode
	return rec, rec.check()
}

// setNames looks names up that no number stands beside.
func (r *recordReader) setNames(rec *record, names map[string]string) error {
	if len(names) == 0 {
		return nil
	}
	db, err := r.owners()
	if err != nil {
		return err
	}
	if name := names["uname"]; name != "" && rec.uid == nil {
		if rec.uid, err = numberOf(db.Users, name); err != nil {
			return err
		}
	}
	if name := names["gname"]; name != "" && rec.gid == nil {
		rec.gid, err = numberOf(db.Groups, name)
	}
	return err
}

func numberOf(table *owner.Table, name string) (*uint32, error) {
	id, err := table.ID(name)
	return &id, err
}

// set sets a field of the record.
func (rec *record) set(key, value string) (err error) {
	switch key {
	case "path":
		rec.path = value
	case "digest":
		rec.digest, err = hex.DecodeString(value)
	case "digestalgo":
		rec.algorithm, err = kernelAlgorithm(value)
	case "digestalgopgp":
		var id uint32
		if id, err = number(value, uint32(math.MaxUint32)); err == nil {
			rec.algorithm, err = compact.AlgorithmFromOpenPGP(id)
		}
	case "mode":
		rec.mode, err = regularMode(value)
	case "uid":
		rec.uid, err = pointer(number(value, uint32(owner.MaxID)))
	case "gid":
		rec.gid, err = pointer(number(value, uint32(owner.MaxID)))
	case "caps":
		rec.caps = &value
		_, err = capability.Parse(value)
	case "obj_label":
		rec.label = &value
		err = selinux.CheckLabel(value)
	default:
		err = errors.New("unknown field")
	}
	return err
}

func pointer[T any](v T, err error) (*T, error) { return &v, err }

// number reads a decimal number of at most limit.
func number[T uint16 | uint32](text string, limit T) (T, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > uint64(limit) || len(text) > 1 && text[0] == '0' {
		return 0, fmt.Errorf("want a decimal number of at most %d", limit)
	}
	return T(n), nil
}

func kernelAlgorithm(text string) (compact.Algorithm, error) {
	id, err := number(text, uint16(math.MaxUint16))
	if err == nil && !compact.Algorithm(id).Valid() {
		err = fmt.Errorf("%w: %d", compact.ErrUnsupportedAlgorithm, id)
	}
	return compact.Algorithm(id), err
}

func regularMode(text string) (*uint16, error) {
	mode, err := number(text, uint16(math.MaxUint16))
	if err == nil && !parsers.Regular(mode) {
		err = fmt.Errorf("%#o, want that of a regular file, such as %d", mode, parsers.ModeRegular|0o644)
	}
	return &mode, err
}

// check refuses records of which no entry can be made.
func (rec *record) check() error {
	if rec.digest != nil && len(rec.digest) != rec.algorithm.Size() {
		return fmt.Errorf("digest of %d bytes, want %d for %v", len(rec.digest), rec.algorithm.Size(), rec.algorithm)
	}
	if rec.path == "" {
		return errors.New("no path=")
	}
	info, err := os.Stat(rec.path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", rec.path, regular.ErrNotRegular)
	}
	return err
}

// recordOwners are the users and groups that the names of records are of: those of the
// root or, where it is a mere directory, of the running system.
func (r *request) recordOwners() (*owner.DB, error) {
	root := r.root
	if _, err := os.Stat(filepath.Join("/", root, "etc/passwd")); errors.Is(err, os.ErrNotExist) {
		root = ""
	}
	return owner.Open(root, r.letters.passwd, r.letters.group)
}
