package audit_test

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/compact"
	"digestlists/internal/hosttest"
	"digestlists/parsers/audit"

	"github.com/google/go-cmp/cmp"
)

const sum = "654897e5d6ff41bffac650f7f545975757380ae0bf1bb5459c0dc054cb342084"

// Logs with the same two records in each of the forms.
var (
	rule   = `file="/home/u/.emacs" hash="sha256:` + sum + `" ppid=13236 pid=13396 auid=1000 uid=1001 gid=0 tty=pts2 ses=2 comm="more" exe="/usr/bin/more" subj=unconfined`
	data   = `pid=7 uid=0 auid=4294967295 ses=4294967295 subj=kernel op=appraise_data cause=missing-hash comm="my sh" name=2F742F612062 dev="tmpfs" ino=9 res=0 errno=0`
	policy = `action=audit func=BPRM_CHECK res=1`

	plain = "type=SYSCALL msg=audit(1.2:3): arch=c000003e file=(\n" +
		"type=INTEGRITY_RULE msg=audit(1724272003.040:450): " + rule + "\n" +
		"type=INTEGRITY_RULE msg=audit(1724272003.041:451): " + policy + "\n" +
		"type=INTEGRITY_DATA msg=audit(1724272004.5:452): " + data + "\n"
	enriched = "node=host.example type=UNKNOWN[1805] msg=audit(1724272003.040:450): " + rule + "\x1dAUID=\"kgold\" UID=\"file=\"\n----\n\n" +
		"type=INTEGRITY_DATA msg=audit(1724272004.500:452): " + data + "\x1dUID=\"root\"\n"
	dmesg = "[    0.000000] Linux version\n" +
		"[   12.345678] audit: type=1805 audit(1724272003.040:450): " + rule + "\n" +
		"[   12.345679] evil[7]: audit: type=1805 audit(1724272003.040:450): file=oops\n" +
		"[   12.345679] audit: type=1807 audit(1724272003.041:451): " + policy + "\n" +
		"[   12.345680] audit: type=1800 audit(1724272004.500:452): " + data + "\r\n"
	syslog = "Aug 21 20:26:43 host kernel: [   12.345678] audit: type=1805 audit(1724272003.040:450): " + rule + "\n" +
		"Aug 21 20:26:43 host evil: audit: type=1805 audit(1724272003.040:450): file=oops\n" +
		"2024-08-21T20:26:44+00:00 host kernel: audit: type=1800 audit(1724272004.500:452): " + data + "\n"
	kmsg = "6,1,0,-;Linux version\n SUBSYSTEM=x\n" +
		"5,400,12345678,-,caller=T7;audit: type=1805 audit(1724272003.040:450): " + rule + "\n" +
		"13,401,12345679,-;audit: type=1805 audit(1724272003.040:450): file=oops\n" +
		"5,402,12345680,-;audit: type=1800 audit(1724272004.500:452): " + data + "\n"
	journal = "__CURSOR=s=1\n__REALTIME_TIMESTAMP=5\n" + strings.Join(journalEntries, "\n")
)

// journalEntries are those of journal, without what a journal adds to each.
var journalEntries = []string{
	"_TRANSPORT=audit\n_AUDIT_TYPE=1805\n_AUDIT_TYPE_NAME=INTEGRITY_RULE\n_AUDIT_ID=450\n" +
		"_SOURCE_REALTIME_TIMESTAMP=1724272003040000\nMESSAGE=INTEGRITY_RULE " + rule + "\n",
	"_TRANSPORT=stdout\n_AUDIT_TYPE=1805\n_PID=7\nMESSAGE=audit: type=1805 audit(1724272003.040:450): file=oops\n",
	"_TRANSPORT=kernel\n" + binaryField("COREDUMP", "\x00\n\n") + binaryField("MESSAGE", "audit: type=1800 audit(1724272004.500:452): "+data),
}

func binaryField(name, value string) string {
	return name + "\n" + string(binary.LittleEndian.AppendUint64(nil, uint64(len(value)))) + value + "\n"
}

func wantRecords(t *testing.T) []audit.Record {
	digest, err := hex.DecodeString(sum)
	if err != nil {
		t.Fatal(err)
	}
	return []audit.Record{{
		Type: audit.Rule, Time: time.Date(2024, 8, 21, 20, 26, 43, 40e6, time.UTC), Serial: 450, Path: "/home/u/.emacs",
		Algorithm: compact.SHA256, Digest: digest, Success: true, PID: 13396, UID: 1001, LoginUID: 1000, Command: "more", Program: "/usr/bin/more",
	}, {
		Type: audit.Data, Time: time.Date(2024, 8, 21, 20, 26, 44, 500e6, time.UTC), Serial: 452, Path: "/t/a b",
		Digest: []byte{}, Operation: "appraise_data", Cause: "missing-hash", PID: 7, LoginUID: audit.Unset, Command: "my sh",
	}}
}

