package boot

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// limit is what one machine gets from power-on to power-off, unless it says otherwise.
// A boot takes three seconds where nothing else runs.
const limit = 5 * time.Minute

// A Machine is what to boot.
type Machine struct {
	Kernel   *Kernel
	Initrd   string        // file
	Options  []string      // of the kernel's command line
	Disk     string        // file with a file system, /dev/vda; or none
	Keep     bool          // what is written to it
	Limit    time.Duration // from power-on to power-off; or 0, for five minutes
	Firmware string        // file, such as UEFI; or none, for QEMU's own BIOS
}

// A Guest is a machine that runs, until the test ends or it is switched off.
type Guest struct {
	ctx     context.Context
	console *console
	shell   *shell
}

// Folder returns a new folder below build/boot for the images of a test. It is
// removed if the test passes.
func Folder(t testing.TB) string {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	all := filepath.Join(root, "build/boot")
	if err := os.MkdirAll(all, 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(all, strings.ReplaceAll(t.Name(), "/", "-")+"-")
	if err != nil {
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
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(m.Limit, limit))
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
	state := filepath.Join(dir, "tpm")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	tpmSocket, tpmEnd, err := tpm(state)
	if err != nil {
		return nil, err
	}
	defer tpmSocket.Close()
	serial, host, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer serial.Close()
	g.shell = &shell{w: host, r: bufio.NewReader(host)}

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
		if err != nil {
			err = fmt.Errorf("qemu: %w: %s", err, trouble.Bytes())
		}
		if g.ctx.Err() != nil { // it was killed
			err = nil
		}
		tpmEnd() // with an error, if QEMU was killed
		g.console.end()
		host.Close()
		ended <- errors.Join(err, log.Close())
	}()
	return func() error { return <-ended }, nil
}

// arguments returns QEMU's command line; files 3 and 4 are the second serial line
// and the TPM.
func (m *Machine) arguments() []string {
	// On a busy machine the kernel would find the emulated timer late, and give up.
	options := append([]string{"console=ttyS0", "panic=-1", "no_timer_check"}, m.Options...)
	args := []string{
		// QEMU 7.2 spoils a register in cmpxchg16b, which Linux 6.12 uses where it can.
		"-machine", "q35,accel=tcg", "-cpu", "max,-cx16", "-m", "1024",
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", m.Kernel.Image, "-initrd", m.Initrd, "-append", strings.Join(options, " "),
		"-serial", "stdio",
		"-chardev", "socket,id=shell,fd=3", "-serial", "chardev:shell",
		"-chardev", "socket,id=tpm,fd=4", "-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm",
	}
	if m.Firmware != "" {
		args = append(args, "-bios", m.Firmware)
	}
	if m.Disk != "" {
		drive := "if=virtio,format=raw,file=" + m.Disk
		if !m.Keep {
			drive += ",snapshot=on"
		}
		args = append(args, "-drive", drive)
	}
	return args
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

// Off switches a guest off whose root file system is a disk. It returns when all that
// was written is there.
func (g *Guest) Off(t testing.TB) {
	t.Helper()
	if err := g.shell.end("sync; mount -o remount,ro / && exec busybox poweroff -f"); err != nil {
		t.Fatalf("%v; the console ends with\n%s", err, g.tail())
	}
}

func (g *Guest) tail() string {
	text := g.Console()
	return text[max(0, len(text)-2000):]
}
