package preflight

import (
	"os"
	"path/filepath"
	"strings"
)

// tpm looks for a TPM and its banks. Without one, lists still load and files are still
// appraised; nobody else can be convinced of what was measured.
func tpm(m *Machine) []Finding {
	dir := m.path("/sys/class/tpm/tpm0")
	if there, err := exists(dir); !there {
		if err != nil {
			return one(Unknown, err.Error(), "")
		}
		return one(Warning, "there is no TPM: what is measured can be read here, and not attested to others", "switch the TPM on in the firmware")
	}
	version, err := os.ReadFile(dir + "/tpm_version_major")
	if err != nil {
		return one(Unknown, "there is a TPM, of which neither version nor banks are known: "+err.Error(), "")
	}
	if v := strings.TrimSpace(string(version)); v != "2" {
		return one(Warning, "the TPM is of version "+v+": it attests SHA-1 only", "use a TPM 2.0")
	}
	banks, _ := filepath.Glob(dir + "/pcr-*") // the pattern is good
	for i, b := range banks {
		banks[i] = strings.TrimPrefix(filepath.Base(b), "pcr-")
	}
	all := strings.Join(banks, " ")
	switch {
	case len(banks) == 0:
		return one(Unknown, "a TPM 2.0, whose banks the kernel does not show", "tpm2_getcap pcrs")
	case !strings.Contains(all, "sha256"):
		return one(Warning, "the TPM has no SHA-256 bank, but "+all+": SHA-1 alone is weak", "tpm2_pcrallocate sha256:all")
	}
	return one(OK, "a TPM 2.0 with banks "+all, "")
}
