package faulttest

import "golang.org/x/sys/unix"

// A Fault is what happens to one call of a program.
type Fault struct {
	name  string
	kinds []kind
	errno unix.Errno // 0: none
	kill  bool
	short bool
}

// changing calls are those before which a crash makes a difference.
var changing = []kind{
	create, write, copyRange, truncate, sync, rename, link, symlink, unlink, mkdir, mknod, chmod, chown, utime, setxattr, delxattr,
}

// The faults.
var (
	// Kill ends the program and all that it has started, before the call.
	Kill = Fault{name: "killed", kinds: changing, kill: true}
	// NoSpace is a full disk.
	NoSpace = Fault{name: "no space", errno: unix.ENOSPC, kinds: []kind{
		create, write, copyRange, truncate, sync, rename, link, symlink, mkdir, mknod, setxattr,
	}}
	// BadDisk is an input/output error.
	BadDisk = Fault{name: "bad disk", errno: unix.EIO, kinds: append([]kind{open, list, read, closing, flock}, changing...)}
	// Denied is a missing right.
	Denied = Fault{name: "denied", errno: unix.EACCES, kinds: []kind{
		open, create, rename, link, symlink, unlink, mkdir, mknod, chmod, chown, utime, setxattr, delxattr,
	}}
	// Short writes half of what it is given to write.
	Short = Fault{name: "short", kinds: []kind{write}, short: true}
)

// Faults are all of them.
var Faults = []Fault{Kill, NoSpace, BadDisk, Denied, Short}

// many is how many calls of a kind meet a fault, where there are more.
const many = 3

// points returns those of a program's calls that meet the fault: spread evenly, from the first of a kind to the last.
func (f Fault) points(calls map[kind]int) []point {
	var all []point
	for _, k := range f.kinds {
		count := min(calls[k], many)
		for i := range count {
			all = append(all, point{k, 1 + i*(calls[k]-1)/max(count-1, 1)})
		}
	}
	return all
}

// strike is the answer to a call, which is not made. ok is false where the fault makes no difference.
func (f Fault) strike(n notification) (r response, ok bool, err error) {
	r.id = n.id
	switch {
	case f.kill:
		group, err := unix.Getpgid(int(n.pid))
		if err == nil {
			err = unix.Kill(-group, unix.SIGKILL)
		}
		return r, true, err
	case f.short:
		return writeHalf(n)
	}
	r.error = -int32(f.errno)
	return r, true, nil
}

// writeHalf makes a write(2) or pwrite64(2) in its caller's place, of the first half; if there are two.
func writeHalf(n notification) (r response, ok bool, err error) {
	length := int(n.args[2]) / 2
	if uintptr(n.nr) == unix.SYS_WRITEV || length == 0 {
		return r, false, nil
	}
	data := make([]byte, length)
	if err := readMemory(n.pid, n.args[1], data); err != nil {
		return r, false, err
	}
	fd, err := borrow(n.pid, int(n.args[0]))
	if err != nil {
		return r, false, err
	}
	defer unix.Close(fd)
	var written int
	if uintptr(n.nr) == unix.SYS_PWRITE64 {
		written, err = unix.Pwrite(fd, data, int64(n.args[3]))
	} else {
		written, err = unix.Write(fd, data)
	}
	r = response{id: n.id, val: int64(written)}
	if errno, failed := err.(unix.Errno); failed {
		r.val, r.error = 0, -int32(errno)
	}
	return r, true, nil
}
