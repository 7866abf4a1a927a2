package listdir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"digestlists/compact"

	"golang.org/x/sys/unix"
)

func TestLists(t *testing.T) {
	dir := makeLists(t, "10-file_list-rpm-a", "9-file_list-rpm-b", "9-file_list-compact-b", "0-metadata_list-rpm-a", "3-key_list-ca.der",
		parser0, ParserLink+">"+parser0, "README", "9-file_list-rpm-b.sig", "5-file_list-rpm", "9-file_list-rpm-b.sig.sig", ".hidden")
	d, err := Open(dir)
	must(t, err)
	defer d.Close()
	var got []string
	for _, l := range d.Lists() {
		got = append(got, l.String())
	}
	want := []string{"3-key_list-ca.der", parser0, "9-file_list-compact-b", "9-file_list-rpm-b", "10-file_list-rpm-a", "0-metadata_list-rpm-a"}
	if !slices.Equal(got, want) {
		t.Errorf("lists %q, want %q", got, want)
	}
	if want := []string{"9-file_list-rpm-b.sig", "9-file_list-rpm-b.sig.sig"}; !slices.Equal(d.Signatures(), want) {
		t.Errorf("signatures %q, want %q", d.Signatures(), want)
	}
	if want := []string{".hidden", "5-file_list-rpm", "README", ParserLink}; !slices.Equal(d.Others(), want) {
		t.Errorf("others %q, want %q", d.Others(), want)
	}
}

func TestOpenRefuses(t *testing.T) {
	base := t.TempDir()
	real := filepath.Join(base, "real")
	must(t, os.Mkdir(real, 0o755), os.Symlink(real, filepath.Join(base, "link")), os.Symlink("nowhere", filepath.Join(base, "dangling")),
		os.WriteFile(filepath.Join(base, "file"), nil, 0o644), unix.Mkfifo(filepath.Join(base, "fifo"), 0o644),
		os.Mkdir(filepath.Join(base, "open"), 0o755), os.Chmod(filepath.Join(base, "open"), 0o777),
		os.Mkdir(filepath.Join(base, "sticky"), 0o755), unix.Chmod(filepath.Join(base, "sticky"), 0o1777),
		os.Mkdir(filepath.Join(base, "foreign"), 0o755), os.Chown(filepath.Join(base, "foreign"), 4242, 0))
	cases := []struct {
		name string
		want error
	}{
		{"missing", os.ErrNotExist},
		{"missing/er", os.ErrNotExist},
		{"link", ErrLink},
		{"link/", ErrLink},
		{"link/.", ErrLink},
		{"link//./", ErrLink},
		{"dangling", ErrLink},
		{"file", ErrNotDirectory},
		{"file/", ErrNotDirectory},
		{"fifo", ErrNotDirectory},
		{"open", ErrWritable},
		{"sticky", ErrWritable},
		{"foreign", ErrOwner},
		{"real", nil},
		{"real/", nil},
		{"link/../real", nil},
	}
	for _, c := range cases {
		path := base + "/" + c.name
		d, err := Open(path)
		if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), fmt.Sprintf("%q", path)) {
			t.Errorf("Open(%q): %v, want %v", c.name, err, c.want)
		}
		if err == nil {
			d.Close()
		}
		if c.want == os.ErrNotExist {
			continue // Begin makes it
		}
		tx, err := Begin(path, Options{Wait: -1})
		if !errors.Is(err, c.want) {
			t.Errorf("Begin(%q): %v, want %v", c.name, err, c.want)
		}
		if err == nil {
			tx.Close()
		}
	}
	if _, err := Open(""); err == nil {
		t.Error("opened the empty path")
	}
	for _, path := range []string{"", "/", "//", "/.."} {
		if _, err := Begin(path, Options{Wait: -1}); err == nil {
			t.Errorf("began to change %q", path)
		}
	}
}

