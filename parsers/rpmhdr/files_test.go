package rpmhdr_test

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/parsers/rpmhdr"
)

var (
	hexA = strings.Repeat("a1", 32)
	hexB = strings.Repeat("B2", 32) // either case is hex
)

// A directory, a file, a configuration file and a ghost.
var fileSample = []field{
	numbers[uint32](rpmhdr.FileSizes, 4096, 5, 0, 0),
	numbers[uint16](rpmhdr.FileModes, 0o40755, 0o100755, 0o100644, 0o100600),
	texts(rpmhdr.FileDigests, "", hexA, hexB, ""),
	numbers[uint32](rpmhdr.FileFlags, 0, 0, 1, 64),
	texts(rpmhdr.FileUserName, "root", "root", "daemon", "root"),
	texts(rpmhdr.FileGroupName, "root", "mail", "mail", "root"),
	numbers[uint32](rpmhdr.DirIndexes, 1, 0, 1, 1),
	texts(rpmhdr.BaseNames, "app", "run", "app.conf", "ghost"),
	texts(rpmhdr.DirNames, "/usr/bin/", "/etc/"),
	texts(rpmhdr.FileCaps, "", "cap_chown=ep", "", ""),
	numbers[uint32](rpmhdr.FileDigestAlgo, 8),
	texts(rpmhdr.FileSignatures, "", "0302ff", "", ""),
}

type record struct {
	path, digest, user, group, caps, signature string
	mode                                       uint16
	size                                       int64
	flags                                      uint32
}

func records(files *rpmhdr.Files) (all []record) {
	for files.Next() {
		all = append(all, record{
			files.Path(), hex.EncodeToString(files.Digest()), files.User(), files.Group(), files.Caps(),
			hex.EncodeToString(files.Signature()), files.Mode(), files.Size(), files.Flags(),
		})
	}
	return all
}

func loadFiles(t *testing.T, fields []field) (*rpmhdr.Files, error) {
	t.Helper()
	h, err := rpmhdr.Parse(build(fields))
	if err != nil {
		t.Fatal(err)
	}
	files := new(rpmhdr.Files)
	return files, errors.Join(files.Load(h), files.LoadSignatures(h))
}

