package preflight

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"digestlists/internal/regular"
)

// options are what a kernel is built with for digest lists, from Linux's
// security/integrity/*/Kconfig.
var options = []struct {
	name    string
	verdict Verdict // without it
	text    string  // what is missing then
}{
	{"CONFIG_IMA", Error, "nothing is measured or appraised"},
	{"CONFIG_SECURITYFS", Error, "there is no way to load digest lists or policies"},
	{"CONFIG_IMA_APPRAISE", Warning, "files can be measured, but not appraised"},
	{"CONFIG_EVM", Warning, "attributes of files are not protected"},
	{"CONFIG_ENCRYPTED_KEYS", Warning, "there can be no EVM key"},
	{"CONFIG_TMPFS_XATTR", Warning, "lists in the initramfs have no signatures there"},
	{"CONFIG_IMA_WRITE_POLICY", Warning, "one custom policy can be loaded, and not changed until the next boot"},
}

// kernel looks at the version and at how the kernel was built.
func kernel(m *Machine) []Finding {
	version := kernelVersion(m)
	if version == "" {
		return one(Unknown, "the version of the kernel is not known: /proc/sys/kernel/osrelease cannot be read", "mount /proc")
	}
	config, where, err := kernelConfig(m, version)
	if err != nil {
		return one(Unknown, fmt.Sprintf("kernel %s: how it was built is not known: %v", version, err),
			"install the file /boot/config-"+version+" of the kernel's package")
	}
	findings := one(OK, fmt.Sprintf("kernel %s, built as %s says", version, where), "")
	for _, o := range options {
		if v := config[o.name]; v != "y" && v != "m" {
			findings = append(findings, Finding{
				Verdict: o.verdict, Text: o.name + " is not set: " + o.text,
				Mend: "boot a kernel that is built with " + o.name + "=y",
			})
		}
	}
	return findings
}

// kernelVersion is that of the running kernel, or the only one of another root.
func kernelVersion(m *Machine) string {
	text, err := os.ReadFile(m.path("/proc/sys/kernel/osrelease"))
	if err == nil {
		return strings.TrimSpace(string(text))
	}
	entries, err := os.ReadDir(m.path("/lib/modules"))
	if err != nil || len(entries) != 1 {
		return ""
	}
	return entries[0].Name()
}

// kernelConfig reads the options of a kernel, from the kernel itself where it has them.
func kernelConfig(m *Machine, version string) (config map[string]string, where string, err error) {
	for _, where := range []string{"/proc/config.gz", "/boot/config-" + version, "/lib/modules/" + version + "/config"} {
		config, err := readConfig(m.path(where))
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
	lines := bufio.NewScanner(io.LimitReader(r, maxConfig))
	for lines.Scan() {
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
