package filemeta_test

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"digestlists/compact"
	"digestlists/internal/capability"
	"digestlists/internal/evm"
	"digestlists/internal/filemeta"
	"digestlists/internal/hosttest"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/xattr"

	"github.com/google/go-cmp/cmp"
)

const content = "listed\n"

// tree makes a root with the file /usr/bin/tool, of the listed content, which the script
// may change.
func tree(t *testing.T, script string) string {
	t.Helper()
	root := t.TempDir()
	hosttest.Shell(t, root, `
		mkdir -p usr/bin
		printf 'listed\n' >usr/bin/tool
		chmod 0755 usr/bin/tool
		chown 0:0 usr/bin/tool
		`+script)
	return root
}

// listed is what a list says of /usr/bin/tool.
func listed() filemeta.Want {
	sum := sha256.Sum256([]byte(content))
	return filemeta.Want{
		List: "list", Algorithm: compact.SHA256, Digest: sum[:],
		HasMode: true, Mode: 0o100755, HasOwner: true,
		Attrs: []filemeta.Attr{ima(sum[:])},
	}
}

func ima(sum []byte) filemeta.Attr {
	return filemeta.Attr{Name: imasig.AttributeName, Value: imasig.MarshalDigest(compact.SHA256, sum), Content: true}
}

// run runs over one file, and returns what came of it without what differs between runs.
func run(t *testing.T, r filemeta.Runner, root string, file filemeta.File) filemeta.Result {
	t.Helper()
	dir, err := inroot.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	r.Open = filemeta.InRoot(dir)
	results, err := r.Run(context.Background(), []filemeta.File{file}, func() {})
	if err != nil || len(results) != 1 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	results[0].Device = 0
	return results[0]
}

func tool(wants ...filemeta.Want) filemeta.File {
	return filemeta.File{Path: "/usr/bin/tool", Wants: wants}
}

// attr returns an attribute in hexadecimal digits, or "" for none.
func attr(t *testing.T, root, name string) string {
	t.Helper()
	value, err := xattr.Get(filepath.Join(root, "usr/bin/tool"), name)
	if err != nil && !errors.Is(err, xattr.ErrAbsent) {
		t.Fatal(err)
	}
	return hex.EncodeToString(value)
}

// stat prints mode and owner.
func stat(t *testing.T, root string) string {
	t.Helper()
	return hosttest.Shell(t, root, `stat -c '%04a %u:%g' usr/bin/tool`)
}

func TestCompareChangesNothing(t *testing.T) {
	root := tree(t, `chown 7:8 usr/bin/tool; chmod 4711 usr/bin/tool`)
	before := hosttest.Snapshot(t, root)
	want := filemeta.Result{
		Path: "/usr/bin/tool", Status: filemeta.Different, List: "list",
		Differences: []filemeta.Difference{
			{Attribute: "owner", Is: "7:8", Want: "0:0"},
			{Attribute: "mode", Is: "4711", Want: "0755"},
			{Attribute: "security.ima", Want: "0404" + hex.EncodeToString(listed().Digest)},
		},
	}
	if diff := cmp.Diff(want, run(t, filemeta.Runner{}, root, tool(listed()))); diff != "" {
		t.Error(diff)
	}
	want.Status = filemeta.Repaired // as it would be
	if diff := cmp.Diff(want, run(t, filemeta.Runner{Repair: true, DryRun: true}, root, tool(listed()))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, hosttest.Snapshot(t, root)); diff != "" {
		t.Error(diff)
	}
}

