package imapolicy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"digestlists/internal/kernelconfig"
	"digestlists/internal/securityfs"
)

// asked are the options of a kernel's configuration that decide on rules.
var asked = []string{"IMA_APPRAISE_MODSIG", "IMA_LSM_RULES", "IMA_MEASURE_ASYMMETRIC_KEYS"}

// Running returns the running kernel, or that of another root as far as its files
// tell.
func Running(root string) (*Kernel, error) {
	release := kernelconfig.Version(root)
	version, err := ParseVersion(release)
	if err != nil {
		return nil, err
	}
	lists := securityfs.Check(filepath.Join(root, securityfs.MountPoint))
	k := &Kernel{Version: version, DigestLists: !errors.Is(lists, securityfs.ErrUnsupported)}
	if config, _, err := kernelconfig.Read(root, release); err == nil {
		k.Config = map[string]bool{}
		for _, name := range asked {
			k.Config[name] = config["CONFIG_"+name] == "y"
		}
	}
	if text, err := os.ReadFile(filepath.Join(root, securityfs.MountPoint, "lsm")); err == nil {
		k.LSMs = strings.Split(strings.TrimSpace(string(text)), ",")
	}
	return k, nil
}
