package faulttest

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// install has the kernel ask the returned listener about the calls of the calling thread, and of
// what it starts from now on. The thread is of no further use but to start a program: the
// goroutine must be locked to it, and end.
func install(calls []uintptr) (listener int, err error) {
	// seccomp(2): struct seccomp_data begins with the number of the call.
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}}
	for _, nr := range calls {
		program = append(program,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: uint32(nr)},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF})
	}
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return -1, fmt.Errorf("no new privileges: %w", err)
	}
	// A call that is being judged is not begun again for a signal, of which Go sends itself many.
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&filter)))
	runtime.KeepAlive(program)
	if errno != 0 {
		return -1, fmt.Errorf("seccomp: %w", errno)
	}
	unix.CloseOnExec(int(fd))
	return int(fd), nil
}

// A notification is struct seccomp_notif of include/uapi/linux/seccomp.h: a call that waits.
type notification struct {
	id    uint64
	pid   uint32 // of the thread
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

// A response is struct seccomp_notif_resp: what the caller sees in its place.
type response struct {
	id    uint64
	val   int64
	error int32 // negative
	flags uint32
}

// receive returns the next call, or false if there is none any more: its caller was killed.
func receive(listener int) (n notification, ok bool, err error) {
	switch err := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); err {
	case nil:
		return n, true, nil
	case unix.ENOENT, unix.EINTR:
		return n, false, nil
	default:
		return n, false, fmt.Errorf("receive a call: %w", err)
	}
}

// answer lets the caller go on. One that was killed meanwhile needs no answer.
func answer(listener int, r response) error {
	err := error(unix.EINTR)
	for err == unix.EINTR { // a signal came while another call was being put in
		err = ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
	}
	if err != nil && err != unix.ENOENT {
		return fmt.Errorf("answer a call: %w", err)
	}
	return nil
}

func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}