// A new owner takes set-user-ID bits and capabilities away: they are there all the same in
// the end.
func TestRepairAfterAnotherOwner(t *testing.T) {
	root := tree(t, `chown 7:8 usr/bin/tool; chmod 4755 usr/bin/tool; setcap cap_net_raw=ep usr/bin/tool`)
	set, err := capability.Parse("cap_net_raw=ep")
	if err != nil {
		t.Fatal(err)
	}
	want := listed()
	want.Mode, want.GID = 0o104755, 9
	want.Attrs = append(want.Attrs, filemeta.Attr{Name: capability.AttributeName, Value: set.Encode()})
	got := run(t, filemeta.Runner{Repair: true}, root, tool(want))
	if got.Status != filemeta.Repaired || len(got.Differences) != 2 { // owner and security.ima
		t.Errorf("%+v", got)
	}
	if is := stat(t, root); is != "4755 0:9\n" {
		t.Errorf("mode and owner %s", is)
	}
	if is := hosttest.Shell(t, root, "getcap usr/bin/tool"); is != "usr/bin/tool cap_net_raw=ep\n" {
		t.Errorf("capabilities %s", is)
	}
	if got := run(t, filemeta.Runner{}, root, tool(want)); got.Status != filemeta.Good {
		t.Errorf("not as the list says afterwards: %+v", got)
	}
}

// A file of several names is restored once, whichever workers come upon them.
func TestRepairOfManyNames(t *testing.T) {
	const names = 50
	root := tree(t, fmt.Sprintf("for i in $(seq %d); do ln usr/bin/tool usr/bin/$i; done", names))
	dir, err := inroot.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	var files []filemeta.File
	for i := range names {
		files = append(files, filemeta.File{Path: fmt.Sprintf("/usr/bin/%d", i+1), Wants: []filemeta.Want{listed()}})
	}
	for range 20 {
		hosttest.Shell(t, root, "chown 7:7 usr/bin/tool; setfattr -x security.ima usr/bin/tool 2>/dev/null || :")
		r := filemeta.Runner{Open: filemeta.InRoot(dir), Repair: true, Jobs: 8}
		results, err := r.Run(t.Context(), files, func() {})
		if err != nil {
			t.Fatal(err)
		}
		counts := make(map[filemeta.Status]int)
		for _, res := range results {
			counts[res.Status]++
		}
		if diff := cmp.Diff(map[filemeta.Status]int{filemeta.Repaired: 1, filemeta.Good: names - 1}, counts); diff != "" {
			t.Fatal(diff)
		}
	}
}

// chown(2) would take such a number for "leave it as it is", and say that all went well.
func TestOwnerThatNobodyCanBe(t *testing.T) {
	root := tree(t, "chmod 0600 usr/bin/tool")
	for _, ids := range [][2]uint32{{1<<32 - 1, 7}, {7, 1<<32 - 1}} {
		want := listed()
		want.UID, want.GID = ids[0], ids[1]
		for _, dry := range []bool{true, false} {
			got := run(t, filemeta.Runner{Repair: true, DryRun: dry}, root, tool(want))
			if got.Status != filemeta.Failed || got.Err == nil || stat(t, root) != "0600 0:0\n" {
				t.Errorf("%d:%d: %+v, %s", want.UID, want.GID, got, stat(t, root))
			}
		}
		if got := run(t, filemeta.Runner{}, root, tool(want)); got.Status != filemeta.Different {
			t.Errorf("compared: %+v", got)
		}
	}
}

func TestOtherContent(t *testing.T) {
	for name, tt := range map[string]struct {
		runner filemeta.Runner
		config bool
		want   filemeta.Status
		stat   string
	}{
		"left alone":           {filemeta.Runner{Repair: true}, false, filemeta.Changed, "0600 0:0\n"},
		"compared":             {filemeta.Runner{}, false, filemeta.Changed, "0600 0:0\n"},
		"a configuration file": {filemeta.Runner{Repair: true}, true, filemeta.Repaired, "0755 0:0\n"},
		"whatever the content": {filemeta.Runner{Repair: true, Touch: true}, false, filemeta.Repaired, "0755 0:0\n"},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t, `echo other >usr/bin/tool; chmod 0600 usr/bin/tool`)
			want := listed()
			want.Config = tt.config
			if got := run(t, tt.runner, root, tool(want)); got.Status != tt.want {
				t.Errorf("%+v, want %s", got, tt.want)
			}
			if is := stat(t, root); is != tt.stat {
				t.Errorf("mode and owner %s, want %s", is, tt.stat)
			}
			if is := attr(t, root, imasig.AttributeName); (is != "") != tt.runner.Touch {
				t.Errorf("security.ima of another content: %q", is)
			}
		})
	}
}

