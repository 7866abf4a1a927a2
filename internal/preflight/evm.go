package preflight

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"digestlists/internal/securityfs"
)

// evmKeys are where dracut's modules look for keys of EVM.
var evmKeys = []string{"/etc/keys/evm-*", "/etc/keys/x509_evm.der", "/etc/sysconfig/evm"}

// evm looks for a key of EVM: with one, the kernel wants the metadata of files, too.
func evm(m *Machine) []Finding {
	const asks = "appraisal then wants lists of type metadata too, or ima_appraise_digest_list=digest-nometadata: with neither, the machine does not boot"
	text, err := os.ReadFile(m.path(securityfs.MountPoint + "/evm"))
	if err == nil {
		state, err := strconv.ParseUint(strings.TrimSpace(string(text)), 0, 32)
		if err != nil {
			return one(Unknown, fmt.Sprintf("evm in securityfs: %v", err), "")
		}
		// Bit 0 is an HMAC key, bit 1 a certificate (Documentation/ABI/testing/evm).
		if state&3 != 0 {
			return one(Warning, fmt.Sprintf("EVM has a key (state %d): %s", state, asks), "metadata = no (the default) does the second; or make metadata lists")
		}
	} else if !missing(err) {
		return one(Unknown, err.Error(), "")
	}
	for _, pattern := range evmKeys {
		if found, _ := filepath.Glob(m.path(pattern)); len(found) > 0 {
			return one(Warning, fmt.Sprintf("%s: EVM gets a key at the next boot: %s", found[0], asks), "metadata = no (the default) does the second; or make metadata lists")
		}
	}
	return one(OK, "EVM has no key", "")
}
