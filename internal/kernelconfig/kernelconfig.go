// Package kernelconfig tells how a kernel was built.
package kernelconfig

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"digestlists/internal/regular"
)

// Version returns the version of the running kernel, or the only one of another root; ""
// if it is not known.
func Version(root string) string {
	text, err := os.ReadFile(filepath.Join(root, "/proc/sys/kernel/osrelease"))
	if err == nil {
		return strings.TrimSpace(string(text))
	}
	entries, err := os.ReadDir(filepath.Join(root, "/lib/modules"))
	if err != nil || len(entries) != 1 {
		return ""
	}
	return entries[0].Name()
}

// Read reads the options of a kernel, from the kernel itself where it has them. Their
// names begin with CONFIG_; those that are not set are not there.
func Read(root, version string) (config map[string]string, where string, err error) {
	for _, where := range []string{"/proc/config.gz", "/boot/config-" + version, "/lib/modules/" + version + "/config"} {
		config, err := readConfig(filepath.Join(root, where))
		if !errors.Is(err, fs.ErrNotExist) {
			return config, where, err
		}
	}
	return nil, "", errors.New("there is neither /proc/config.gz nor /boot/config-" + version)
}

// maxConfig is several times the largest configuration there is.
const maxConfig = 4 << 20

func readConfig(path string) (map[string]string, error) {
	f, err := regular.Open(path, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	config := make(map[string]string)
	lines := bufio.NewScanner(r)
	read := 0
	for lines.Scan() {
		if read += len(lines.Bytes()); read > maxConfig {
			return nil, fmt.Errorf("%s: %w: more than %d bytes", path, regular.ErrTooLarge, maxConfig)
		}
		if name, value, ok := strings.Cut(lines.Text(), "="); ok && strings.HasPrefix(name, "CONFIG_") {
			config[name] = value
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(config) == 0 {
		return nil, fmt.Errorf("%s: no kernel configuration", path)
	}
	return config, nil
}