// A file of which all else is as it should be is not good with another content.
func TestOtherContentOfGoodFiles(t *testing.T) {
	for script, status := range map[string]filemeta.Status{"": filemeta.Good, "echo other >usr/bin/tool": filemeta.Changed} {
		root := tree(t, script)
		for _, runner := range []filemeta.Runner{{}, {Repair: true}} {
			want := listed()
			want.Attrs = nil
			if got := run(t, runner, root, tool(want)); got.Status != status {
				t.Errorf("%+v: %+v, want %s", runner, got, status)
			}
		}
	}
}

// Ghosts of packages need not be there, and have what content they like.
func TestGhosts(t *testing.T) {
	ghost := listed()
	ghost.Ghost = true
	gone := filemeta.File{Path: "/usr/bin/gone", Wants: []filemeta.Want{ghost}}
	root := tree(t, "echo other >usr/bin/tool; chmod 0600 usr/bin/tool")
	if got := run(t, filemeta.Runner{}, root, gone); got.Status != filemeta.Ghost {
		t.Errorf("%+v", got)
	}
	gone.Wants = append(gone.Wants, listed())
	if got := run(t, filemeta.Runner{}, root, gone); got.Status != filemeta.Missing {
		t.Errorf("a file of another package: %+v", got)
	}
	if got := run(t, filemeta.Runner{Repair: true}, root, tool(ghost)); got.Status != filemeta.Repaired || stat(t, root) != "0755 0:0\n" {
		t.Errorf("%+v, %s", got, stat(t, root))
	}
}

func TestAttributes(t *testing.T) {
	root := tree(t, "setfattr -n security.ima -v 0x030204 usr/bin/tool")
	signed := listed()
	signed.Attrs[0].Instead = func(value []byte) bool { return value[0] == 3 }
	if got := run(t, filemeta.Runner{Repair: true}, root, tool(signed)); got.Status != filemeta.Good || attr(t, root, imasig.AttributeName) != "030204" {
		t.Errorf("what does as well: %+v", got)
	}
	gone := filemeta.Want{Attrs: []filemeta.Attr{{Name: imasig.AttributeName}, {Name: evm.AttributeName}}}
	if got := run(t, filemeta.Runner{Repair: true, Touch: true}, root, tool(gone)); got.Status != filemeta.Repaired || attr(t, root, imasig.AttributeName) != "" {
		t.Errorf("removed: %+v", got)
	}
	// A digest in another algorithm than the list's is made of the listed content only.
	sum, algorithm := sha512.Sum512([]byte(content)), compact.SHA512
	hashed := listed()
	hashed.Attrs = []filemeta.Attr{{Name: imasig.AttributeName, Hash: &algorithm}}
	if got := run(t, filemeta.Runner{Repair: true}, root, tool(hashed)); got.Status != filemeta.Repaired || attr(t, root, imasig.AttributeName) != "0406"+hex.EncodeToString(sum[:]) {
		t.Errorf("hashed: %+v, %s", got, attr(t, root, imasig.AttributeName))
	}
	hosttest.Shell(t, root, "echo other >usr/bin/tool")
	if got := run(t, filemeta.Runner{Repair: true}, root, tool(hashed)); got.Status != filemeta.Changed || attr(t, root, imasig.AttributeName) != "0406"+hex.EncodeToString(sum[:]) {
		t.Errorf("hashed, other content: %+v", got)
	}
}

