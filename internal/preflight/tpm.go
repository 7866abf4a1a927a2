package preflight

import (
	"os"
	"path/filepath"
	"strings"
)

// tpm looks for a TPM and its banks. Without one, lists still load and files are still
// appraised; nobody else can be convinced of what was measured.
func tpm(m *Machine) []Finding {
	const name, unknown = "/sys/class/tpm/tpm0", "whether what is measured can be attested to others is not known"
	dir := m.path(name)
	if there, err := exists(dir); !there {
		if err != nil {
			return m.unread(name, err, unknown)
		}
		return amiss(Warning, "there is no TPM", "what is measured can be read here, and not attested to others",
			"switch the TPM on in the firmware, or give the virtual machine one (swtpm)")
	}
	version, err := os.ReadFile(dir + "/tpm_version_major")
	if err != nil {
		return amiss(Unknown, "there is a TPM, of which neither version nor banks are known: "+err.Error(), unknown,
			"tpm2_getcap pcrs lists the banks of a TPM 2.0")
	}
	if v := strings.TrimSpace(string(version)); v != "2" {
		return amiss(Warning, "the TPM is of version "+v, "it attests SHA-1 only", "switch it to 2.0 in the firmware, or use a TPM 2.0")
	}
	banks, _ := filepath.Glob(dir + "/pcr-*") // the pattern is good
	for i, b := range banks {
		banks[i] = strings.TrimPrefix(filepath.Base(b), "pcr-")
	}
	all := strings.Join(banks, " ")
	switch {
	case len(banks) == 0:
		return amiss(Unknown, "a TPM 2.0, whose banks the kernel does not show", unknown, "tpm2_getcap pcrs lists them")
	case !strings.Contains(all, "sha256"):
		return amiss(Warning, "the TPM has no SHA-256 bank, but "+all, "SHA-1 alone is weak", "tpm2_pcrallocate sha256:all, and boot again")
	}
	return fine("a TPM 2.0 with banks %s", all)
}
