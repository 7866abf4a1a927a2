package faulttest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// processOf returns the process that a thread belongs to.
func processOf(thread uint32) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", thread))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "\nTgid:")
	line, _, _ := strings.Cut(rest, "\n")
	return strconv.Atoi(strings.TrimSpace(line))
}

// borrow returns a descriptor of ours for an open file of a thread's process.
func borrow(thread uint32, fd int) (int, error) {
	process, err := processOf(thread)
	if err != nil {
		return -1, err
	}
	handle, err := unix.PidfdOpen(process, 0)
	if err != nil {
		return -1, fmt.Errorf("process %d: %w", process, err)
	}
	defer unix.Close(handle)
	ours, err := unix.PidfdGetfd(handle, fd, 0)
	if err != nil {
		return -1, fmt.Errorf("file %d of process %d: %w", fd, process, err)
	}
	return ours, nil
}

// readMemory reads from the memory of a thread's process; less than all of it is an error.
func readMemory(thread uint32, address uint64, into []byte) error {
	got, err := readSome(thread, address, into)
	if err == nil && got < len(into) {
		err = unix.EFAULT
	}
	return err
}

func readSome(thread uint32, address uint64, into []byte) (int, error) {
	local := []unix.Iovec{{Base: &into[0]}}
	local[0].SetLen(len(into))
	remote := []unix.RemoteIovec{{Base: uintptr(address), Len: len(into)}}
	return unix.ProcessVMReadv(int(thread), local, remote, 0)
}

// file returns the path of what a call is about.
func file(n notification, s signature) string {
	path := ""
	if s.path != none {
		path = readString(n.pid, n.args[s.path])
		if filepath.IsAbs(path) {
			root, _ := os.Readlink(fmt.Sprintf("/proc/%d/root", n.pid)) // of a program that was started by chroot(8)
			return filepath.Join(root, path)
		}
	}
	base := "cwd"
	if s.fd != none && int32(n.args[s.fd]) != unix.AT_FDCWD {
		base = fmt.Sprintf("fd/%d", int32(n.args[s.fd]))
	}
	base, _ = os.Readlink(fmt.Sprintf("/proc/%d/%s", n.pid, base))
	return filepath.Join(base, path)
}

func readString(thread uint32, address uint64) string {
	const page = 4096 // what follows the page may not be there
	var all []byte
	for {
		buf := make([]byte, page-address%page)
		n, err := readSome(thread, address, buf)
		if err != nil || n == 0 {
			return string(all)
		}
		text, _, ended := bytes.Cut(buf[:n], []byte{0})
		if all = append(all, text...); ended {
			return string(all)
		}
		address += uint64(n)
	}
}