// A relative path, and one that is only a dot, work like any other.
func TestRelativePath(t *testing.T) {
	dir := makeLists(t)
	t.Chdir(dir)
	for i, path := range []string{".", "../lists", "./", "../lists/.", "../lists/../lists"} {
		tx := begin(t, path)
		_, err := tx.Append(fileName(0, "a"), stage(t, tx, "new"))
		must(t, err)
		_, err = tx.Append(Name{Type: compact.TypeKey, Label: "k"}, stage(t, tx, "new")) // two changes: an exchange
		must(t, err)
		commit(t, tx)
		if got := state(t, dir); len(got) != 2*(i+1) {
			t.Errorf("%q: %q", path, got)
		}
		t.Chdir(dir)
	}
	expectClean(t, dir)
}

func TestReadInto(t *testing.T) {
	dir := makeLists(t, "0-file_list-rpm-a", "1-file_list-rpm-empty", "2-file_list-rpm-big", "3-file_list-rpm-link>0-file_list-rpm-a",
		"4-file_list-rpm-loop>4-file_list-rpm-loop", "9-file_list-rpm-gone", "9-file_list-rpm-gone.sig")
	at := func(name string) string { return filepath.Join(dir, name) }
	big := bytes.Repeat([]byte("0123456789abcdef"), 10000)
	must(t, os.Truncate(at("1-file_list-rpm-empty"), 0), os.WriteFile(at("2-file_list-rpm-big"), big, 0o644),
		unix.Mkfifo(at("5-file_list-rpm-fifo"), 0o644), os.Mkdir(at("6-file_list-rpm-dir"), 0o755),
		unix.Mknod(at("7-file_list-rpm-socket"), unix.S_IFSOCK|0o644, 0), unix.Mknod(at("8-file_list-rpm-null"), unix.S_IFCHR|0o644, int(unix.Mkdev(1, 3))))
	sparse, err := os.Create(at("10-file_list-rpm-sparse"))
	must(t, err, sparse.Truncate(MaxListSize+1), sparse.Close())
	d, err := Open(dir)
	must(t, err)
	defer d.Close()
	must(t, os.Remove(at("9-file_list-rpm-gone")), os.Remove(at("9-file_list-rpm-gone.sig")))

	cases := []struct {
		file string
		want string
		err  error
	}{
		{"0-file_list-rpm-a", "0-file_list-rpm-a", nil},
		{"1-file_list-rpm-empty", "", nil},
		{"2-file_list-rpm-big", string(big), nil},
		{"3-file_list-rpm-link", "", ErrLink},
		{"4-file_list-rpm-loop", "", ErrLink},
		{"5-file_list-rpm-fifo", "", ErrNotRegular},
		{"6-file_list-rpm-dir", "", ErrNotRegular},
		{"7-file_list-rpm-socket", "", ErrNotRegular},
		{"8-file_list-rpm-null", "", ErrNotRegular},
		{"9-file_list-rpm-gone", "", ErrChanged},
		{"9-file_list-rpm-gone", "", os.ErrNotExist},
		{"9-file_list-rpm-gone.sig", "", ErrChanged},
		{"10-file_list-rpm-sparse", "", compact.ErrTooLarge},
		{"11-file_list-rpm-never", "", os.ErrNotExist},
	}
	var buf []byte
	for _, c := range cases {
		got, err := d.ReadInto(c.file, buf)
		if !errors.Is(err, c.err) || string(got) != c.want {
			t.Errorf("ReadInto(%q): %d bytes, %v, want %d, %v", c.file, len(got), err, len(c.want), c.err)
		}
		if err != nil && (got != nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", c.file))) {
			t.Errorf("ReadInto(%q): %d bytes with %v", c.file, len(got), err)
		}
		if err == nil {
			buf = got
		}
		same, err := d.Same(c.file, []byte(c.want))
		if same != (c.err == nil) || !errors.Is(err, c.err) {
			t.Errorf("Same(%q): %v, %v", c.file, same, err)
		}
	}
	if _, err := d.ReadInto("11-file_list-rpm-never", nil); errors.Is(err, ErrChanged) {
		t.Errorf("never there: %v", err)
	}
	for _, c := range []struct {
		file    string
		content []byte
	}{
		{"0-file_list-rpm-a", []byte("0-file_list-rpm-b")},
		{"0-file_list-rpm-a", []byte("0-file_list-rpm")},
		{"0-file_list-rpm-a", nil},
		{"2-file_list-rpm-big", append(slices.Clone(big[:len(big)-1]), 'x')},
		{"2-file_list-rpm-big", append([]byte("x"), big[1:]...)},
	} {
		if same, err := d.Same(c.file, c.content); same || err != nil {
			t.Errorf("Same(%q) with other content: %v, %v", c.file, same, err)
		}
	}
}

