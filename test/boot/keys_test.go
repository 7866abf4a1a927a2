package boot_test

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/evmkey"
	"digestlists/internal/hosttest"
	"digestlists/test/boot"
)

// Keys that one boot makes are loaded at the next, by the tool and by the scripts of
// dracut, and EVM takes them.
func TestUserMasterKey(t *testing.T) { testMasterKey(t, evmkey.User) }

// The same with a master key that the TPM seals. Where the kernel has none, the tool
// says so.
func TestTrustedMasterKey(t *testing.T) {
	kernel, err := boot.FindKernel()
	if err != nil {
		t.Fatal(err)
	}
	if kernel.TrustedKeys {
		testMasterKey(t, evmkey.Trusted)
		return
	}
	g := bootSetup(t, boot.Folder(t))
	out, code := g.Run(t, "setup keys master")
	if code != 3 || !strings.Contains(out, "the kernel has no keys of this type") || !strings.Contains(out, "hint: load the kernel module trusted, or use --master user") {
		t.Errorf("exit %d: %s", code, out)
	}
	g.Must(t, "[ ! -e /etc/keys ] && [ ! -e /etc/sysconfig ]")
}

func testMasterKey(t *testing.T, kind evmkey.Kind) {
	dir := boot.Folder(t)
	if kind == evmkey.Trusted {
		storageRootKey(t, dir)
	}
	master := " --master " + string(kind)
	var files []boot.File
	t.Run("make", func(t *testing.T) {
		g := bootSetup(t, dir)
		if out, code := g.Run(t, "setup keys load"+master); code != 3 || !strings.Contains(out, "hint: setup_ima_digest_lists keys master makes one") {
			t.Errorf("exit %d: %s", code, out)
		}
		g.Must(t, "setup keys master"+master)
		g.Must(t, "setup keys evm"+master)
		if out, code := g.Run(t, "setup keys evm"+master); code != 3 || !strings.Contains(out, "overwritten only with --force") {
			t.Errorf("exit %d: %s", code, out)
		}
		if out := g.Must(t, "stat -c %a /etc/keys/*"); out != "600\n600\n" {
			t.Errorf("modes %q", out)
		}
		for path := range strings.Lines(g.Must(t, "find /etc/keys /etc/sysconfig -type f")) {
			path = strings.TrimSuffix(path, "\n")
			content, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(g.Must(t, "base64 "+path), "\n", ""))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, boot.Regular(path, content))
		}
	})
	if len(files) != 4 {
		t.Fatalf("%d files", len(files))
	}
	t.Run("load", func(t *testing.T) {
		g := bootSetup(t, dir, files...)
		g.Must(t, "[ $(cat /sys/kernel/security/evm) = 0 ]")
		g.Must(t, "setup keys load"+master)
		g.Must(t, "grep -q 'encrypted evm-key' /proc/keys")
		g.Must(t, "setup keys load --enable-evm"+master)
		g.Must(t, "[ $(cat /sys/kernel/security/evm) = 1 ] && ! grep evm-key /proc/keys")
	})
	t.Run("dracut", func(t *testing.T) {
		scripts := append(dynamic(t, "keyctl"), files...)
		for path, source := range map[string]string{"/masterkey": "97masterkey/masterkey.sh", "/evm-enable": "98integrity/evm-enable.sh"} {
			content, err := os.ReadFile("/usr/lib/dracut/modules.d/" + source)
			if err != nil {
				t.Fatal(err)
			}
			scripts = append(scripts, boot.Regular(path, content))
		}
		g := bootSetup(t, dir, scripts...)
		g.Must(t, "PATH=$PATH:/usr/bin:/usr/sbin; getarg() { return 1; }; info() { echo \"$@\"; }; SECURITYFSDIR=/sys/kernel/security; . /masterkey && . /evm-enable")
		g.Must(t, "[ $(cat /sys/kernel/security/evm) = 1 ]")
	})
	t.Run("another master key", func(t *testing.T) {
		if kind == evmkey.Trusted {
			return
		}
		for i := range files {
			if files[i].Path == kind.MasterFile() {
				files[i].Content = []byte(strings.Repeat("0", len(files[i].Content)))
			}
		}
		g := bootSetup(t, dir, files...)
		if out, code := g.Run(t, "setup keys load"+master); code != 3 || !strings.Contains(out, "is this the master key that it was made with?") {
			t.Errorf("exit %d: %s", code, out)
		}
	})
}

// dynamic returns a program of this system with its libraries.
func dynamic(t *testing.T, name string) (files []boot.File) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ldd", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{path}
	for _, word := range strings.Fields(string(out)) {
		if strings.HasPrefix(word, "/") {
			paths = append(paths, word)
		}
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, boot.Program(path, content))
	}
	return files
}

// storageRootKey makes one in the TPM of the guests of a folder, with the tools that the
// hint of the command names.
func storageRootKey(t *testing.T, dir string) {
	t.Helper()
	state, socket := filepath.Join(dir, "tpm"), filepath.Join(dir, "socket")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	tpm := exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+state, "--server", "type=unixio,path="+socket,
		"--ctrl", "type=unixio,path="+socket+".ctrl", "--flags", "startup-clear", "--daemon")
	if out, err := tpm.CombinedOutput(); err != nil {
		t.Fatalf("swtpm: %v\n%s", err, out)
	}
	defer hosttest.Run(t, dir, "swtpm_ioctl", "--unix", socket+".ctrl", "-s")
	t.Setenv("TPM2TOOLS_TCTI", "swtpm:path="+socket)
	hosttest.Run(t, dir, "tpm2_createprimary", "-Q", "-C", "o", "-c", "srk")
	hosttest.Run(t, dir, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", "srk", "0x81000001")
}

// tool builds a tool and runs it in a folder of the host.
func tool(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	build(t, dir, "../../"+name)
	hosttest.Run(t, dir, filepath.Join(dir, name), args...)
}

func write(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o755); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
