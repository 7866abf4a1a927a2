package attest_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"digestlists/attest"
	"digestlists/compact"
)

// firmwareEvent makes an event of the form with SHA-1.
func firmwareEvent(pcr, kind uint32, digest, content []byte) []byte {
	b := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, pcr), kind)
	return field(append(b, digest...), content)
}

// agileEvent makes one with a SHA-256 digest, and with one of an algorithm of 3 bytes.
func agileEvent(pcr, kind uint32, digest, content []byte) []byte {
	b := firmwareEvent(pcr, kind, nil, nil)[:8]
	b = binary.LittleEndian.AppendUint32(b, 2)
	b = append(append(b, 0x0b, 0), digest...)
	b = append(b, 0x99, 0x99, 1, 2, 3)
	return field(b, content)
}

const (
	noAction = 3
	action   = 5
)

// specification makes the first event of a log with those.
func specification(algorithms ...uint16) []byte {
	content := append([]byte("Spec ID Event03\x00"), 0, 0, 0, 0, 0, 2, 0, 2)
	content = binary.LittleEndian.AppendUint32(content, uint32(len(algorithms)/2))
	for _, n := range algorithms {
		content = binary.LittleEndian.AppendUint16(content, n)
	}
	return firmwareEvent(0, noAction, make([]byte, 20), append(content, 0))
}

var startup3 = append([]byte("StartupLocality\x00"), 3)

func agileLog(t testing.TB) []byte {
	t.Helper()
	log := append(specification(0x0b, 32, 0x9999, 3), agileEvent(0, noAction, make([]byte, 32), startup3)...)
	for pcr := range uint32(10) {
		log = append(log, agileEvent(pcr, action, sum(t, compact.SHA256, []byte{byte(pcr)}), []byte("event"))...)
	}
	return log
}

func oldLog(t testing.TB) (log []byte) {
	t.Helper()
	for pcr := range uint32(8) {
		log = append(log, firmwareEvent(pcr, action, sum(t, compact.SHA1, []byte{byte(pcr)}), []byte("event"))...)
	}
	return log
}

// valueLine is a PCR in what tpm2_eventlog prints after its last heading.
var valueLine = regexp.MustCompile(`(?m)^  (sha\d+):$|^    (\d+) *: 0x([0-9a-f]+)$`)

// Logs add up to what tpm2_eventlog says that they do.
func TestEventLogAgreesWithTPM2Tools(t *testing.T) {
	for name, log := range map[string][]byte{"real": readFile(t, "uefi", "eventlog"), "SHA-1": oldLog(t)} {
		path := writeFile(t, filepath.Join(t.TempDir(), "log"), log)
		out, err := exec.Command("tpm2_eventlog", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		got, err := attest.ParseEventLog(log)
		if err != nil {
			t.Fatal(err)
		}
		var bank compact.Algorithm
		compared := 0
		_, text, _ := bytes.Cut(out, []byte("\npcrs:"))
		for _, m := range valueLine.FindAllSubmatch(text, -1) {
			if len(m[1]) > 0 {
				if bank, err = compact.ParseAlgorithm(string(m[1])); err != nil {
					t.Fatal(err)
				}
				continue
			}
			pcr, err := strconv.Atoi(string(m[2]))
			if err != nil {
				t.Fatal(err)
			}
			compared++
			if value := fmt.Sprintf("%x", got.PCRs.Value(bank, pcr)); value != string(m[3]) {
				t.Errorf("%s: PCR %d of %s is %s, for tpm2_eventlog %s", name, pcr, bank, value, m[3])
			}
		}
		if want := map[string]int{"real": 36, "SHA-1": 8}[name]; compared != want {
			t.Errorf("%s: %d values compared, want %d\n%s", name, compared, want, out)
		}
	}
}

// The locality that starts the TPM is in PCR 0; digests that cannot be computed are passed over.
func TestStartupLocality(t *testing.T) {
	log, err := attest.ParseEventLog(agileLog(t))
	if err != nil {
		t.Fatal(err)
	}
	start := make([]byte, 32)
	start[31] = 3
	want := sum(t, compact.SHA256, append(start, sum(t, compact.SHA256, []byte{0})...))
	if got := log.PCRs.Value(compact.SHA256, 0); !bytes.Equal(got, want) || log.Events != 12 || len(log.PCRs.Banks()) != 1 {
		t.Errorf("%x after %d events, want %x", got, log.Events, want)
	}
}

func TestEventLogCutAnywhere(t *testing.T) {
	whole := agileLog(t)
	ends := map[int]bool{len(specification(0x0b, 32, 0x9999, 3)): true}
	for i := range 11 {
		size := 8 + 4 + 2 + 32 + 2 + 3 + 4 + len("event")
		if i == 0 {
			size += len(startup3) - len("event")
		}
		ends[len(whole)] = true
		last := 0
		for end := range ends {
			if end < len(whole) {
				last = max(last, end)
			}
		}
		ends[last+size] = true
	}
	for cut := range len(whole) {
		log, err := attest.ParseEventLog(whole[:cut])
		if (log == nil) == (err == nil) || ends[cut] != (err == nil) {
			t.Errorf("cut at %d: error %v", cut, err)
		}
		if err != nil && !errors.Is(err, attest.ErrTruncated) {
			t.Errorf("cut at %d: error %v", cut, err)
		}
	}
}

func TestBadEventLog(t *testing.T) {
	digest := make([]byte, 32)
	spec := specification(0x0b, 32, 0x9999, 3)
	counted := agileEvent(0, action, digest, nil)
	counted[8] = 1
	twice := agileEvent(0, action, digest, nil)
	copy(twice[12+2+32:], []byte{0x0b, 0})
	for _, test := range []struct {
		name string
		log  []byte
		err  error
		text string
	}{
		{"empty", nil, attest.ErrTruncated, "empty"},
		{"PCR 24", firmwareEvent(24, action, digest[:20], nil), attest.ErrMalformed, "event 1 at offset 0: malformed: PCR 24"},
		{"big-endian", []byte{0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0}, attest.ErrMalformed, "PCR 16777216"},
		{"event larger than the log", firmwareEvent(0, action, digest[:20], make([]byte, 9))[:40], attest.ErrTruncated, "event of 9 bytes with 8 left"},
		{"no algorithm", specification(), attest.ErrMalformed, "0 algorithms"},
		{"wrong size", specification(0x0b, 20), attest.ErrMalformed, "0x000b with 20 bytes"},
		{"algorithm twice", specification(0x0b, 32, 0x0b, 32), attest.ErrMalformed, "twice"},
		{"one digest fewer", append(bytes.Clone(spec), counted...), attest.ErrMalformed, "event 2 at offset 69: malformed: 1 digests"},
		{"one digest twice", append(bytes.Clone(spec), twice...), attest.ErrMalformed, "algorithm 0x000b"},
		{"no bank that is known", specification(0x9999, 3), compact.ErrUnsupportedAlgorithm, "no bank"},
		{"late locality", append(append(bytes.Clone(spec), agileEvent(0, action, digest, nil)...), agileEvent(0, noAction, digest, startup3)...), attest.ErrMalformed, "startup locality"},
	} {
		log, err := attest.ParseEventLog(test.log)
		if log != nil || !errors.Is(err, test.err) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: error %v, want %v with %q", test.name, err, test.err, test.text)
		}
	}
}