func TestFiles(t *testing.T) {
	run := record{"/usr/bin/run", hexA, "root", "mail", "cap_chown=ep", "0302ff", 0o100755, 5, 0}
	conf := record{"/etc/app.conf", strings.ToLower(hexB), "daemon", "mail", "", "", 0o100644, 0, rpmhdr.FileConfig}
	long := run
	long.size = 1 << 40
	old := run
	old.path = "/opt/run"
	bare := record{digest: hexA, mode: 0o100755, size: 5}
	for name, tt := range map[string]struct {
		fields []field
		want   []record
	}{
		"all": {fileSample, []record{run, conf}},
		"files over 4 GiB": {
			replace(fileSample, rpmhdr.FileSizes, numbers[uint64](rpmhdr.LongFileSizes, 0, 1<<40, 0, 0)),
			[]record{long, conf},
		},
		"old file names": {
			replace(replace(replace(fileSample, rpmhdr.BaseNames, texts(rpmhdr.OldFileNames, "/opt", "/opt/run", "/etc/app.conf", "/g")),
				rpmhdr.DirIndexes), rpmhdr.DirNames),
			[]record{old, conf},
		},
		"no digests":      {replace(fileSample, rpmhdr.FileDigests), nil},
		"no files at all": {sample, nil},
		"one file, no more than needed": {[]field{
			numbers[uint32](rpmhdr.FileSizes, 5), numbers[uint16](rpmhdr.FileModes, 0o100755),
			texts(rpmhdr.FileDigests, hexA), numbers[uint32](rpmhdr.FileDigestAlgo, 8),
		}, []record{bare}},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := loadFiles(t, tt.fields)
			if err != nil {
				t.Fatal(err)
			}
			if got := records(files); !slices.Equal(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// The algorithm decides the length of the digests; without one it is MD5.
func TestFilesAlgorithm(t *testing.T) {
	for _, a := range compact.Algorithms() {
		id, ok := a.OpenPGP()
		if !ok {
			continue
		}
		digest := strings.Repeat("5a", a.Size())
		fields := replace(replace(fileSample, rpmhdr.FileDigestAlgo, numbers(rpmhdr.FileDigestAlgo, uint32(id))),
			rpmhdr.FileDigests, texts(rpmhdr.FileDigests, digest, "", "", digest))
		files, err := loadFiles(t, fields)
		if err != nil {
			t.Errorf("%v: %v", a, err)
			continue
		}
		if got := records(files); len(got) != 2 || got[1].digest != digest || files.Algorithm() != a {
			t.Errorf("%v: got %+v of %v", a, got, files.Algorithm())
		}
		if a == compact.MD5 {
			files, err = loadFiles(t, replace(fields, rpmhdr.FileDigestAlgo))
			if err != nil || files.Algorithm() != compact.MD5 {
				t.Errorf("without algorithm: %v, %v", files.Algorithm(), err)
			}
		}
	}
}

func TestFilesMalformed(t *testing.T) {
	with := func(tag rpmhdr.Tag, f ...field) []field { return replace(fileSample, tag, f...) }
	digests := func(d ...string) []field { return with(rpmhdr.FileDigests, texts(rpmhdr.FileDigests, d...)) }
	for name, tt := range map[string]struct {
		fields []field
		class  error
		field  string
	}{
		"short digest":               {digests("", hexA[2:], hexB, ""), compact.ErrMalformed, "filedigests, file 2 of 4"},
		"long digest":                {digests("", hexA+"00", hexB, ""), compact.ErrMalformed, "filedigests, file 2 of 4"},
		"short last digest":          {digests("", "", "", hexB[:3]), compact.ErrMalformed, "filedigests, file 4 of 4"},
		"not hex":                    {digests("", hexA, hexB[:63]+"g", ""), compact.ErrMalformed, "filedigests, file 3 of 4"},
		"not ASCII":                  {digests("", hexA, hexB[:63]+"\xe1", ""), compact.ErrMalformed, "filedigests, file 3 of 4"},
		"fewer digests":              {digests(hexA, hexB), compact.ErrMalformed, "filemodes"},
		"digests of another type":    {with(rpmhdr.FileDigests, text(rpmhdr.FileDigests, hexA)), compact.ErrMalformed, "filedigests"},
		"no algorithm":               {with(rpmhdr.FileDigestAlgo), compact.ErrMalformed, "filedigests, file 2 of 4"},
		"other algorithm":            {with(rpmhdr.FileDigestAlgo, numbers[uint32](rpmhdr.FileDigestAlgo, 2)), compact.ErrMalformed, "filedigests, file 2 of 4"},
		"unknown algorithm":          {with(rpmhdr.FileDigestAlgo, numbers[uint32](rpmhdr.FileDigestAlgo, 99)), compact.ErrUnsupportedAlgorithm, "filedigestalgo"},
		"algorithm 0":                {with(rpmhdr.FileDigestAlgo, numbers[uint32](rpmhdr.FileDigestAlgo, 0)), compact.ErrUnsupportedAlgorithm, "filedigestalgo"},
		"algorithm of another width": {with(rpmhdr.FileDigestAlgo, numbers[uint16](rpmhdr.FileDigestAlgo, 8)), compact.ErrMalformed, "filedigestalgo"},
		"two algorithms":             {with(rpmhdr.FileDigestAlgo, numbers[uint32](rpmhdr.FileDigestAlgo, 8, 8)), compact.ErrMalformed, "filedigestalgo"},
		"no modes":                   {with(rpmhdr.FileModes), compact.ErrMalformed, "filemodes"},
		"fewer modes":                {with(rpmhdr.FileModes, numbers[uint16](rpmhdr.FileModes, 1)), compact.ErrMalformed, "filemodes"},
		"modes of another width":     {with(rpmhdr.FileModes, numbers[uint32](rpmhdr.FileModes, 1, 2, 3, 4)), compact.ErrMalformed, "filemodes"},
		"no sizes":                   {with(rpmhdr.FileSizes), compact.ErrMalformed, "filesizes"},
		"more sizes":                 {with(rpmhdr.FileSizes, numbers[uint32](rpmhdr.FileSizes, 1, 2, 3, 4, 5)), compact.ErrMalformed, "filesizes"},
		"fewer long sizes":           {with(rpmhdr.FileSizes, numbers[uint64](rpmhdr.LongFileSizes, 1)), compact.ErrMalformed, "longfilesizes"},
		"negative long size":         {with(rpmhdr.FileSizes, numbers[uint64](rpmhdr.LongFileSizes, 1, 1<<63, 1, 1)), compact.ErrTooLarge, "longfilesizes, file 2 of 4"},
		"fewer flags":                {with(rpmhdr.FileFlags, numbers[uint32](rpmhdr.FileFlags, 1)), compact.ErrMalformed, "fileflags"},
		"fewer owners":               {with(rpmhdr.FileUserName, texts(rpmhdr.FileUserName, "root")), compact.ErrMalformed, "fileusername"},
		"groups of another type":     {with(rpmhdr.FileGroupName, numbers[uint32](rpmhdr.FileGroupName, 1, 2, 3, 4)), compact.ErrMalformed, "filegroupname"},
		"fewer capabilities":         {with(rpmhdr.FileCaps, texts(rpmhdr.FileCaps, "")), compact.ErrMalformed, "filecaps"},
		"fewer names":                {with(rpmhdr.BaseNames, texts(rpmhdr.BaseNames, "a")), compact.ErrMalformed, "basenames"},
		"no directories":             {with(rpmhdr.DirNames), compact.ErrMalformed, "dirnames"},
		"no directory numbers":       {with(rpmhdr.DirIndexes), compact.ErrMalformed, "dirindexes"},
		"directory one too many":     {with(rpmhdr.DirIndexes, numbers[uint32](rpmhdr.DirIndexes, 0, 1, 2, 0)), compact.ErrMalformed, "dirindexes, file 3 of 4"},
		"directory too long":         {with(rpmhdr.DirNames, texts(rpmhdr.DirNames, "/", "/"+strings.Repeat("x", 4095))), compact.ErrMalformed, "dirnames"},
		"directory negative":         {with(rpmhdr.DirIndexes, numbers[uint32](rpmhdr.DirIndexes, 0, 0xffffffff, 0, 0)), compact.ErrMalformed, "dirindexes, file 2 of 4"},
		"fewer signatures":           {with(rpmhdr.FileSignatures, texts(rpmhdr.FileSignatures, "03")), compact.ErrMalformed, "filesignatures"},
		"signature not hex":          {with(rpmhdr.FileSignatures, texts(rpmhdr.FileSignatures, "", "0x", "", "")), compact.ErrMalformed, "filesignatures"},
		"signature of odd length":    {with(rpmhdr.FileSignatures, texts(rpmhdr.FileSignatures, "", "030", "", "")), compact.ErrMalformed, "filesignatures"},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := loadFiles(t, tt.fields)
			var format *compact.FormatError
			if !errors.As(err, &format) || !errors.Is(err, tt.class) || format.Field != tt.field {
				t.Fatalf("error is %v, want a FormatError of %v in %s", err, tt.class, tt.field)
			}
			if tt.field != "filesignatures" && files.Next() {
				t.Error("a file came after the error")
			}
		})
	}
}

// Nothing of a header is left when another one is loaded, or fails to.
func TestFilesReused(t *testing.T) {
	files, err := loadFiles(t, fileSample)
	if err != nil || !files.Next() {
		t.Fatal(err)
	}
	bare, err := rpmhdr.Parse(build(sample))
	if err != nil {
		t.Fatal(err)
	}
	if err := files.Load(bare); err != nil || files.Next() || files.HasPaths() || files.HasNames() {
		t.Errorf("files of a header without: %v", err)
	}
	full, err := rpmhdr.Parse(build(fileSample))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := errors.Join(files.Load(full), files.LoadSignatures(full)); err != nil {
			t.Fatal(err)
		}
		if got := records(files); len(got) != 2 || got[0].path != "/usr/bin/run" {
			t.Errorf("got %+v", got)
		}
	}
}

// Stepping over a loaded package is free of allocations; so is loading the next.
func TestFilesAllocations(t *testing.T) {
	h, err := rpmhdr.Parse(build(fileSample))
	if err != nil {
		t.Fatal(err)
	}
	var files rpmhdr.Files
	var sum int64
	allocations := testing.AllocsPerRun(100, func() {
		if err := files.Load(h); err != nil {
			t.Fatal(err)
		}
		for files.Next() {
			sum += int64(files.Digest()[0]) + int64(files.Mode()) + files.Size() + int64(files.Flags())
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations, want none", allocations)
	}
}
