package boot

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// limit is what one machine gets from power-on to power-off. A boot takes three
// seconds where nothing else runs.
const limit = 5 * time.Minute

// A Machine is what to boot.
type Machine struct {
	Kernel  *Kernel
	Initrd  string   // file
	Options []string // of the kernel's command line
	Disk    string   // file with a file system, /dev/vda, to which nothing is written; or none
}

// A Guest is a machine that runs, until the test ends or it is switched off.
type Guest struct {
	ctx     context.Context
	console *console
	shell   *shell
}

// Folder returns a folder below build/boot for the images of a test. It is removed
// if the test passes.
func Folder(t testing.TB) string {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "build/boot", t.Name())
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("artefacts: %s", dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Start switches a machine on. The console goes to console.log in the folder.
func Start(t testing.TB, dir string, m Machine) *Guest {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	g := &Guest{ctx: ctx, console: newConsole()}
	stop, err := g.start(dir, m)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func (g *Guest) start(dir string, m Machine) (stop func() error, err error) {
	log, err := os.Create(filepath.Join(dir, "console.log"))
	if err != nil {
		return nil, err
	}
	defer closeOnError(log, &err)
	state := filepath.Join(dir, "tpm")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	tpmSocket, tpmEnd, err := tpm(state)
	if err != nil {
		return nil, err
	}
	defer tpmSocket.Close()
	serial, conn, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer serial.Close()
	g.shell = &shell{w: conn, r: bufio.NewReader(conn)}

	var trouble bytes.Buffer
	cmd := exec.CommandContext(g.ctx, "qemu-system-x86_64", m.arguments()...)
	cmd.Stdout, cmd.Stderr = io.MultiWriter(log, g.console), &trouble
	cmd.ExtraFiles = []*os.File{serial, tpmSocket}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		if err != nil && g.ctx.Err() == nil {
			err = fmt.Errorf("qemu: %w: %s", err, trouble.Bytes())
		} else {
			err = nil
		}
		tpmEnd() // ends when QEMU does, and with an error if it was killed
		g.console.end()
		conn.Close()
		log.Close()
		ended <- err
	}()
	return func() error { return <-ended }, nil
}

// arguments returns QEMU's command line; files 3 and 4 are the second serial line
// and the TPM.
func (m *Machine) arguments() []string {
	options := append([]string{"console=ttyS0", "panic=-1"}, m.Options...)
	args := []string{
		"-machine", "q35,accel=tcg", "-cpu", "max", "-m", "1024",
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", m.Kernel.Image, "-initrd", m.Initrd, "-append", strings.Join(options, " "),
		"-serial", "stdio",
		"-chardev", "socket,id=shell,fd=3", "-serial", "chardev:shell",
		"-chardev", "socket,id=tpm,fd=4", "-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm",
	}
	if m.Disk != "" {
		args = append(args, "-drive", "if=virtio,format=raw,snapshot=on,file="+m.Disk)
	}
	return args
}

func closeOnError(c io.Closer, err *error) {
	if *err != nil {
		c.Close()
	}
}

// socketPair returns two ends of one connection, one of them to be inherited.
func socketPair() (*os.File, net.Conn, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	theirs, ours := os.NewFile(uintptr(fds[0]), "socket"), os.NewFile(uintptr(fds[1]), "socket")
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return theirs, conn, nil
}

// Wait returns the first line on the console, from the start, that matches.
func (g *Guest) Wait(t testing.TB, pattern string) string {
	t.Helper()
	line, err := g.console.wait(g.ctx, regexp.MustCompile(pattern))
	if err != nil {
		t.Fatalf("%v; the console ends with\n%s", err, g.tail())
	}
	return line
}

// Console returns what the console shows until now.
func (g *Guest) Console() string {
	text, _, _ := g.console.state()
	return text
}

// Run runs a command line in a guest that has the init of [Minimal]. It returns
// the output and the exit code.
func (g *Guest) Run(t testing.TB, command string) (output string, code int) {
	t.Helper()
	output, code, err := g.shell.run(command)
	if err != nil {
		t.Fatalf("%s: %v; the console ends with\n%s", command, err, g.tail())
	}
	return output, code
}

// Must is Run for a command that has to succeed.
func (g *Guest) Must(t testing.TB, command string) (output string) {
	t.Helper()
	output, code := g.Run(t, command)
	if code != 0 {
		t.Fatalf("%s: exit %d: %s", command, code, output)
	}
	return output
}

func (g *Guest) tail() string {
	text := g.Console()
	return text[max(0, len(text)-2000):]
}
