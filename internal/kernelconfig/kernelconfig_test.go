package kernelconfig

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/hosttest"
)

const sample = "#\n# Linux/x86 6.1.0 Kernel Configuration\n#\nCONFIG_IMA=y\nCONFIG_IMA_DEFAULT_HASH=\"sha256\"\n# CONFIG_EVM is not set\n"

// A configuration has options or is an error, and not more of them than the file.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(sample), false)
	f.Add(hosttest.Gzip(f, []byte(sample)), true)
	f.Add(hosttest.Gzip(f, bytes.Repeat([]byte("CONFIG_A=y\n"), 1<<19)), true)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte, packed bool) {
		path := filepath.Join(dir, "config")
		if packed {
			path += ".gz"
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		config, err := readConfig(path)
		if (err == nil) != (len(config) > 0) {
			t.Fatalf("%d options, error %v", len(config), err)
		}
		size := 0
		for name, value := range config {
			size += len(name) + len(value)
			if !strings.HasPrefix(name, "CONFIG_") {
				t.Fatalf("option %q", name)
			}
		}
		if size > maxConfig || !packed && size > len(data) {
			t.Fatalf("%d bytes of options", size)
		}
	})
}
