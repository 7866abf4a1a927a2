package securityfs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The rules that a kernel prints for ima_policy=tcb and exec_tcb, in short.
const (
	tcbRules     = "dont_measure fsmagic=0x9fa0 \nmeasure func=MMAP_CHECK mask=MAY_EXEC \nmeasure func=FILE_CHECK mask=^MAY_READ euid=0 \n"
	tcbLists     = "dont_measure fsmagic=0x9fa0 \ndont_measure fsmagic=0x1021994 \nmeasure func=BPRM_CHECK mask=MAY_EXEC \nmeasure func=DIGEST_LIST_CHECK \n"
	listRules    = "# mine\nmeasure func=DIGEST_LIST_CHECK \nmeasure func=BPRM_CHECK mask=MAY_EXEC\n"
	appraiseRule = "appraise func=BPRM_CHECK appraise_type=imasig \n"
)

func TestSetup(t *testing.T) {
	const disk, tmpfs, ramfs = unix.EXT4_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.RAMFS_MAGIC
	const unknown = "?"
	tests := []struct {
		commandLine, policy string
		fs                  int64
		refusal             string // part of it, or "" if lists are accepted
	}{
		// The rows of what was tried on a kernel.
		{"quiet", unknown, disk, "neither"},
		{"ima_policy=exec_tcb", unknown, disk, "neither"},
		{"ima_policy=exec_tcb ima_digest_list_pcr=10", unknown, disk, `"10"`},
		{"ima_policy=exec_tcb ima_digest_list_pcr=+10", unknown, disk, `"+10"`},
		{"ima_policy=exec_tcb ima_digest_list_pcr=eleven", unknown, disk, `"eleven"`},
		{"ima_policy=exec_tcb ima_digest_list_pcr=", unknown, disk, `""`},
		{"ima_policy=exec_tcb ima_digest_list_pcr=11", unknown, tmpfs, ""},
		{"ima_policy=exec_tcb ima_digest_list_pcr=+11", unknown, disk, ""},
		{"ima_policy=exec_tcb ima_digest_list_pcr=12", unknown, disk, ""},
		{"ima_policy=tcb ima_digest_list_pcr=11", unknown, disk, ""},
		{"ima_policy=tcb ima_digest_list_pcr=11", unknown, tmpfs, "tmpfs"},
		{"ima_policy=tcb ima_digest_list_pcr=+11", tcbRules, ramfs, "tmpfs"},
		{"ima_policy=tcb ima_digest_list_pcr=11", tcbLists, tmpfs, "file system"},
		{"ima_policy=tcb ima_digest_list_pcr=11", tcbLists, disk, ""},
		{"ima_digest_list_pcr=11", "dont_measure fsmagic=0x1021994 func=DIGEST_LIST_CHECK\n" + listRules, tmpfs, "file system"},
		{"ima_digest_list_pcr=11", "dont_measure fsmagic=0x1021994 func=FILE_CHECK\ndont_measure fsmagic=0x1021994 uid=7\n" + listRules, tmpfs, ""},
		{"ima_digest_list_pcr=11", listRules + "dont_measure fsmagic=0x1021994\n", tmpfs, ""},
		{"ima_digest_list_pcr=11", listRules, disk, ""},
		{"ima_digest_list_pcr=11", tcbRules, disk, "does not measure digest lists"},
		{"ima_policy=appraise_exec_tcb ima_appraise_digest_list=digest", unknown, tmpfs, ""},
		{"ima_policy=appraise_exec_tcb ima_appraise_digest_list=digest-nometadata", unknown, disk, ""},

		{"ima_policy=appraise_exec_tcb ima_appraise_digest_list=yes", unknown, disk, `"yes"`},
		{"ima_policy=appraise_exec_tcb ima_digest_list_pcr=11", unknown, disk, "no IMA policy for what"},
		{"ima_policy=exec_tcb ima_appraise_digest_list=digest", unknown, disk, "no IMA policy for what"},
		{"ima_digest_list_pcr=11", "", disk, "no IMA policy for what"},
		{"ima_appraise_digest_list=digest", appraiseRule, disk, ""},
		{"ima_digest_list_pcr=11 ima_appraise_digest_list=digest", tcbRules + appraiseRule, disk, ""},
		{`ima_policy="tcb|exec_tcb" ima-digest-list-pcr=11`, unknown, tmpfs, ""},
		{`ima_policy="tcb appraise_tcb" ima_digest_list_pcr=11`, unknown, tmpfs, "tmpfs"},
		{"ima_tcb ima_digest_list_pcr=11", unknown, tmpfs, "tmpfs"},
		{"ima_appraise_tcb ima_appraise_digest_list=digest", unknown, disk, ""},
		{"ima_policy=tcb ima_digest_list_pcr=11", listRules, tmpfs, ""},
		{"ima_digest_list_pcr=10 ima_digest_list_pcr=11 ima_policy=exec_tcb", unknown, disk, ""},
		{"ima_policy=exec_tcb -- ima_digest_list_pcr=11", unknown, disk, "neither"},

		// What is not known is not refused.
		{"ima_digest_list_pcr=11", unknown, tmpfs, ""},
		{"ima_policy=something_new ima_digest_list_pcr=11", unknown, disk, ""},
		{unknown, unknown, tmpfs, ""},
		{unknown, tcbRules, disk, ""},
		{unknown, "audit func=BPRM_CHECK\n", disk, "no IMA policy"},
	}
	for _, tt := range tests {
		var s Setup
		if tt.commandLine != unknown {
			s.CommandLine = ParseCommandLine("console=ttyS0 " + tt.commandLine + "\n")
		}
		if tt.policy != unknown {
			s.Policy = parsePolicy(tt.policy)
		}
		r := s.refusal()
		if r == nil {
			r = s.refusalOn(tt.fs)
		}
		if tt.refusal == "" {
			if r != nil {
				t.Errorf("%q, %q: refused: %v", tt.commandLine, tt.policy, r)
			}
			continue
		}
		if r == nil || !strings.Contains(r.Reason, tt.refusal) || r.Change == "" {
			t.Errorf("%q, %q: %v, want a refusal with %q and what to change", tt.commandLine, tt.policy, r, tt.refusal)
		}
	}
}

