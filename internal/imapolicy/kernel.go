package imapolicy

import (
	"fmt"
	"strconv"
	"strings"
)

// A Version is the version of a kernel; what comes after the second number does
// not matter to policies.
type Version struct{ Major, Minor int }

func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// before reports whether v is older than w.
func (v Version) before(w Version) bool {
	return v.Major < w.Major || v.Major == w.Major && v.Minor < w.Minor
}

// ParseVersion reads a version as uname -r prints it, such as 6.1.0-56-cloud-amd64.
func ParseVersion(release string) (Version, error) {
	major, rest, _ := strings.Cut(release, ".")
	minor := rest
	if i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		minor = rest[:i]
	}
	a, errMajor := strconv.ParseUint(major, 10, 16)
	b, errMinor := strconv.ParseUint(minor, 10, 16)
	if errMajor != nil || errMinor != nil {
		return Version{}, fmt.Errorf("kernel version %q, want two numbers such as 6.1", release)
	}
	return Version{int(a), int(b)}, nil
}

// A Kernel is what a policy is for. What is not known of it refuses nothing.
type Kernel struct {
	Version     Version
	DigestLists bool            // has the extension
	Config      map[string]bool // options it was built with or without, such as IMA_APPRAISE_MODSIG; those left out are not known
	LSMs        []string        // security modules, as in /sys/kernel/security/lsm; nil if not known
}

// without reports whether the kernel is known to be built without an option.
func (k *Kernel) without(option string) bool {
	set, known := k.Config[option]
	return known && !set
}
