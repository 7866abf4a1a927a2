package faulttest

import "golang.org/x/sys/unix"

// A kind is what a system call is for. Calls that do the same, such as rename(2) and renameat2(2), are of one kind.
type kind string

// The kinds of calls that can fail.
const (
	create    kind = "create" // an open that makes or empties a file
	open      kind = "open"   // any other
	list      kind = "list"
	read      kind = "read"
	write     kind = "write"
	copyRange kind = "copy"
	closing   kind = "close"
	truncate  kind = "truncate"
	sync      kind = "sync"
	rename    kind = "rename"
	link      kind = "link"
	symlink   kind = "symlink"
	unlink    kind = "unlink"
	mkdir     kind = "mkdir"
	mknod     kind = "mknod"
	chmod     kind = "chmod"
	chown     kind = "chown"
	utime     kind = "utime"
	setxattr  kind = "set attribute"
	delxattr  kind = "remove attribute"
	flock     kind = "lock"
)

// none is an argument that a call does not have.
const none = -1

// A signature says what a call is for, and which of its arguments name the file that it is about: the one that
// changes, if there are two.
type signature struct {
	kind kind
	fd   int // an open file; or if there is a path, what it is relative to
	path int
}

// signatures are those of the calls that all machines have.
var signatures = map[uintptr]signature{
	unix.SYS_OPENAT:          {open, 0, 1},
	unix.SYS_GETDENTS64:      {list, 0, none},
	unix.SYS_READ:            {read, 0, none},
	unix.SYS_PREAD64:         {read, 0, none},
	unix.SYS_WRITE:           {write, 0, none},
	unix.SYS_PWRITE64:        {write, 0, none},
	unix.SYS_WRITEV:          {write, 0, none},
	unix.SYS_COPY_FILE_RANGE: {copyRange, 2, none},
	unix.SYS_SENDFILE:        {copyRange, 0, none},
	unix.SYS_CLOSE:           {closing, 0, none},
	unix.SYS_FTRUNCATE:       {truncate, 0, none},
	unix.SYS_TRUNCATE:        {truncate, none, 0},
	unix.SYS_FALLOCATE:       {truncate, 0, none},
	unix.SYS_FSYNC:           {sync, 0, none},
	unix.SYS_FDATASYNC:       {sync, 0, none},
	unix.SYS_SYNCFS:          {sync, 0, none},
	unix.SYS_RENAMEAT:        {rename, 2, 3},
	unix.SYS_RENAMEAT2:       {rename, 2, 3},
	unix.SYS_LINKAT:          {link, 2, 3},
	unix.SYS_SYMLINKAT:       {symlink, 1, 2},
	unix.SYS_UNLINKAT:        {unlink, 0, 1},
	unix.SYS_MKDIRAT:         {mkdir, 0, 1},
	unix.SYS_MKNODAT:         {mknod, 0, 1},
	unix.SYS_FCHMOD:          {chmod, 0, none},
	unix.SYS_FCHMODAT:        {chmod, 0, 1},
	unix.SYS_FCHMODAT2:       {chmod, 0, 1},
	unix.SYS_FCHOWN:          {chown, 0, none},
	unix.SYS_FCHOWNAT:        {chown, 0, 1},
	unix.SYS_UTIMENSAT:       {utime, 0, 1},
	unix.SYS_SETXATTR:        {setxattr, none, 0},
	unix.SYS_LSETXATTR:       {setxattr, none, 0},
	unix.SYS_FSETXATTR:       {setxattr, 0, none},
	unix.SYS_REMOVEXATTR:     {delxattr, none, 0},
	unix.SYS_LREMOVEXATTR:    {delxattr, none, 0},
	unix.SYS_FREMOVEXATTR:    {delxattr, 0, none},
	unix.SYS_FLOCK:           {flock, 0, none},
}

// signatureOf returns the signature of a call.
func signatureOf(n notification) signature {
	s := signatures[uintptr(n.nr)]
	flags := 2 // of openat(2)
	if s.fd == none {
		flags = 1 // of open(2)
	}
	if s.kind == open && n.args[flags]&(unix.O_CREAT|unix.O_TRUNC) != 0 {
		s.kind = create
	}
	return s
}
