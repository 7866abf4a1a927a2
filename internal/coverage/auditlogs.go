package coverage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"digestlists/internal/packed"
)

// Where auditd writes, on every distribution.
const (
	auditFolder = "/var/log/audit"
	auditLog    = "audit.log"
)

// auditLogs returns the log of auditd and those that it was rotated to: audit.log.1 and so
// on, each maybe with .gz or the like after it. The newest comes first: a log that is
// rotated while they are read is read twice, which does no harm, and none is missed.
func auditLogs(root string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(root, auditFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	ages := make(map[string]int)
	var paths []string
	for _, e := range entries {
		if age, ok := packed.Rotated(e.Name(), auditLog); ok {
			path := filepath.Join(root, auditFolder, e.Name())
			ages[path] = age
			paths = append(paths, path)
		}
	}
	slices.SortFunc(paths, func(a, b string) int { return ages[a] - ages[b] })
	return paths, nil
}

// logRefusals leaves out a log that was written to before this boot only.
func (e *evidence) logRefusals(path string, boot time.Time) ([]File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.ModTime().Before(boot) {
		return nil, err
	}
	plain, done, err := packed.NewReader(f)
	defer done()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return e.refusals(plain, path, since(boot))
}
