package securityfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// EVMHMAC has EVM make and check HMACs, with the key evm-key. See
// Documentation/ABI/testing/evm of the kernel for this and other bits.
const EVMHMAC = 1 << 0

// errNoEVM is a kernel without EVM.
var errNoEVM = errors.New("the kernel has no EVM")

// EVM returns what EVM does in the kernel whose securityfs is mounted at root.
func EVM(root string) (uint32, error) {
	file := filepath.Join(root, "evm")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s: %w", file, errNoEVM)
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s: %q, want a number", file, text)
	}
	return uint32(n), nil
}

// EnableEVM adds to what EVM does. For EVMHMAC, the key evm-key must be loaded, where
// the kernel finds it for this process.
func EnableEVM(root string, bits uint32) error {
	file := filepath.Join(root, "evm")
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", file, errNoEVM)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(f, bits)
	if errors.Is(err, unix.ENOKEY) {
		err = fmt.Errorf("%w: the EVM key is not loaded", err)
	}
	if errors.Is(err, unix.EPERM) {
		err = fmt.Errorf("%w: EVM does this already, or is set up to take no changes", err)
	}
	return errors.Join(err, f.Close())
}
