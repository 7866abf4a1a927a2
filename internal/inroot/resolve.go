package inroot

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"syscall"
)

// maxLinks is the kernel's own limit on links in one path.
const maxLinks = 40

// Resolve follows the links of a path below r, absolute ones from r on and ".." at
// most up to r, and returns the path without links. os.Root alone would refuse
// absolute links, and the kernel's RESOLVE_IN_ROOT is newer than the 4.19 kernels
// that have digest lists.
func Resolve(r *os.Root, name string) (string, error) {
	at, links := ".", 0
	rest := strings.Split(name, "/")
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == "" || part == "." {
			continue
		}
		if part == ".." {
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		target, err := r.Readlink(next)
		if errors.Is(err, syscall.EINVAL) { // not a link
			at = next
			continue
		}
		if err != nil {
			return "", err
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("%q: %w", name, syscall.ELOOP)
		}
		if path.IsAbs(target) {
			at = "."
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return at, nil
}
