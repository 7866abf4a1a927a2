package plugin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrUnsafe is returned for a plug-in that somebody else could change.
var ErrUnsafe = errors.New("unsafe plug-in")

// maxLinks is how many symbolic links a path may have, as in the kernel.
const maxLinks = 40

// checkExecutable checks a plug-in and the whole way to it.
func checkExecutable(path string) error {
	info, err := checkPath(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is not a regular file", ErrUnsafe, path)
	}
	if info.Mode()&0o111 == 0 {
		return fmt.Errorf("%w: %s is not executable", ErrUnsafe, path)
	}
	return nil
}

// checkPath goes down a path, through its links, and checks each directory, link and
// the file at its end.
func checkPath(path string) (os.FileInfo, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	at, rest := "/", path
	info, err := checkOne(at)
	for links := 0; err == nil; {
		var name string
		name, rest, _ = strings.Cut(strings.TrimLeft(rest, "/"), "/")
		if name == "" {
			return info, nil
		}
		next := filepath.Join(at, name)
		if info, err = checkOne(next); err != nil {
			break
		}
		if info.Mode()&os.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return nil, fmt.Errorf("%w: more than %d links on the way to %s", ErrUnsafe, maxLinks, path)
		}
		var target string
		if target, err = os.Readlink(next); err == nil {
			if filepath.IsAbs(target) {
				at = "/"
			}
			rest = target + "/" + rest
		}
	}
	return nil, err
}

// checkOne checks the owner and the mode of a single path.
func checkOne(path string) (os.FileInfo, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("%w: the owner of %s is not known", ErrUnsafe, path)
	}
	if stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("%w: %s belongs to user %d, want root or the current user", ErrUnsafe, path, stat.Uid)
	}
	sticky := info.IsDir() && info.Mode()&os.ModeSticky != 0
	if info.Mode()&os.ModeSymlink == 0 && info.Mode()&0o022 != 0 && !sticky {
		return nil, fmt.Errorf("%w: %s is writable by others (mode %04o)", ErrUnsafe, path, info.Mode().Perm())
	}
	return info, nil
}
