// Package coverage tells how many of the files that a kernel has measured since boot
// are known to digest lists, and what its appraisal would not have let run.
package coverage

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"digestlists/internal/known"
	"digestlists/internal/securityfs"
	"digestlists/parsers/imalog"
)

// ErrNoList: the kernel offers no measurement list, or an empty one.
var ErrNoList = errors.New("no measurement list")

// A File is one that was measured.
type File struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// A Report is about a boot.
type Report struct {
	Measured int    `json:"measured"` // distinct contents, without digest lists
	Known    int    `json:"known"`    // of them, those that a list has
	Lists    int    `json:"lists"`    // digest lists that were measured
	Unknown  []File `json:"unknown"`  // the others, by path
}

// Complete reports whether nothing was unknown.
func (r *Report) Complete() bool { return len(r.Unknown) == 0 }

// Percent is how much of what was measured is known, rounded down.
func (r *Report) Percent() int {
	if r.Measured == 0 {
		return 0
	}
	return 100 * r.Known / r.Measured
}

// Measurements compares the measurement list of the system below root with the lists of
// a directory of it. Without a list it returns ErrNoList.
func Measurements(root, dir string) (*Report, error) {
	path := filepath.Join(root, securityfs.MountPoint, "ima", "binary_runtime_measurements")
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, ErrNoList)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lists, err := known.Read(filepath.Join(root, dir))
	if err != nil {
		return nil, err
	}
	r, err := compare(imalog.NewReader(f), dir, lists)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func compare(log *imalog.Reader, dir string, lists known.Set) (*Report, error) {
	report := &Report{}
	seen := make(map[string]bool)
	for entries := 0; ; entries++ {
		m, err := log.Next()
		if err == io.EOF && entries > 0 {
			slices.SortFunc(report.Unknown, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
			return report, nil
		}
		if err == io.EOF {
			return nil, ErrNoList
		}
		if err != nil {
			return nil, err
		}
		report.add(m, dir, lists, seen)
	}
}

func (r *Report) add(m *imalog.Measurement, dir string, lists known.Set, seen map[string]bool) {
	name := m.Name()
	if name == "boot_aggregate" {
		return
	}
	if m.Violation() {
		if !seen["violation "+name] {
			seen["violation "+name] = true
			r.Measured++
			r.Unknown = append(r.Unknown, File{name, "was written to while it was measured or open"})
		}
		return
	}
	algorithm, digest, err := m.FileDigest()
	if err != nil { // such as the kernel's command line, which is no file
		return
	}
	id := algorithm.String() + string(digest)
	if seen[id] {
		return
	}
	seen[id] = true
	switch {
	case filepath.Dir(name) == filepath.Clean(dir):
		r.Lists++
		return
	case lists.Has(algorithm, digest):
		r.Known++
	default:
		r.Unknown = append(r.Unknown, File{name, "no list has " + algorithm.String() + " " + fmt.Sprintf("%x", digest)})
	}
	r.Measured++
}
