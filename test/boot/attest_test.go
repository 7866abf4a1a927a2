package boot_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"digestlists/attest"
	"digestlists/test/boot"

	"golang.org/x/sys/unix"
)

// firmware is UEFI that measures what it does, by Debian's package ovmf.
const firmware = "/usr/share/ovmf/OVMF.fd"

// A machine that boots with UEFI and a TPM, and runs and reads known files only, is
// trusted, by a quote that it makes of itself; with one file more it is not, and neither is
// any change of its evidence.
func TestAttested(t *testing.T) {
	kernel, err := boot.FindKernel()
	if err != nil {
		t.Fatal(err)
	}
	dir := boot.Folder(t)
	files := append(tpmTools(t),
		boot.Dir("/dev/tpm"), boot.Dir("/tmp"), boot.Dir("/out"),
		boot.Regular("/policy", []byte(attestPolicy)), boot.Regular("/etc/known", []byte("known\n")))
	image := boot.Minimal(t, dir, files...)
	g := boot.Boot(t, dir, boot.Machine{Kernel: kernel, Initrd: image, Firmware: firmware})
	a := &attested{Guest: g, dir: dir, tool: buildVerifier(t, dir), references: knownFiles(t, dir, files), selection: "sha1:10+sha256:0,1,2,3,4,5,6,7,8,9,10"}
	a.start(t)
	a.Must(t, "cat /policy >/sys/kernel/security/ima/policy")
	a.Must(t, "cat /etc/known")

	known := a.evidence(t, "01020304")
	report, code := a.verify(t, known, "--save-state", filepath.Join(dir, "state"))
	if code != 0 || report.Verdict != attest.Trusted || report.Quote.Signature != "ecdsa-sha256" || report.Boot != "pcrs 0-9" || report.Entries < 5 {
		t.Fatalf("exit %d: %+v", code, report)
	}
	if e := report.EventLog; e == nil || e.Events < 10 || e.Boot != "pcrs 0-9" || len(e.Mismatches) > 0 {
		t.Errorf("event log: %+v", report.EventLog)
	}
	a.Must(t, "echo new >/tmp/new && cat /tmp/new")
	unknown := a.evidence(t, "05060708")
	for _, from := range [][]string{nil, {"--from-state", filepath.Join(dir, "state")}} {
		report, code = a.verify(t, unknown, from...)
		if code != 1 || len(report.Findings) != 1 || report.Findings[0].Path != "/tmp/new" || report.Findings[0].Class != attest.Unknown || !report.Findings[0].Attested {
			t.Errorf("%q: exit %d: %q, %+v", from, code, report.Reasons, report.Findings)
		}
	}
	a.tamper(t, known)
}

// attestPolicy measures what root runs and reads, but for procfs, sysfs, securityfs, and the
// ramfs in which the evidence is.
const attestPolicy = "dont_measure fsmagic=0x858458f6\ndont_measure fsmagic=0x9fa0\ndont_measure fsmagic=0x62656572\ndont_measure fsmagic=0x73636673\n" +
	"measure func=BPRM_CHECK\nmeasure func=FILE_MMAP mask=MAY_EXEC\nmeasure func=FILE_CHECK mask=MAY_READ uid=0\n"

// tpm2 runs a tool of tpm2-tools in the guest.
const tpm2 = "cd /tmp && TPM2TOOLS_TCTI=device:/dev/tpm/tpm0 /usr/bin/tpm2 "

// handle is where the TPM keeps the attestation key, so that no file of it is measured.
const handle = "0x81010002"

var libraryPath = regexp.MustCompile(`/lib\S*`)

// tpmTools are tpm2-tools and the libraries that they need.
func tpmTools(t *testing.T) (files []boot.File) {
	t.Helper()
	const tool = "/usr/bin/tpm2"
	out, err := exec.Command("ldd", tool).Output()
	if err != nil {
		t.Fatal(err)
	}
	device, err := filepath.Glob("/usr/lib/*/libtss2-tcti-device.so.0")
	if err != nil || len(device) != 1 {
		t.Fatalf("%q, %v", device, err)
	}
	paths := append(libraryPath.FindAllString(string(out), -1), tool, strings.TrimPrefix(device[0], "/usr"))
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, boot.Program(path, content))
	}
	return files
}

// knownFiles makes a list of what is in the image.
func knownFiles(t *testing.T, dir string, files []boot.File) string {
	t.Helper()
	busybox, err := os.ReadFile("/usr/bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	for _, f := range append(files, boot.Program("/bin/busybox", busybox)) {
		if f.Mode&unix.S_IFMT == unix.S_IFREG {
			fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(f.Content), f.Path)
		}
	}
	folder := filepath.Join(dir, "references")
	if err := errors.Join(os.Mkdir(folder, 0o755), os.WriteFile(filepath.Join(folder, "0-file_list-ascii-image"), []byte(list.String()), 0o644)); err != nil {
		t.Fatal(err)
	}
	return folder
}

