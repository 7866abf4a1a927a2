package boot_test

import (
	"os"
	"path/filepath"
	"testing"

	"digestlists/attest"
	"digestlists/test/boot"
)

// A machine that runs what is in its lists, and whose register for them is quoted, is
// trusted with a handful of entries; with one program more it is not.
func testAttestedLists(t *testing.T, kernel *boot.Kernel) {
	for _, register := range []string{"11", "+11"} {
		t.Run(register, func(t *testing.T) {
			dir := boot.Folder(t)
			files := append(tpmTools(t), boot.Dir("/dev/tpm"), boot.Dir("/tmp"), boot.Dir("/out"))
			l := bootLists(t, kernel, files, boot.Machine{Firmware: firmware, Options: []string{"ima_policy=exec_tcb", "ima_digest_list_pcr=" + register}})
			a := &attested{
				Guest: l.Guest, dir: dir, tool: buildVerifier(t, dir), references: filepath.Join(dir, "references"),
				selection: "sha1:10,11+sha256:0,1,2,3,4,5,6,7,8,9,10,11",
			}
			if err := os.Mkdir(a.references, 0o755); err != nil {
				t.Fatal(err)
			}
			for _, f := range l.lists {
				write(t, a.references, filepath.Base(f.Path), f.Content)
			}
			a.start(t)
			report, code := a.verify(t, a.evidence(t, "01020304"))
			if code != 0 || report.Verdict != attest.Trusted {
				t.Errorf("exit %d: %+v", code, report)
			}
			a.Must(t, unknownProgram)
			report, code = a.verify(t, a.evidence(t, "05060708"))
			if code != 1 || len(report.Findings) == 0 || report.Findings[0].Path != "/unknown" || report.Findings[0].Class != attest.Unknown {
				t.Errorf("exit %d: %+v", code, report)
			}
		})
	}
}
