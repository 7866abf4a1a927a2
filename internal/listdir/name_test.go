package listdir

import (
	"strings"
	"testing"

	"digestlists/compact"
)

var names = []struct {
	file string
	want Name
	list bool
}{
	{"0-file_list-compact-one", Name{0, compact.TypeFile, "compact", "one"}, true},
	{"10-file_list-rpm-gsha512-0.1-1-x86_64", Name{10, compact.TypeFile, "rpm", "gsha512-0.1-1-x86_64"}, true},
	{"0-file_list-rpm-g256-1.2-3.x86_64", Name{0, compact.TypeFile, "rpm", "g256-1.2-3.x86_64"}, true},
	{"2-file_list-ima+ima_ng-20200101_000000", Name{2, compact.TypeFile, "ima+ima_ng", "20200101_000000"}, true},
	{"0-metadata_list-compact_tlv-tree", Name{0, compact.TypeMetadata, "compact_tlv", "tree"}, true},
	{"0-parser_list-compact-upload_digest_lists", Name{0, compact.TypeParser, "compact", "upload_digest_lists"}, true},
	{"0-key_list-x509_golden.der", Name{0, compact.TypeKey, "", "x509_golden.der"}, true},
	{"0-key_list-x509", Name{0, compact.TypeKey, "", "x509"}, true},
	{"7-key_list-my-ca-2024.der", Name{7, compact.TypeKey, "", "my-ca-2024.der"}, true},
	{"0-file_list-0-file_list-compact-one", Name{0, compact.TypeFile, "0", "file_list-compact-one"}, true},
	{"2147483647-file_list-rpm-a", Name{MaxPosition, compact.TypeFile, "rpm", "a"}, true},
	{"0-file_list-compact-two\nlines", Name{0, compact.TypeFile, "compact", "two\nlines"}, true},
	{"0-file_list-rpm--", Name{0, compact.TypeFile, "rpm", "-"}, true},
	{"0-file_list-rpm-..", Name{0, compact.TypeFile, "rpm", ".."}, true},

	{file: ""},
	{file: "README"},
	{file: ParserLink},
	{file: "5-file_list-rpm"},
	{file: "5-file_list-rpm-"},
	{file: "5-file_list--label"},
	{file: "5-key_list-"},
	{file: "1-file_list-compact-one.sig"},
	{file: "0-key_list-x509.der.sig"},
	{file: "-1-file_list-rpm-a"},
	{file: "+1-file_list-rpm-a"},
	{file: "01-file_list-rpm-a"},
	{file: "1x-file_list-rpm-a"},
	{file: "٣-file_list-rpm-a"},
	{file: "2147483648-file_list-rpm-a"},
	{file: "99999999999999999999-file_list-rpm-a"},
	{file: "0-File_list-rpm-a"},
	{file: "0-foo_list-rpm-a"},
	{file: "0-file-list-rpm-a"},
	{file: "0-file_list-rpm-../../etc/passwd"},
	{file: "0-file_list-rpm-a\x00b"},
	{file: "0-file_list-rpm-" + strings.Repeat("x", 240)},
}

func TestParseName(t *testing.T) {
	for _, c := range names {
		got, ok := ParseName(c.file)
		if ok != c.list || got != c.want {
			t.Errorf("ParseName(%q) = %+v, %v, want %+v, %v", c.file, got, ok, c.want, c.list)
		}
		if ok && got.String() != c.file {
			t.Errorf("String of %q is %q", c.file, got)
		}
	}
}

func TestCheckName(t *testing.T) {
	good := Name{3, compact.TypeFile, "rpm", "bash-5.2-1-x86_64"}
	with := func(change func(*Name)) Name { n := good; change(&n); return n }
	cases := []struct {
		name Name
		want string // part of the error; "" for none
	}{
		{good, ""},
		{Name{0, compact.TypeKey, "", "a-b.der"}, ""},
		{with(func(n *Name) { n.Position = -1 }), "position -1"},
		{with(func(n *Name) { n.Position = MaxPosition + 1 }), "position 2147483648"},
		{with(func(n *Name) { n.Type = 9 }), "unsupported type"},
		{with(func(n *Name) { n.Type = compact.TypeKey }), "none for a key list"},
		{with(func(n *Name) { n.Format = "" }), "without dashes"},
		{with(func(n *Name) { n.Format = "a-b" }), "without dashes"},
		{with(func(n *Name) { n.Format = "a/b" }), "slash"},
		{with(func(n *Name) { n.Label = "" }), "label"},
		{with(func(n *Name) { n.Label = ".." }), "label"},
		{with(func(n *Name) { n.Label = "../x" }), "slash"},
		{with(func(n *Name) { n.Label = "a\nb" }), "control"},
		{with(func(n *Name) { n.Label = "a\x00b" }), "control"},
		{with(func(n *Name) { n.Label = "a\x7f" }), "control"},
		{with(func(n *Name) { n.Label = "a.sig" }), "does not end"},
		{with(func(n *Name) { n.Label = strings.Repeat("x", 235) }), ""},
		{with(func(n *Name) { n.Label = strings.Repeat("x", 236) }), "252 bytes"},
	}
	for _, c := range cases {
		err := c.name.Check()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: error %v, want one with %q", c.name, err, c.want)
		}
		if back, ok := ParseName(c.name.String()); err == nil && (!ok || back != c.name) {
			t.Errorf("%+v comes back as %+v", c.name, back)
		}
	}
}

func TestCopyName(t *testing.T) {
	cases := []struct {
		typ  compact.Type
		base string
		want string // file name; "" for an error
	}{
		{compact.TypeFile, "0-file_list-compact-one", "0-file_list-0-file_list-compact-one"},
		{compact.TypeKey, "x509_golden.der", "0-key_list-x509_golden.der"},
		{compact.TypeFile, "plain", ""},
		{compact.TypeFile, "-x", ""},
		{compact.TypeKey, "cert.sig", ""},
		{compact.TypeKey, "", ""},
	}
	for _, c := range cases {
		n, err := CopyName(c.typ, c.base)
		if (err == nil) != (c.want != "") || err == nil && n.String() != c.want {
			t.Errorf("CopyName(%v, %q) = %q, %v, want %q", c.typ, c.base, n, err, c.want)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, c := range names {
		f.Add(c.file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		n, ok := ParseName(file)
		if !ok {
			if n != (Name{}) {
				t.Errorf("no list, but %+v", n)
			}
			return
		}
		if n.String() != file {
			t.Errorf("%q parses as %+v, which is %q", file, n, n)
		}
		if strings.ContainsAny(file, "/\x00") || len(file) > maxFileName {
			t.Errorf("%q is no file name", file)
		}
		if n.Check() == nil && IsSignature(file) {
			t.Errorf("%q is a signature", file)
		}
	})
}