func readAll(log string) (all []audit.Record, err error) {
	r := audit.NewReader(strings.NewReader(log))
	for {
		record, err := r.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		kept := *record
		kept.Digest = append([]byte{}, record.Digest...)
		all = append(all, kept)
	}
}

func TestForms(t *testing.T) {
	for name, log := range map[string]string{"plain": plain, "enriched": enriched, "dmesg": dmesg, "syslog": syslog, "kmsg": kmsg, "journal": journal} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(log)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wantRecords(t), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The same entries once systemd has kept them in a journal and exported them again, in its
// own order of fields and with those of its own.
func TestJournalOfSystemd(t *testing.T) {
	dir := t.TempDir()
	var entries strings.Builder
	for i, entry := range journalEntries {
		fmt.Fprintf(&entries, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032d\n%s\n", 1724272005000000+i, i, 1, entry)
	}
	if err := os.WriteFile(filepath.Join(dir, "entries"), []byte(entries.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	hosttest.Run(t, dir, "/lib/systemd/systemd-journal-remote", "--output=one.journal", "entries")
	hosttest.Shell(t, dir, "journalctl --file=one.journal --output=export >exported")
	got, err := readAll(string(hosttest.Read(t, filepath.Join(dir, "exported"))))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantRecords(t), got); diff != "" {
		t.Error(diff)
	}
}

// What a kernel in a virtual machine said; see testdata/README.
func TestRealLog(t *testing.T) {
	log, err := os.ReadFile("testdata/kernel.log")
	if err != nil {
		t.Fatal(err)
	}
	records, err := readAll(string(log))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		if strings.HasPrefix(r.Path, "/t/") {
			got = append(got, fmt.Sprintf("%s %s %x %s/%s by %d with %s", r.Type, r.Path, r.Digest, r.Operation, r.Cause, r.UID, r.Command))
		}
	}
	const program = "e1f3bc732e22c6ba95cb1c87d0346921d5b255596d70d02910dfcf64069517e7"
	want := []string{
		"INTEGRITY_RULE /t/plain " + program + " / by 0 with init",
		"INTEGRITY_RULE /t/with a space " + program + " / by 0 with init",
		"INTEGRITY_RULE /t/café " + program + " / by 0 with init",
		"INTEGRITY_DATA /t/refused  appraise_data/missing-hash by 0 with cat",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOldRecords(t *testing.T) {
	const old = "0123456789abcdef0123456789abcdef01234567"
	got, err := readAll(`type=INTEGRITY_RULE msg=audit(1.000:1): file="/bin/a" hash="` + old + `" auid=unset uid=0` + "\n" +
		`type=INTEGRITY_PCR msg=audit(1.000:2): pid=1 uid=0 auid=-1 op="invalid_pcr" cause="open_writers" comm=(null) name="/var/log/x" res=1` + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Algorithm != compact.SHA1 || hex.EncodeToString(got[0].Digest) != old || got[0].LoginUID != audit.Unset {
		t.Errorf("got %+v", got)
	}
	if r := got[1]; r.Type != audit.PCR || r.Operation != "invalid_pcr" || r.Cause != "open_writers" || r.Command != "" || !r.Success {
		t.Errorf("got %+v", r)
	}
}

func TestBad(t *testing.T) {
	log := func(fields string) string { return "type=INTEGRITY_RULE msg=audit(1.2:3): " + fields + "\n" }
	for _, test := range []struct {
		name, log string
		class     error
		says      string
	}{
		{"no-digest", log(`file="/a"`), compact.ErrTruncated, "line 1: truncated"},
		{"no-file", log(`hash="sha256:` + sum + `"`), compact.ErrTruncated, "want both"},
		{"short-digest", log(`file="/a" hash="sha256:00"`), compact.ErrMalformed, "want 32 bytes of sha256"},
		{"unknown-algorithm", log(`file="/a" hash="crc:00"`), compact.ErrUnsupportedAlgorithm, "field hash"},
		{"cut-name", log(`file="/a`), compact.ErrTruncated, "no closing quote"},
		{"name-not-hex", log(`file=/a hash="sha256:` + sum + `"`), compact.ErrMalformed, "in quotes or in hex"},
		{"uid", log(rule + " uid=x"), compact.ErrMalformed, "field uid"},
		{"no-result", "type=INTEGRITY_DATA msg=audit(1.2:3): op=x cause=y\n", compact.ErrTruncated, "no field res"},
		{"result", "type=INTEGRITY_DATA msg=audit(1.2:3): res=2\n", compact.ErrMalformed, "want 0 or 1"},
		{"no-header", plain + "something else\n", compact.ErrMalformed, "line 5"},
		{"time", "type=INTEGRITY_RULE msg=audit(99999999999999.2:3): " + rule + "\n", compact.ErrMalformed, "time"},
		{"serial", "type=INTEGRITY_RULE msg=audit(1.2:99999999999999999999): " + rule + "\n", compact.ErrMalformed, "serial"},
		{"no-newline", plain + "type=SYSCALL msg=audit(1.2:3): x", compact.ErrTruncated, "no newline"},
		{"long-line", plain + "type=" + strings.Repeat("x", 2<<20), compact.ErrTooLarge, "line 5"},
		{"no-audit-log", "Hello\nWorld\n", compact.ErrMalformed, "no audit records"},
		{"binary", "\x00\x01\x02\n", compact.ErrMalformed, "no audit records"},
		{"journal-field", "_TRANSPORT=audit\nlower=1\n\n", compact.ErrMalformed, "want a field"},
		{"journal-cut", "_TRANSPORT=audit\nMESSAGE=x", compact.ErrTruncated, "without its newline"},
		{"journal-size", "MESSAGE\n\x01\x00", compact.ErrTruncated, "not whole"},
		{"journal-data", "OTHER\n\xff\x00\x00\x00\x00\x00\x00\x00abc", compact.ErrTruncated, "not whole"},
		{"journal-large", "MESSAGE\n\x00\x00\x00\x00\x01\x00\x00\x00", compact.ErrTooLarge, "offset"},
		{"journal-huge", "OTHER\n\xff\xff\xff\xff\xff\xff\xff\xff", compact.ErrTooLarge, "offset"},
		{"journal-end", "A\n\x01\x00\x00\x00\x00\x00\x00\x00ab", compact.ErrMalformed, "want a newline"},
		{"journal-time", "_TRANSPORT=audit\n_AUDIT_TYPE=1805\nMESSAGE=INTEGRITY_RULE " + rule + "\n\n", compact.ErrMalformed, "time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			records, err := readAll(test.log)
			if !errors.Is(err, test.class) || !strings.Contains(fmt.Sprint(err), test.says) {
				t.Errorf("got %v, want %v that says %q", err, test.class, test.says)
			}
			if records != nil {
				t.Errorf("got %d records with an error", len(records))
			}
		})
	}
}

// A log that is cut anywhere is an error, unless it is cut between lines.
func TestCut(t *testing.T) {
	for i := 1; i < len(plain); i++ {
		if _, err := readAll(plain[:i]); (err == nil) != (plain[i-1] == '\n') {
			t.Errorf("cut after %d bytes (%q): %v", i, plain[max(0, i-8):i], err)
		}
	}
	if records, err := readAll(""); err != nil || records != nil {
		t.Errorf("an empty log: %v, %v", records, err)
	}
}

func FuzzReader(f *testing.F) {
	for _, log := range []string{plain, enriched, dmesg, syslog, kmsg, journal} {
		f.Add(log)
	}
	log, err := os.ReadFile("testdata/kernel.log")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(log))
	f.Fuzz(func(t *testing.T, log string) {
		records, err := readAll(log)
		if err != nil && records != nil {
			t.Errorf("records with %v", err)
		}
		for _, r := range records {
			if r.Type == audit.Rule && (len(r.Digest) != r.Algorithm.Size() || !r.Success) {
				t.Errorf("a rule without its digest: %+v", r)
			}
			if _, err := r.Time.MarshalJSON(); err != nil {
				t.Error(err)
			}
		}
	})
}

// Events are told of whatever their type is, but not what auditd has numbered itself.
func TestEvents(t *testing.T) {
	for name, tt := range map[string]struct{ log, want string }{
		"audit.log": {
			"type=DAEMON_START msg=audit(1.5:7000): op=start\ntype=UNKNOWN[1201] msg=audit(1.5:7001): op=end\n" +
				"type=SYSCALL msg=audit(2.25:3): arch=1\nnode=a type=INTEGRITY_PCR msg=audit(3.0:4): op=x res=1\n",
			"2.25:3 3:4",
		},
		"kernel": {
			"5,1,2,-;audit: type=2000 audit(1.5:1): state=initialized\n12,2,3,-;x: audit: type=1400 audit(1.5:9): forged\n5,3,4,-;audit: type=1400 audit(4.0:2): x\n",
			"1.5:1 4:2",
		},
	} {
		var got []string
		r := audit.NewReader(strings.NewReader(tt.log))
		r.Events = func(stamp time.Time, serial uint64) {
			got = append(got, fmt.Sprintf("%v:%d", float64(stamp.UnixMilli())/1000, serial))
		}
		var err error
		for err == nil {
			_, err = r.Next()
		}
		if err != io.EOF || strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	r := audit.NewReader(strings.NewReader("type=SYSCALL msg=audit(99999999999999.5:1): arch=1\n"))
	r.Events = func(time.Time, uint64) {}
	if _, err := r.Next(); !errors.Is(err, compact.ErrMalformed) {
		t.Errorf("a time that cannot be: %v", err)
	}
}
