package known_test

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/internal/known"
)

func sum(t *testing.T, program, path string) []byte {
	t.Helper()
	out, err := exec.Command(program, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := hex.DecodeString(strings.Fields(string(out))[0])
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// The list is one of a real package, whose file is in the demo's data.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	list, err := os.ReadFile("../../test/inputs/mix/0-file_list-rpm-g256-1.2-3-x86_64")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "0-file_list-rpm-g256-1.2-3-x86_64")
	if err := os.WriteFile(path, list, 0o644); err != nil {
		t.Fatal(err)
	}
	set, err := known.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	const file = "../../demo/data/files/g256"
	if !set.Has(compact.SHA256, sum(t, "sha256sum", file)) {
		t.Error("the package's file is not known")
	}
	if set.Has(compact.SHA1, sum(t, "sha1sum", file)) || set.Has(compact.SHA256, sum(t, "sha256sum", path)) {
		t.Error("what is not in the list is known")
	}

	// A list that cannot be read would leave its files unknown.
	if err := os.WriteFile(path, list[:len(list)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if set, err := known.Read(dir); set != nil || !errors.Is(err, compact.ErrTruncated) || !strings.Contains(err.Error(), path) {
		t.Errorf("half a list: %v, %v", set, err)
	}
	if _, err := known.Read(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}