func buildVerifier(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "verify_digest_lists")
	if out, err := exec.Command("go", "build", "-o", file, "../../verify_digest_lists").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// attested is a guest with a verifier on the host.
type attested struct {
	*boot.Guest
	dir, tool, references string
	selection             string // of PCRs, as tpm2-tools take it
}

// start makes an attestation key.
func (a *attested) start(t *testing.T) {
	t.Helper()
	a.Must(t, "mount -t sysfs sysfs /sys && mount -t securityfs securityfs /sys/kernel/security && mount -t devtmpfs dev /dev/tpm && mount -t ramfs out /out")
	a.Must(t, tpm2+"createprimary -Q -C o -G ecc256:ecdsa-sha256:null -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign' -c /out/ak.ctx")
	a.Must(t, tpm2+"evictcontrol -Q -C o -c /out/ak.ctx "+handle)
	a.Must(t, tpm2+"flushcontext -t")
	a.Must(t, tpm2+"readpublic -Q -c "+handle+" -o /out/ak.pub")
}

// evidence has the guest quote its TPM, and fetches all that it has to say in a folder.
func (a *attested) evidence(t *testing.T, nonce string) string {
	t.Helper()
	folder := filepath.Join(a.dir, nonce)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	a.Must(t, tpm2+"quote -Q -c "+handle+" -l "+a.selection+" -q "+nonce+" -m /out/quote.msg -s /out/quote.sig -o /out/quote.pcrs")
	for name, path := range map[string]string{
		"measurements": "/sys/kernel/security/ima/binary_runtime_measurements",
		"eventlog":     "/sys/kernel/security/tpm0/binary_bios_measurements",
		"quote.msg":    "/out/quote.msg", "quote.sig": "/out/quote.sig", "quote.pcrs": "/out/quote.pcrs", "ak.pub": "/out/ak.pub",
	} {
		content, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(a.Must(t, "base64 "+path), "\n", ""))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), content, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// verify runs the verifier on the evidence in a folder, which is named after the nonce.
func (a *attested) verify(t *testing.T, folder string, args ...string) (report attest.Report, code int) {
	t.Helper()
	in := func(name string) string { return filepath.Join(folder, name) }
	cmd := exec.Command(a.tool, append([]string{
		"--json", "--measurements", in("measurements"), "--event-log", in("eventlog"), "--reference", a.references,
		"--quote", in("quote.msg"), "--signature", in("quote.sig"), "--quote-pcrs", in("quote.pcrs"), "--ak", in("ak.pub"), "--nonce", filepath.Base(folder),
	}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v: %s%s", err, out, stderr.Bytes())
	}
	return report, cmd.ProcessState.ExitCode()
}

// tamper changes each byte of what is attested.
func (a *attested) tamper(t *testing.T, folder string) {
	t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	key, err := attest.ParseAttestationKey(read("ak.pub"))
	if err != nil {
		t.Fatal(err)
	}
	references := attest.NewReferences(nil, time.Time{})
	if _, err := references.AddTree(a.references); err != nil {
		t.Fatal(err)
	}
	quote := attest.QuoteEvidence{
		Message: read("quote.msg"), Signature: read("quote.sig"), Key: key, Nonce: []byte{1, 2, 3, 4},
		Values: func(selection []attest.SelectedBank) (*attest.PCRs, error) {
			return attest.ReadPCRs(filepath.Join(folder, "quote.pcrs"), selection)
		},
	}
	list := read("measurements")
	trusted := func() (attestedBytes int, ok bool) {
		q, err := attest.OpenQuote(quote)
		if err != nil {
			return 0, false
		}
		end := 0
		measurements := attest.ReadMeasurements("list", bytes.NewReader(list))
		r, err := attest.Verify(attest.Evidence{Measurements: measurements, Quote: q}, attest.Options{References: references})
		if err != nil {
			return 0, false
		}
		for m, err := range attest.ReadMeasurements("list", bytes.NewReader(list)) {
			if err != nil {
				return 0, false
			}
			if end++; end > r.Attested {
				return int(m.Offset), r.Verdict == attest.Trusted
			}
		}
		return len(list), r.Verdict == attest.Trusted
	}
	size, ok := trusted()
	if !ok {
		t.Fatal("not trusted as it is")
	}
	for name, data := range map[string][]byte{"list": list[:size], "quote": quote.Message, "signature": quote.Signature} {
		for i := range data {
			data[i] ^= 1
			if _, ok := trusted(); ok {
				t.Errorf("trusted with byte %d of the %s changed", i, name)
			}
			data[i] ^= 1
		}
	}
}
