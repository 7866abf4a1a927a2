package securityfs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// errNoPolicyFile means that the kernel takes no policy: it has no IMA, or it is
// one that takes a single policy until the next boot, and has it.
var errNoPolicyFile = errors.New("the kernel takes no policy until the next boot, or has no IMA")

// LoadPolicy writes a policy, line by line, to the kernel whose securityfs is mounted at
// root. The kernel puts it in force when all of it was good, and drops it otherwise.
func LoadPolicy(root string, content []byte) error {
	// A kernel counts the end of a line as read even where there is none.
	content = append(bytes.TrimSuffix(content, []byte("\n")), '\n')
	return writePolicy(root, bytes.SplitAfter(content, []byte("\n")))
}

// LoadPolicyFile makes the kernel read a policy itself, from an absolute path, and
// appraise that file if its rules say so.
func LoadPolicyFile(root, path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("policy %q: the kernel wants an absolute path", path)
	}
	return writePolicy(root, [][]byte{[]byte(path + "\n")})
}

// writePolicy makes a write for each line: a kernel reads one rule in each.
func writePolicy(root string, lines [][]byte) error {
	file := filepath.Join(root, "ima", "policy")
	fd, err := unix.Open(file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT || err == unix.ENOTDIR {
		return fmt.Errorf("%s: %w", file, errNoPolicyFile)
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: file, Err: err}
	}
	for i, line := range lines {
		if len(line) == 0 {
			continue
		}
		// What is written says how much of a rule was read: at least the text of it.
		if _, err := unix.Write(fd, line); err != nil {
			unix.Close(fd)
			return fmt.Errorf("%s: line %d: %w%s", file, i+1, err, policyMeaning(err))
		}
	}
	return unix.Close(fd)
}

// policyMeaning explains the errors that kernels were seen to give.
func policyMeaning(err error) string {
	switch err {
	case unix.EINVAL:
		return " (the kernel refuses a rule)"
	case unix.EACCES:
		return " (the kernel takes only a policy that is signed, by its path)"
	}
	return ""
}
