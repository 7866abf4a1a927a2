package attest_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"digestlists/attest"
	"digestlists/compact"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
)

// softwareTPM starts a TPM 2.0 by swtpm, and returns its socket, which can be connected to at
// once: it is there before the program starts.
func softwareTPM(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tpm") // paths of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "socket")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	inherited, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	defer inherited.Close()
	cmd := exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+dir, "--server", "type=unixio,fd=3",
		"--flags", "not-need-init,startup-clear")
	cmd.ExtraFiles = []*os.File{inherited}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return socket
}

func TestReadTPM(t *testing.T) {
	socket := softwareTPM(t)
	digest := sum(t, compact.SHA256, []byte("measured"))
	extendTPM(t, socket, digest)
	pcrs, err := attest.ReadPCRs(socket, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := sum(t, compact.SHA256, append(make([]byte, 32), digest...))
	if got := pcrs.Value(compact.SHA256, 10); !bytes.Equal(got, want) {
		t.Errorf("PCR 10 is %x, want %x", got, want)
	}
	for _, bank := range pcrs.Banks() {
		for pcr := range attest.NumPCRs {
			if len(pcrs.Value(bank, pcr)) != bank.Size() {
				t.Errorf("PCR %d of bank %s: %x", pcr, bank, pcrs.Value(bank, pcr))
			}
		}
	}
	if ones := pcrs.Value(compact.SHA256, 17); !bytes.Equal(ones, bytes.Repeat([]byte{0xff}, 32)) {
		t.Errorf("PCR 17 is %x", ones)
	}
	if _, err := attest.ReadPCRs("/dev/null", nil); err == nil {
		t.Error("/dev/null has PCRs")
	}
}

func extendTPM(t *testing.T, socket string, digest []byte) {
	t.Helper()
	tpm, err := linuxudstpm.Open(socket)
	if err != nil {
		t.Fatal(err)
	}
	defer tpm.Close()
	_, err = tpm2.PCRExtend{
		PCRHandle: tpm2.AuthHandle{Handle: 10, Auth: tpm2.PasswordAuth(nil)},
		Digests:   tpm2.TPMLDigestValues{Digests: []tpm2.TPMTHA{{HashAlg: tpm2.TPMAlgSHA256, Digest: digest}}},
	}.Execute(tpm)
	if err != nil {
		t.Fatal(err)
	}
}