// security.evm sends the kernel to a list, which is in vain if that has another digest of
// the metadata.
func TestMetadataDigest(t *testing.T) {
	want := listed()
	m := evm.Metadata{Mode: want.Mode, IMA: want.Attrs[0].Value}
	digest, err := m.Digest(compact.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	want.MetaDigest = digest
	want.Attrs = append(want.Attrs, filemeta.Attr{Name: evm.AttributeName, Value: evm.ListedValue(compact.SHA256), Content: true})

	root := tree(t, "chmod 0600 usr/bin/tool")
	if got := run(t, filemeta.Runner{Repair: true}, root, tool(want)); got.Status != filemeta.Repaired || got.Err != nil || attr(t, root, evm.AttributeName) != "060204" {
		t.Errorf("%+v", got)
	}
	if got := run(t, filemeta.Runner{}, root, tool(want)); got.Status != filemeta.Good {
		t.Errorf("%+v", got)
	}
	// A label that the list does not know of is in the digest, too.
	root = tree(t, "chmod 0600 usr/bin/tool; setfattr -n security.selinux -v label usr/bin/tool")
	if got := run(t, filemeta.Runner{Repair: true}, root, tool(want)); got.Status != filemeta.Failed || got.Err == nil || attr(t, root, evm.AttributeName) != "" {
		t.Errorf("%+v", got)
	}
	got := run(t, filemeta.Runner{}, root, tool(filemeta.Want{Algorithm: compact.SHA256, Digest: want.Digest, MetaDigest: digest}))
	if got.Status != filemeta.Different || len(got.Differences) != 1 || got.Differences[0].Attribute != "metadata digest" {
		t.Errorf("%+v", got)
	}
}

// Links lead below the root only, and none takes the place of a file.
func TestStaysBelowTheRoot(t *testing.T) {
	for path, want := range map[string]filemeta.Status{
		"/bin/tool":           filemeta.Repaired,
		"/../../usr/bin/tool": filemeta.Repaired,
		"/usr/bin/tool/x":     filemeta.Missing,
		"/usr/bin/gone":       filemeta.Missing,
		"/link":               filemeta.Missing,
		"/fifo":               filemeta.Missing,
		"/usr":                filemeta.Missing,
		"/up/outside":         filemeta.Missing,
		"/../outside":         filemeta.Missing,
	} {
		root := tree(t, `
			mkdir system; mv usr system; cp -a system/usr/bin/tool outside
			ln -s /usr/bin system/bin; ln -s ../outside system/link; ln -s .. system/up; mkfifo system/fifo`)
		before := hosttest.Shell(t, root, "getfattr -d -m - outside; stat outside")
		file := filemeta.File{Path: path, Wants: []filemeta.Want{listed()}}
		if got := run(t, filemeta.Runner{Repair: true}, filepath.Join(root, "system"), file); got.Status != want {
			t.Errorf("%+v, want %s", got, want)
		}
		if after := hosttest.Shell(t, root, "getfattr -d -m - outside; stat outside"); after != before {
			t.Errorf("%s: %s", path, cmp.Diff(before, after))
		}
	}
}

// Each file has its result in its place, whichever worker is done first; interrupted, there
// are none.
func TestOrder(t *testing.T) {
	root := tree(t, "for i in $(seq 100 199); do cp -a usr/bin/tool usr/bin/$i; done; chmod 700 usr/bin/1?7")
	var files []filemeta.File
	for i := range 100 {
		files = append(files, filemeta.File{Path: fmt.Sprint("/usr/bin/", 100+i), Wants: []filemeta.Want{listed()}})
	}
	dir, err := inroot.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	var seen atomic.Int64
	r := filemeta.Runner{Open: filemeta.InRoot(dir), Jobs: 7}
	results, err := r.Run(context.Background(), files, func() { seen.Add(1) })
	if err != nil || len(results) != len(files) || seen.Load() != int64(len(files)) {
		t.Fatalf("%d results, %d seen, %v", len(results), seen.Load(), err)
	}
	for i, got := range results {
		if got.Path != files[i].Path || len(got.Differences) != map[bool]int{true: 2, false: 1}[i%10 == 7] {
			t.Errorf("%s: %+v", files[i].Path, got)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if results, err := r.Run(ctx, files, func() {}); results != nil || err == nil {
		t.Errorf("interrupted: %d results, %v", len(results), err)
	}
}