func TestSetupOfFiles(t *testing.T) {
	root, proc := t.TempDir(), t.TempDir()
	if s := ReadSetup(root, proc); s.CommandLine != nil || s.Policy != nil || s.Check(root) != nil {
		t.Errorf("without files: %+v", s)
	}
	write(t, filepath.Join(proc, "cmdline"), "ima_policy=tcb ima_digest_list_pcr=11\n")
	write(t, filepath.Join(root, "ima/policy"), tcbRules)
	s := ReadSetup(root, proc)
	if s.CommandLine == nil || s.Policy == nil {
		t.Fatalf("%+v", s)
	}
	var r *Refusal
	if err := s.Check("/dev/shm"); !errors.As(err, &r) || !strings.HasPrefix(r.Reason, "/dev/shm: ") {
		t.Errorf("tmpfs: %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func TestBudget(t *testing.T) {
	const standard, highest = 16 << 20, 64 << 20
	for value, want := range map[string]int64{
		"":                          standard,
		"ima_digest_db_size=":       standard,
		"ima_digest_db_size=0":      0,
		"ima_digest_db_size=4096":   4096,
		"ima_digest_db_size=32M":    32 << 20,
		"ima_digest_db_size=64m":    highest,
		"ima_digest_db_size=512K":   512 << 10,
		"ima_digest_db_size=0x10":   16,
		"ima_digest_db_size=0x1E":   30,
		"ima_digest_db_size=0x1M":   1 << 20,
		"ima_digest_db_size=010":    8,
		"ima_digest_db_size=65M":    -1,
		"ima_digest_db_size=1G":     -1,
		"ima_digest_db_size=-1":     -1,
		"ima_digest_db_size=M":      -1,
		"ima_digest_db_size=lots":   -1,
		"ima_digest_db_size=99999E": -1,
	} {
		got, err := ParseCommandLine(value).Budget(standard, highest)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) {
			t.Errorf("%q: %d, %v; want %d", value, got, err, want)
		}
	}
}

// What a kernel may verify is not to reach it with a signature that it cannot.
func TestAppraises(t *testing.T) {
	const unknown = "?"
	for _, tt := range []struct {
		commandLine, policy string
		want                bool
	}{
		{"ima_policy=exec_tcb ima_digest_list_pcr=11", unknown, false},
		{"ima_policy=appraise_exec_tcb ima_appraise_digest_list=digest", unknown, true},
		{"ima_appraise_digest_list=digest-nometadata", unknown, true},
		{"ima_policy=appraise_tcb ima_digest_list_pcr=11", unknown, true},
		{"ima_appraise_tcb ima_digest_list_pcr=11", unknown, true},
		{"ima_policy=tcb ima_appraise_digest_list=digest", tcbRules, false},
		{"ima_digest_list_pcr=11", listRules + appraiseRule, true},
		{"ima_digest_list_pcr=11", unknown, false}, // of a policy that was loaded later nothing is known
		{unknown, unknown, true},
		{unknown, listRules, false},
	} {
		var s Setup
		if tt.commandLine != unknown {
			s.CommandLine = ParseCommandLine(tt.commandLine)
		}
		if tt.policy != unknown {
			s.Policy = parsePolicy(tt.policy)
		}
		if got := s.Appraises(); got != tt.want {
			t.Errorf("%q, %q: %v, want %v", tt.commandLine, tt.policy, got, tt.want)
		}
	}
}
