package boot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"digestlists/internal/kernelconfig"
)

// A Kernel is what guests boot.
type Kernel struct {
	Image          string // file
	Version        string // as uname -r prints it
	Modules        string // folder lib/modules with one of the version's name in it
	DigestLists    bool   // has the extension
	TrustedKeys    bool   // has keys that a TPM seals
	TrustedKeyring bool   // takes only certificates of an authority, see doc.go
	MorePolicies   bool   // takes one IMA policy after the other
}

// FindKernel returns Debian's cloud kernel, or the one that KERNEL names, whose
// modules and configuration are expected where a package of a kernel has them. The
// digest list extension is not in any kernel that the tests can install; what they expect
// of one was seen on Linux 5.10.262 with openEuler's. Debian builds no kernel with trusted
// keys either.
func FindKernel() (*Kernel, error) {
	image := os.Getenv("KERNEL")
	if image == "" {
		root, err := moduleRoot()
		if err != nil {
			return nil, err
		}
		found, err := filepath.Glob(filepath.Join(root, "build/boot/kernel/boot/vmlinuz-*"))
		if err != nil || len(found) != 1 {
			return nil, fmt.Errorf("%d kernels in build/boot/kernel, want 1: run test/setup", len(found))
		}
		image = found[0]
	}
	version, err := kernelVersion(image)
	if err != nil {
		return nil, err
	}
	root := filepath.Join(filepath.Dir(image), "..")
	config, _, err := kernelconfig.Read(root, version)
	if err != nil {
		return nil, err
	}
	kernel := &Kernel{Image: image, Version: version, Modules: filepath.Join(root, "lib/modules")}
	for option := range config {
		kernel.DigestLists = kernel.DigestLists || strings.HasPrefix(option, "CONFIG_IMA_DIGEST_LIST")
		kernel.TrustedKeys = kernel.TrustedKeys || option == "CONFIG_TRUSTED_KEYS"
		kernel.MorePolicies = kernel.MorePolicies || option == "CONFIG_IMA_WRITE_POLICY"
		kernel.TrustedKeyring = kernel.TrustedKeyring || option == "CONFIG_INTEGRITY_TRUSTED_KEYRING"
	}
	return kernel, nil
}

// kernelVersion reads the version in a kernel image. Source:
// Documentation/arch/x86/boot.rst, the field kernel_version.
func kernelVersion(image string) (string, error) {
	content, err := os.ReadFile(image)
	if err != nil {
		return "", err
	}
	if len(content) < 0x210 || string(content[0x202:0x206]) != "HdrS" {
		return "", fmt.Errorf("%s: no header of an x86 kernel", image)
	}
	start := 0x200 + int(binary.LittleEndian.Uint16(content[0x20e:]))
	text, _, ok := bytes.Cut(content[min(start, len(content)):], []byte{0})
	version, _, spaced := strings.Cut(string(text), " ")
	if !ok || !spaced {
		return "", fmt.Errorf("%s: no version at offset %d", image, start)
	}
	return version, nil
}

// moduleRoot returns the folder of go.mod.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if filepath.Base(file) != "go.mod" {
		return "", errors.New("not in the module")
	}
	return filepath.Dir(file), nil
}