// A file that changes its length between open and read is noticed.
func TestReadChanged(t *testing.T) {
	dir := makeLists(t, "0-file_list-rpm-a")
	d, err := Open(dir)
	must(t, err)
	defer d.Close()
	for _, c := range []struct {
		size int64
		want error
	}{{0, io.ErrUnexpectedEOF}, {3, compact.ErrTruncated}, {100, ErrChanged}} {
		path := filepath.Join(dir, "0-file_list-rpm-a")
		must(t, os.WriteFile(path, []byte("0123456789"), 0o644))
		f, err := d.OpenList("0-file_list-rpm-a")
		must(t, err, os.Truncate(path, c.size))
		if got, err := f.ReadInto(nil); !errors.Is(err, c.want) || got != nil {
			t.Errorf("size %d: %q, %v, want %v", c.size, got, err, c.want)
		}
		f.Close()
	}
}

func TestReadConcurrently(t *testing.T) {
	var files []string
	for i := range 200 {
		files = append(files, fileName(i, "a").String())
	}
	dir := makeLists(t, files...)
	d, err := Open(dir)
	must(t, err)
	defer d.Close()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var buf []byte
			for _, l := range d.Lists() {
				got, err := d.ReadInto(l.File, buf)
				if err != nil || string(got) != l.File {
					t.Errorf("%q: %q, %v", l.File, got, err)
				}
				buf = got
			}
		})
	}
	wg.Wait()
}

// Reading with a buffer that is large enough costs only the NUL-terminated name.
func TestReadAllocations(t *testing.T) {
	d, err := Open(makeLists(t, "0-file_list-rpm-a"))
	must(t, err)
	defer d.Close()
	buf := make([]byte, 4096)
	if n := testing.AllocsPerRun(100, func() { d.ReadInto("0-file_list-rpm-a", buf) }); n > 2 {
		t.Errorf("%v allocations for each list", n)
	}
}