// uefi is the evidence of a machine with a log, without the quoted values of PCRs 0 to 9 if
// they are not to be given.
func uefi(t *testing.T, log []byte, firmwareValues bool) (attest.Evidence, attest.Options) {
	t.Helper()
	list := filepath.Join("testdata", "uefi", "measurements")
	values := readPCRs(t, filepath.Join("testdata", "uefi", "quote.pcrs"))
	if !firmwareValues {
		only := new(attest.PCRs)
		if err := only.Set(compact.SHA256, 10, values.Value(compact.SHA256, 10)); err != nil {
			t.Fatal(err)
		}
		values = only
	}
	parsed, err := attest.ParseEventLog(log)
	if err != nil {
		t.Fatal(err)
	}
	e := attest.Evidence{Measurements: attest.Measurements(list), PCRs: values, EventLog: parsed}
	return e, attest.Options{References: knowing(t, measurements(t, list), nobody)}
}

// A log is that of the boot if it adds up to the quoted PCRs, or else to boot_aggregate.
func TestEventLogVerdict(t *testing.T) {
	log := readFile(t, "uefi", "eventlog")
	digest := bytes.LastIndex(log, []byte("\x0b\x00")) + 2 // of the last event, for PCR 5
	for _, test := range []struct {
		name          string
		log           []byte
		values        bool
		verdict       attest.Verdict
		boot, ownBoot string
		mismatches    int
	}{
		{"good", log, true, attest.Trusted, "pcrs 0-9", "pcrs 0-9", 0},
		{"good, by boot_aggregate", log, false, attest.Trusted, "pcrs 0-9", "not checked", 0},
		{"changed", flipped(log, digest, 1), true, attest.NotTrusted, "mismatch", "pcrs 0-9", 1},
		{"changed, by boot_aggregate", flipped(log, digest, 1), false, attest.NotTrusted, "mismatch", "not checked", 0},
		{"another machine", agileLog(t), true, attest.NotTrusted, "mismatch", "pcrs 0-9", 10},
		{"no common bank", oldLog(t), true, attest.Trusted, "not checked", "pcrs 0-9", 0},
	} {
		e, o := uefi(t, test.log, test.values)
		r := verify(t, e, o)
		if r.Verdict != test.verdict || r.EventLog.Boot != test.boot || r.Boot != test.ownBoot || len(r.EventLog.Mismatches) != test.mismatches {
			t.Errorf("%s: %s, boot_aggregate %s and %s, %+v, %q", test.name, r.Verdict, r.EventLog.Boot, r.Boot, r.EventLog.Mismatches, r.Reasons)
		}
		// A state holds the boot_aggregate, which is not seen again.
		o.KeepState = true
		o.From = kept(t, verify(t, e, o))
		if again := verify(t, e, o); asJSON(t, again) != asJSON(t, r) {
			t.Errorf("%s: from a state\n%s\nwant\n%s", test.name, asJSON(t, again), asJSON(t, r))
		}
	}
}
