package preflight

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"digestlists/parsers/rpmdb"
	"digestlists/parsers/rpmhdr"
)

// packages compares the algorithm of the package database with that of the kernel.
func packages(m *Machine) []Finding {
	path, err := rpmdb.Find(m.root())
	if errors.Is(err, rpmdb.ErrNoDatabase) {
		return fine("there is no RPM database: lists are made of folders or package files")
	}
	const unknown = "whether lists can be made of packages is not known"
	if err != nil {
		return m.unread("/var/lib/rpm", err, unknown)
	}
	counts, err := algorithms(path)
	if errors.Is(err, fs.ErrPermission) {
		return m.unread("/var/lib/rpm", err, unknown)
	}
	if err != nil {
		return amiss(Error, fmt.Sprintf("the RPM database cannot be read: %v", err), "no list can be made of its packages",
			"rpmdb --rebuilddb --dbpath "+filepath.Dir(path))
	}
	return append(compareHash(counts, kernelHash(m)), m.clock(path)...)
}

// algorithms counts the packages with files by the algorithm of their digests, as
// RFC 4880 numbers them (9.4), 0 for MD5 of packages that do not say it.
func algorithms(path string) (map[uint32]int, error) {
	db, err := rpmdb.Open(path)
	if err != nil {
		return nil, err
	}
	counts := make(map[uint32]int)
	for blob, err := range db.Headers(context.Background()) {
		if err != nil {
			return nil, err
		}
		h, err := rpmhdr.Parse(blob.Data)
		if err != nil {
			return nil, fmt.Errorf("package %d: %w", blob.Number, err)
		}
		if h.Count(rpmhdr.FileDigests) == 0 {
			continue
		}
		var id uint32
		if ids, ok := h.Uint32s(rpmhdr.FileDigestAlgo); ok && len(ids) == 1 {
			id = ids[0]
		}
		counts[id]++
	}
	return counts, nil
}

// pgpNames are the algorithms that packages use.
var pgpNames = map[uint32]string{0: "md5", 1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}

// kernelHash returns ima_hash= of the command line, or the default.
func kernelHash(m *Machine) string {
	text, err := os.ReadFile(m.path("/proc/cmdline"))
	if err != nil {
		return "sha256"
	}
	for _, word := range strings.Fields(string(text)) {
		if value, ok := strings.CutPrefix(word, "ima_hash="); ok {
			return value
		}
	}
	return "sha256" // what the entries that are added say
}

func compareHash(counts map[uint32]int, hash string) []Finding {
	all, other := 0, 0
	var example uint32 // what most of the others have
	for id, n := range counts {
		if all += n; pgpNames[id] != hash {
			if other += n; n > counts[example] || n == counts[example] && id < example {
				example = id
			}
		}
	}
	if other == 0 {
		return fine("the digests of all %d packages with files are %s, as the kernel's", all, hash)
	}
	mend := "list their files by folder: immutable = FOLDER in the answers"
	if name := pgpNames[example]; counts[example] > all-other && strings.HasPrefix(name, "sha") {
		mend = "boot with ima_hash=" + name + " (hash = " + name + " in the answers); and list the files of the others by folder: immutable = FOLDER"
	}
	return amiss(Warning, fmt.Sprintf("%d of %d packages have digests of another algorithm (%s) than the kernel's (%s)", other, all, pgpNames[example], hash),
		"their files are unknown to the kernel", mend)
}

// clock compares the clock with the last change of the database.
func (m *Machine) clock(path string) []Finding {
	info, err := os.Stat(path)
	if err != nil {
		return m.unread("/var/lib/rpm", err, "whether the clock is behind is not known")
	}
	if now := time.Now(); info.ModTime().After(now.Add(time.Minute)) {
		return amiss(Error, fmt.Sprintf("the clock says %s, before the last change of the RPM database, %s", now.Format(time.DateTime), info.ModTime().Format(time.DateTime)),
			"a clock that is behind makes certificates invalid", "set the clock: timedatectl set-ntp true")
	}
	return nil
}
