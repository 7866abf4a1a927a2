// Package leaks holds the public library to leaving nothing behind, however often it fails.
package leaks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// malformed returns the files of the tree that are named after what is wrong with them.
func malformed(t *testing.T) []string {
	return files(t, "../inputs/bad/*", "../../*/testdata/bad/*", "../../parsers/*/testdata/bad/*")
}

// sound returns good files of each kind of input.
func sound(t *testing.T) []string {
	evidence := "../../attest/testdata/"
	return files(t,
		"../inputs/rpms/*", "../inputs/db/*/*", "../inputs/known/*", "../inputs/mix/*", "../inputs/keys/*",
		"../../compact/testdata/golden/*", "../../parsers/rpmlist/testdata/lists/*",
		"../../parsers/imalog/testdata/*.*", "../../parsers/audit/testdata/*.log",
		evidence+"mainline-ima-sig/*", evidence+"uefi/*", evidence+"schemes/*")
}

// files returns the regular files that match, at least one for each pattern.
func files(t *testing.T, patterns ...string) (all []string) {
	t.Helper()
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				all = append(all, path)
			}
		}
	}
	return all
}

// cuts is at how many places a good file is cut off.
const cuts = 12

// truncated writes the beginnings of a file to a folder, in which each keeps the
// ending of the name: some decoders look at it.
func truncated(t *testing.T, path, folder string) (all []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range cuts {
		name := fmt.Sprintf("%s/%d-of-%d-%s", folder, i, cuts, strings.ReplaceAll(filepath.Base(path), "/", "-"))
		if err := os.WriteFile(name, data[:len(data)*i/cuts], 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	return all
}
