package command

import (
	"errors"
	"syscall"
)

// Cause returns what to do about an error of the system that is mended the same way
// whatever was tried, or "".
func Cause(err error) string {
	switch {
	case errors.Is(err, syscall.EROFS):
		return "mount -o remount,rw that file system"
	case errors.Is(err, syscall.ENOSPC):
		return "make room on that file system (df and df -i show how much it has)"
	case errors.Is(err, syscall.EDQUOT):
		return "make room within the quota"
	}
	return ""
}
