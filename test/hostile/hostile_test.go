package hostile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A bomb is a file that makes a careless reader take all memory, or read for ever.
type bomb struct {
	content []byte // nil: the file is /dev/zero, which has no end
	args    string // of a tool, with FILE for the bomb
	says    string // an expression that the message matches
}

func bombs(t *testing.T) map[string]bomb {
	const (
		packages = "gen_digest_lists -d out -f rpm+pkg -i FILE -t file -o append"
		database = "gen_digest_lists -d out -f rpm+db --db FILE -t file -o append"
		source   = "gen_digest_lists -d out -t file -o append -i FILE -f "
		verdict  = "verify_digest_lists --reference good.rpm --measurements "
		quote    = verdict + "list --nonce 00 --quote-pcrs pcrs --signature sig --quote "
	)
	return map[string]bomb{
		"package, headers of 4 GiB":      {rpmPackage(headerMagic, be(1<<32-1, 1<<32-1)), packages, "header"},
		"package, header cut off":        {rpmPackage(headerMagic, be(1<<16-1, 1<<28-1), make([]byte, 1<<20)), packages, "truncated"},
		"package, strings without end":   {rpmPackage(headerMagic, be(1, 16), be(1000, 8, 0, 1<<32-1), make([]byte, 16)), packages, "malformed"},
		"package, all values at a place": {rpmPackage(headerMagic, be(60000, 1<<20), bytes.Repeat(be(1000, 7, 0, 1<<20), 60000), make([]byte, 1<<20)), packages, "malformed"},
		"package without end":            {nil, packages, "want a package"},
		"list, one directory":            {longDirectory(), "manage_digest_lists -d lists -p dump", "directory 0 of 1048578 bytes"},
		"list, directory, converted":     {longDirectory(), "upload_digest_lists -d lists -o table", "directory 0 of 1048578 bytes"},

		"SQLite, page in itself":      {sqlite(), database, "damaged"},
		"Berkeley DB, page in itself": {berkeleyDB(), database, "damaged"},
		"NDB, slots":                  {ndb(), database, "damaged"},
		"database without end":        {nil, database, "regular"},

		"ascii of 8 GiB":       {nil, strings.ReplaceAll(source, "FILE", "sparse") + "ascii", "more than 1073741824 bytes"},
		"keylime of 8 GiB":     {nil, strings.ReplaceAll(source, "FILE", "sparse") + "keylime", "more than 1073741824 bytes"},
		"certificate of 8 GiB": {nil, strings.ReplaceAll(source, "FILE", "sparse") + "copy", "more than 1073741824 bytes"},
		"ima without end":      {nil, source + "ima+ima_ng", "regular"},
		"ascii without end":    {nil, source + "ascii", "regular"},
		"ascii, a line":        {bytes.Repeat([]byte("a"), 8<<20), source + "ascii", "line 1: too large"},
		"audit without end":    {nil, source + "audit", "regular"},
		"keylime without end":  {nil, source + "keylime", "regular"},
		"copy without end":     {nil, source + "copy", "regular"},
		"keylime, deep":        {[]byte(strings.Repeat("[", 4<<20)), source + "keylime", "malformed"},
		"keylime, deep value":  {[]byte(`{"meta":` + strings.Repeat(`{"a":`, 1<<20)), source + "keylime", "malformed|truncated"},

		"evidence, gzip of nothing":  {gzipped(t, zeros, 256), verdict + "FILE", "malformed"},
		"evidence, zstd of nothing":  {zstandard(t, zeros, 256), verdict + "FILE", "malformed"},
		"evidence, a line":           {gzipped(t, bytes.Repeat([]byte("a"), len(zeros)), 256), verdict + "FILE", "malformed|too large"},
		"evidence, unknown files":    {gzipped(t, unknown(20000), 100), verdict + "FILE", "too large: a report of what is not known"},
		"evidence, unknown in JSON":  {gzipped(t, unknown(20000), 100), verdict + "FILE --json", "too large: a report of what is not known"},
		"evidence, gzip in gzip":     {gzipped(t, gzipped(t, zeros, 64), 64), verdict + "FILE", "malformed"},
		"evidence, zstd window":      {[]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0, 0}, verdict + "FILE", "zstd"},
		"evidence, data of 4 GiB":    {append(append([]byte{10, 0, 0, 0}, make([]byte, 20)...), "\x06\x00\x00\x00ima-ng\xff\xff\xff\xff"...), verdict + "FILE", "too large|malformed"},
		"evidence without end":       {nil, verdict + "FILE", "malformed"},
		"audit log, gzip of nothing": {gzipped(t, zeros, 256), "verify_digest_lists --reference good.rpm --audit FILE", "malformed|too large"},
		"journal, field of 2^61":     {[]byte("MESSAGE\n\x00\x00\x00\x00\x00\x00\x00\x20x"), "verify_digest_lists --reference good.rpm --audit FILE", "too large"},
		"state, deep":                {[]byte(strings.Repeat("[", 4<<20)), verdict + "list --from-state FILE", "max depth"},
		"state without end":          {nil, verdict + "list --from-state FILE", "regular"},
		"event log without end":      {nil, verdict + "list --event-log FILE", "regular"},
		"PCRs without end":           {nil, verdict + "list --pcrs FILE", "selector"},
		"quote without end":          {nil, quote + "FILE --ak key", "more than"},
		"key without end":            {nil, quote + "list --ak FILE", "more than"},
		"patterns without end":       {nil, verdict + "list --allow FILE", "more than"},
		"certificate without end":    {nil, "verify_digest_lists -d lists --key FILE", "more than"},
		"vendor's key without end":   {nil, "verify_digest_lists -d lists --rpm-keys FILE", "more than"},
		"reference without end":      {nil, "verify_digest_lists --measurements list --reference FILE", "neither"},
	}
}

