package boot

import (
	"os"
	"os/exec"
	"syscall"
)

// tpm starts a TPM 2.0 with its state in a folder, and returns the end for the
// machine. It ends when no one has that end open.
func tpm(dir string) (machine *os.File, wait func() error, err error) {
	machine, device, err := socketPair()
	if err != nil {
		return nil, nil, err
	}
	defer device.Close()
	cmd := exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+dir, "--ctrl", "type=unixio,clientfd=3",
		"--flags", "startup-clear", "--terminate", "--log", "file="+dir+"/swtpm.log")
	cmd.ExtraFiles = []*os.File{device}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		machine.Close()
		return nil, nil, err
	}
	return machine, cmd.Wait, nil
}

// socketPair returns the two ends of a connection.
func socketPair() (a, b *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(fds[0]), "socket"), os.NewFile(uintptr(fds[1]), "socket"), nil
}