// Whatever lies in the directory, a transaction keeps it or refuses.
func TestHostileEntries(t *testing.T) {
	long := "1-file_list-rpm-" + strings.Repeat("x", maxFileName-len("1-file_list-rpm-"))
	odd := []string{"0-file_list-rpm-a\nb", "0-file_list-rpm---", long, strings.Repeat("y", maxFileName), "-rf", "\xff\xfe"}
	dir := makeLists(t, append(odd, "0-file_list-rpm-a", "old>/etc/passwd")...)
	must(t, os.MkdirAll(filepath.Join(dir, "folder", "deep"), 0o755), os.Chmod(filepath.Join(dir, "folder"), 0o711), unix.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	fill(t, filepath.Join(dir, "folder", "deep"), "file", "0-file_list-rpm-x")
	before := state(t, dir)

	tx := begin(t, dir)
	must(t, appendNew(Name{Type: compact.TypeKey, Label: "k"})(t, tx), appendNew(Name{Type: compact.TypeKey, Label: "l"})(t, tx))
	commit(t, tx)
	expect(t, dir, append(before, "0-key_list-k=new", "1-key_list-l=new")...)
	if st, err := os.Stat(filepath.Join(dir, "folder")); err != nil || st.Mode().Perm() != 0o711 {
		t.Errorf("folder has mode %v, %v", st.Mode(), err)
	}

	tx = begin(t, dir)
	must(t, tx.Remove(compact.TypeKey, 0))
	commit(t, tx)
	expect(t, dir, append(before, "0-key_list-l=new")...)

	// A name that has no room for one more digit.
	must(t, os.Rename(filepath.Join(dir, long), filepath.Join(dir, "9"+long[1:])))
	before = state(t, dir)
	tx = begin(t, dir)
	must(t, insertNew(fileName(0, "x"))(t, tx))
	if _, err := tx.Commit(); !errors.Is(err, unix.ENAMETOOLONG) {
		t.Errorf("too long: %v", err)
	}
	expect(t, dir, before...)
	expectClean(t, dir)
}

// A folder with the name of a list is not removed with all that is in it.
func TestFolderNamedAsList(t *testing.T) {
	dir := makeLists(t, "1-file_list-rpm-b")
	fill(t, filepath.Join(dir, "0-file_list-rpm-a"), "file")
	before := state(t, dir)
	tx := begin(t, dir)
	for name, err := range map[string]error{
		"remove":      tx.Remove(compact.TypeFile, 0),
		"remove all":  tx.Remove(compact.TypeFile, All),
		"remove name": tx.RemoveName("0-file_list-rpm-a"),
		"replace":     tx.Replace("0-file_list-rpm-a", stage(t, tx, "new")),
		"attribute":   tx.SetXattr("0-file_list-rpm-a", "user.x", nil),
	} {
		if !errors.Is(err, ErrNotRegular) {
			t.Errorf("%s: %v", name, err)
		}
	}
	commit(t, tx)
	expect(t, dir, before...)
}

// A list that is a link is never written through.
func TestLinkedList(t *testing.T) {
	dir := makeLists(t, "0-file_list-rpm-a>../target", "1-file_list-rpm-b")
	target := filepath.Join(filepath.Dir(dir), "target")
	must(t, os.WriteFile(target, []byte("precious"), 0o644))
	tx := begin(t, dir)
	if err := tx.SetXattr("0-file_list-rpm-a", "user.x", nil); !errors.Is(err, ErrLink) {
		t.Errorf("attribute: %v", err)
	}
	must(t, tx.Replace("0-file_list-rpm-a", stage(t, tx, "new")))
	commit(t, tx)
	expect(t, dir, "0-file_list-rpm-a=new", "1-file_list-rpm-b")
	if got, _ := os.ReadFile(target); string(got) != "precious" {
		t.Errorf("the target of the link became %q", got)
	}
}

// Attributes of the list directory's neighbours are nobody's staging folder.
func TestStaleFolders(t *testing.T) {
	dir := makeLists(t, "0-file_list-rpm-a")
	base := filepath.Dir(dir)
	stale := filepath.Join(base, ".lists.new-0123456789abcdef")
	fill(t, filepath.Join(stale, "lists"), "x")
	keep := []string{".lists.new-0123", ".lists.new-0123456789abcdeg", ".other.new-0123456789abcdef", ".lists.new-00000000000000aa", ".lists.new-00000000000000bb"}
	for _, k := range keep[:3] {
		must(t, os.Mkdir(filepath.Join(base, k), 0o755))
	}
	must(t, os.Symlink(dir, filepath.Join(base, keep[3])), os.Mkdir(filepath.Join(base, keep[4]), 0o755), os.Chown(filepath.Join(base, keep[4]), 4242, 0))
	dry, err := Begin(dir, Options{DryRun: true})
	must(t, err, dry.Close())
	if _, err := os.Stat(stale); err != nil {
		t.Error("a dry run cleaned up")
	}
	begin(t, dir).Close()
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("stale folder: %v", err)
	}
	for _, k := range keep {
		if _, err := os.Lstat(filepath.Join(base, k)); err != nil {
			t.Error(err)
		}
	}
	expect(t, dir, "0-file_list-rpm-a")
}
