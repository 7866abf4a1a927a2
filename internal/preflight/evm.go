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
	const (
		name    = securityfs.MountPoint + "/evm"
		asks    = "appraisal then wants lists of type metadata too, or ima_appraise_digest_list=digest-nometadata: with neither, the machine does not boot"
		mend    = "leave metadata = no in the answers (the default), which boots with the second; or make metadata lists: gen_digest_lists -t metadata"
		unknown = "whether appraisal wants lists of type metadata is not known"
	)
	text, err := os.ReadFile(m.path(name))
	if err == nil {
		state, err := strconv.ParseUint(strings.TrimSpace(string(text)), 0, 32)
		if err != nil {
			return amiss(Unknown, fmt.Sprintf("evm in securityfs: %v", err), unknown,
				"cat "+m.path(name)+": its lowest two bits are a key; leave metadata = no in the answers, which does for both")
		}
		// Bit 0 is an HMAC key, bit 1 a certificate (Documentation/ABI/testing/evm).
		if state&3 != 0 {
			return amiss(Warning, fmt.Sprintf("EVM has a key (state %d)", state), asks, mend)
		}
	} else if !missing(err) {
		return m.unread(name, err, unknown)
	}
	for _, pattern := range evmKeys {
		if found, _ := filepath.Glob(m.path(pattern)); len(found) > 0 {
			return amiss(Warning, found[0]+": EVM gets a key at the next boot", asks, mend)
		}
	}
	return fine("EVM has no key")
}
