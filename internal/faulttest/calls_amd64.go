package faulttest

import (
	"maps"

	"golang.org/x/sys/unix"
)

// The calls that newer machines do without, but that shells and C programs still make.
func init() {
	maps.Copy(signatures, map[uintptr]signature{
		unix.SYS_OPEN:    {open, none, 0},
		unix.SYS_CREAT:   {create, none, 0},
		unix.SYS_RENAME:  {rename, none, 1},
		unix.SYS_LINK:    {link, none, 1},
		unix.SYS_SYMLINK: {symlink, none, 1},
		unix.SYS_UNLINK:  {unlink, none, 0},
		unix.SYS_RMDIR:   {unlink, none, 0},
		unix.SYS_MKDIR:   {mkdir, none, 0},
		unix.SYS_MKNOD:   {mknod, none, 0},
		unix.SYS_CHMOD:   {chmod, none, 0},
		unix.SYS_CHOWN:   {chown, none, 0},
		unix.SYS_LCHOWN:  {chown, none, 0},
	})
}