// Each bomb is refused with a message, and leaves no list behind.
func TestBombs(t *testing.T) {
	bin := build(t)
	for name, b := range bombs(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, from := range map[string]string{
				"good.rpm": "../inputs/rpms/g256-1.2-3.x86_64.rpm", "list": "../../attest/testdata/mainline-ima-ng/ascii_runtime_measurements",
				"pcrs": "../../attest/testdata/mainline-ima-ng/quote.pcrs", "sig": "../../attest/testdata/mainline-ima-ng/quote.sig", "key": "../../attest/testdata/mainline-ima-ng/ak.pem",
			} {
				link(t, from, filepath.Join(dir, file))
			}
			mkdir(t, filepath.Join(dir, "lists"))
			sparse := filepath.Join(dir, "sparse")
			write(t, sparse, nil)
			if err := os.Truncate(sparse, 8<<30); err != nil {
				t.Fatal(err)
			}
			file := "/dev/zero"
			if b.content != nil {
				file = "lists/0-file_list-rpm-bomb"
				write(t, filepath.Join(dir, file), b.content)
			}
			o := limited(t, bin, dir, strings.Fields(strings.ReplaceAll(b.args, "FILE", file))...)
			if o.code == 0 || !regexp.MustCompile(`_digest_lists: error: (?s:.*)(`+b.says+`)`).MatchString(o.stderr) {
				t.Errorf("exit code %d, %d bytes of output\n%.2000s", o.code, o.output, o.stderr)
			}
			if len(o.stderr) > 4096 {
				t.Errorf("%d bytes of messages", len(o.stderr))
			}
			if left, err := filepath.Glob(filepath.Join(dir, "out", "*")); err != nil || len(left) > 0 {
				t.Errorf("%q is left, %v", left, err)
			}
		})
	}
}

// A checksum file that is good, and only large, takes the memory of its digests.
func TestManyChecksums(t *testing.T) {
	bin, dir := build(t), t.TempDir()
	mkdir(t, filepath.Join(dir, "out"))
	f, err := os.Create(filepath.Join(dir, "sums"))
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range 1_000_000 {
		fmt.Fprintf(w, "%064x  /usr/share/a-folder-with-a-name-as-usual/file-%08d.dat\n", i+1, i)
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if o := limited(t, bin, dir, strings.Fields("gen_digest_lists -d out -t file -o append -f ascii -i sums")...); o.code != 0 {
		t.Errorf("exit code %d\n%s", o.code, o.stderr)
	}
	list, err := os.Stat(filepath.Join(dir, "out/0-file_list-compact-sums"))
	if err != nil || list.Size() != 16+32_000_000 {
		t.Errorf("%v, %v", list, err)
	}
}

// All malformed lists and packages are read by all that read such a thing, and each is
// named: the tools neither die of one nor stop at it.
func TestMalformed(t *testing.T) {
	bin, dir := build(t), t.TempDir()
	found, err := filepath.Glob("../inputs/bad/*")
	if err != nil || len(found) == 0 {
		t.Fatalf("%q, %v", found, err)
	}
	link(t, "../../attest/testdata/mainline-ima-ng/ascii_runtime_measurements", filepath.Join(dir, "list"))
	formats := map[string]string{"compact": "compact", "tlv": "compact_tlv", "rpm": "rpm", "bad": "ima+ima_ng", "trunc": "rpm"}
	for _, path := range found {
		kind, _, _ := strings.Cut(filepath.Base(path), "-")
		name := "lists/0-file_list-" + formats[kind] + "-" + filepath.Base(path)
		link(t, path, filepath.Join(dir, name))
		for _, from := range []string{"rpm+pkg -i ", "rpm+db --db "} {
			args := strings.Fields("gen_digest_lists -d out -t file -o append -f " + from + name)
			if o := limited(t, bin, dir, args...); o.code != 3 || !strings.Contains(o.stderr, name) {
				t.Errorf("%q: exit code %d\n%s", args, o.code, o.stderr)
			}
		}
	}
	for _, tool := range []string{
		"manage_digest_lists -d lists -p dump", "manage_digest_lists -d lists -p stats",
		"upload_digest_lists -d lists -o table", "upload_digest_lists -d lists --emulate model",
	} {
		o := limited(t, bin, dir, strings.Fields(tool)...)
		if named := strings.Count(o.stderr, "error: 0-file_list-"); o.code != 1 || named < len(found)/2 {
			t.Errorf("%s: exit code %d, %d of %d lists are named\n%s", tool, o.code, named, len(found), o.stderr)
		}
	}
	for _, tool := range []string{"verify_digest_lists -d lists", "verify_digest_lists --measurements list --reference lists"} {
		if o := limited(t, bin, dir, strings.Fields(tool)...); o.code == 0 {
			t.Errorf("%s: exit code 0\n%s", tool, o.stderr)
		}
	}
}

func link(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, data)
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	mkdir(t, filepath.Dir(path))
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
}
