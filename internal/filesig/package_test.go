package filesig_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"digestlists/internal/hosttest"
)

// spec is a package with every kind of file that Apply tells apart.
const spec = `Name: files
Version: 1
Release: 1
Summary: Files with signatures
License: none
BuildArch: noarch
AutoReqProv: no
%description
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/lib/files %{buildroot}/etc %{buildroot}/var/log
echo program >%{buildroot}/usr/bin/program; chmod 755 %{buildroot}/usr/bin/program
echo library >%{buildroot}/usr/lib/files/library; ln -s library %{buildroot}/usr/lib/files/link
ln %{buildroot}/usr/lib/files/library %{buildroot}/usr/lib/files/hard
: >%{buildroot}/usr/lib/files/empty
echo changed >%{buildroot}/usr/lib/files/changed
echo config >%{buildroot}/etc/files.conf
echo log >%{buildroot}/var/log/files.log
%files
/usr/bin/program
/usr/lib/files
%config /etc/files.conf
%ghost /var/log/files.log
`

// signedPackage builds a package whose files have signatures of evmctl in the signature
// header, as rpmsign --signfiles puts them there. Debian's rpmsign cannot.
func signedPackage(t *testing.T, key string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "files.spec"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	hosttest.Run(t, "", "rpmbuild", "-bb", "--quiet", "--define", "_topdir "+dir, "--define", "_rpmdir "+dir, "--define", "_buildrootdir "+dir+"/root",
		"--define", "_build_name_fmt files.rpm", "--define", "_buildhost golden.example", "--define", "_binary_filedigest_algorithm 8", "--define", "__os_install_post %{nil}",
		"--noclean", filepath.Join(dir, "files.spec"))
	root, err := filepath.Glob(filepath.Join(dir, "root", "*"))
	if err != nil || len(root) != 1 {
		t.Fatalf("%d build roots, %v", len(root), err)
	}
	path := filepath.Join(dir, "files.rpm")
	var signatures []string
	for line := range strings.Lines(hosttest.Run(t, "", "rpm", "-qp", "--nosignature", "--qf", `[%{FILENAMES} %{FILEDIGESTS}\n]`, path)) {
		name, digest, _ := strings.Cut(strings.TrimSpace(line), " ")
		signature := ""
		if digest != "" {
			hosttest.Run(t, "", "evmctl", "ima_sign", "--sigfile", "--key", key, root[0]+name)
			value, err := os.ReadFile(root[0] + name + ".sig")
			if err != nil {
				t.Fatal(err)
			}
			signature = hex.EncodeToString(value)
		}
		signatures = append(signatures, signature)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, addSignatures(data, signatures), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// addSignatures puts tag 274 (strings) into the signature header of a package.
func addSignatures(file []byte, signatures []string) []byte {
	const lead, intro, entry = 96, 16, 16
	header := file[lead:]
	count, size := int(binary.BigEndian.Uint32(header[8:])), int(binary.BigEndian.Uint32(header[12:]))
	index, data := header[intro:intro+count*entry], header[intro+count*entry:][:size]
	rest := header[(intro+count*entry+size+7)&^7:]

	// The first entry is the region, whose data, the last of all, say how many entries it has.
	trailer := int(binary.BigEndian.Uint32(index[8:]))
	added := append([]byte(strings.Join(signatures, "\x00")), 0)
	row := binary.BigEndian.AppendUint32(nil, 274)
	row = binary.BigEndian.AppendUint32(row, 8)
	row = binary.BigEndian.AppendUint32(row, uint32(trailer))
	row = binary.BigEndian.AppendUint32(row, uint32(len(signatures)))
	index, data = slices.Concat(index, row), slices.Concat(data[:trailer], added, data[trailer:])
	binary.BigEndian.PutUint32(index[8:], uint32(trailer+len(added)))
	binary.BigEndian.PutUint32(data[trailer+len(added)+8:], uint32(-len(index)))

	out := slices.Concat(file[:lead+8], binary.BigEndian.AppendUint32(nil, uint32(count+1)), binary.BigEndian.AppendUint32(nil, uint32(len(data))), index, data)
	return slices.Concat(out, bytes.Repeat([]byte{0}, -(len(out)-lead)&7), rest)
}

// install installs a package into a new root.
func install(t *testing.T, pkg string, plugins ...string) string {
	t.Helper()
	root := t.TempDir()
	hosttest.Run(t, "", "rpm", append(plugins, "--root", root, "--dbpath", "/var/lib/rpm", "--nosignature", "-i", pkg)...)
	return root
}
