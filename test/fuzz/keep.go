package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The most that is kept for a target, so that the corpora of all of them stay a few
// hundred KiB.
const (
	maxKept     = 16
	maxKeptSize = 8 << 10 // bytes, of all of them
)

// keep copies inputs from the cache to testdata/fuzz: small ones first, if they reach
// code that no seed and no other one reaches.
func (r *row) keep(temp, cached string) error {
	candidates, err := bySize(cached)
	if err != nil || len(candidates) == 0 {
		return err
	}
	program := filepath.Join(temp, "test")
	if err := build(r.folder, program, "-cover", "-coverpkg=./..."); err != nil {
		return err
	}
	seeds := filepath.Join(r.folder, "testdata", "fuzz", r.name)
	if err := os.MkdirAll(seeds, 0o755); err != nil {
		return err
	}
	reached := make(map[string]bool)
	if _, err := r.reach(program, temp, ".", reached); err != nil {
		return err
	}
	kept, err := bySize(seeds)
	if err != nil {
		return err
	}
	size, n := 0, len(kept)
	for _, name := range kept {
		size += fileSize(filepath.Join(seeds, name))
	}
	for _, name := range candidates {
		from, to := filepath.Join(cached, name), filepath.Join(seeds, name)
		if n == maxKept || size+fileSize(from) > maxKeptSize {
			break
		}
		if slices.Contains(kept, name) {
			continue
		}
		if err := copyFile(to, from); err != nil {
			return err
		}
		more, err := r.reach(program, temp, "^"+name+"$", reached)
		if err != nil {
			return err
		}
		if !more {
			if err := os.Remove(to); err != nil {
				return err
			}
			continue
		}
		n, size = n+1, size+fileSize(from)
	}
	fmt.Fprintf(os.Stderr, "fuzz: %s: %d seeds of %d bytes in all\n", r.target, n, size)
	os.Remove(seeds) // if nothing is in it
	return nil
}

// reach runs the target on its seeds that match, and adds the code that they reach. It
// reports whether there is more.
func (r *row) reach(program, temp, seeds string, reached map[string]bool) (more bool, err error) {
	profile := filepath.Join(temp, "profile")
	cmd := exec.Command(program, "-test.run=^"+r.name+"$/"+seeds, "-test.coverprofile="+profile)
	cmd.Dir = r.folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return false, fmt.Errorf("%s: %w\n%s", r.target, err, out)
	}
	text, err := os.ReadFile(profile)
	if err != nil {
		return false, err
	}
	// A line is a block of code, the number of statements, and how often they ran.
	for line := range strings.Lines(string(text)) {
		block, count, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(block, module+"/") && !strings.HasSuffix(count, " 0") && !reached[block] {
			reached[block], more = true, true
		}
	}
	return more, nil
}

// bySize returns the names of the files in a folder, the smallest first; none if there
// is no folder.
func bySize(folder string) (names []string, err error) {
	entries, err := os.ReadDir(folder)
	if os.IsNotExist(err) {
		return nil, nil
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return fileSize(filepath.Join(folder, a)) - fileSize(filepath.Join(folder, b))
	})
	return names, err
}

func fileSize(path string) int {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return int(info.Size())
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
