package listdir

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"digestlists/compact"

	"golang.org/x/sys/unix"
)

func TestSignaturesFollow(t *testing.T) {
	have := []string{"0-file_list-rpm-a", "0-file_list-rpm-a.sig", "1-file_list-rpm-b", "1-file_list-rpm-b.sig", "2-file_list-rpm-c", "orphan.sig"}
	side := []string{"0-file_list-rpm-a.pgp", "1-file_list-rpm-b", "1-file_list-rpm-b.sig", "1-file_list-rpm-b.pgp", "9-file_list-rpm-z.pgp", "README"}
	sign := func(place Place, suffix string) operation {
		return func(_ *testing.T, tx *Tx) error {
			return tx.AddSignature("0-file_list-rpm-a", place, suffix, []byte("sig"))
		}
	}
	signed := func(place Place, suffix string) operation {
		return func(t *testing.T, tx *Tx) error {
			s := stage(t, tx, "new")
			must(t, s.AddSignature(place, suffix, []byte("sig")))
			_, err := tx.Append(fileName(0, "x"), s)
			return err
		}
	}
	cases := []struct {
		name       string
		have, side []string // nil side: no folder
		do         operation
		want, away []string
	}{
		{
			"insert", have, side, insertNew(fileName(1, "x")),
			[]string{"0-file_list-rpm-a", "0-file_list-rpm-a.sig", "1-file_list-rpm-x=new", "2-file_list-rpm-b=1-file_list-rpm-b", "2-file_list-rpm-b.sig=1-file_list-rpm-b.sig", "3-file_list-rpm-c=2-file_list-rpm-c", "orphan.sig"},
			[]string{"0-file_list-rpm-a.pgp", "2-file_list-rpm-b=1-file_list-rpm-b", "2-file_list-rpm-b.sig=1-file_list-rpm-b.sig", "2-file_list-rpm-b.pgp=1-file_list-rpm-b.pgp", "9-file_list-rpm-z.pgp", "README"},
		},
		{
			"remove", have, side, remove(compact.TypeFile, 0),
			[]string{"0-file_list-rpm-b=1-file_list-rpm-b", "0-file_list-rpm-b.sig=1-file_list-rpm-b.sig", "1-file_list-rpm-c=2-file_list-rpm-c", "orphan.sig"},
			[]string{"0-file_list-rpm-b=1-file_list-rpm-b", "0-file_list-rpm-b.sig=1-file_list-rpm-b.sig", "0-file_list-rpm-b.pgp=1-file_list-rpm-b.pgp", "9-file_list-rpm-z.pgp", "README"},
		},
		{"remove all", have, side, remove(compact.TypeFile, All), []string{"orphan.sig"}, []string{"9-file_list-rpm-z.pgp", "README"}},
		{"replace drops them", have[:3], side[:1], replaceNew("0-file_list-rpm-a"), []string{"0-file_list-rpm-a=new", "1-file_list-rpm-b"}, nil},
		{
			"an attribute keeps them", have[:3], side[:1],
			func(_ *testing.T, tx *Tx) error {
				return tx.SetXattr("0-file_list-rpm-a", "security.ima", []byte{4, 4})
			},
			have[:3], side[:1],
		},
		{"sign again beside", have[:3], nil, sign(Beside, ".sig"), []string{"0-file_list-rpm-a", "0-file_list-rpm-a.sig=sig", "1-file_list-rpm-b"}, nil},
		{"sign again apart", have[:1], side[:1], sign(Apart, ".pgp"), have[:1], []string{"0-file_list-rpm-a.pgp=sig"}},
		{"sign apart in a new folder", have[:1], nil, sign(Apart, ".sig"), have[:1], []string{"0-file_list-rpm-a.sig=sig"}},
		{"new and signed", nil, nil, signed(Beside, ".sig"), []string{"0-file_list-rpm-x=new", "0-file_list-rpm-x.sig=sig"}, nil},
		{"new and signed apart", nil, []string{"README"}, signed(Apart, ""), []string{"0-file_list-rpm-x=new"}, []string{"README", "0-file_list-rpm-x=sig"}},
		{
			"a signature that was there before is not the new list's",
			[]string{"0-file_list-rpm-x.sig"},
			[]string{"0-file_list-rpm-x.pgp"},
			appendNew(fileName(0, "x")),
			[]string{"0-file_list-rpm-x=new"},
			nil,
		},
		{
			"lists that differ in position only",
			[]string{"0-file_list-rpm-a", "0-file_list-rpm-a.sig", "1-file_list-rpm-a", "1-file_list-rpm-a.sig"},
			[]string{"0-file_list-rpm-a.pgp", "1-file_list-rpm-a.pgp"},
			remove(compact.TypeFile, 0),
			[]string{"0-file_list-rpm-a=1-file_list-rpm-a", "0-file_list-rpm-a.sig=1-file_list-rpm-a.sig"},
			[]string{"0-file_list-rpm-a.pgp=1-file_list-rpm-a.pgp"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := makeLists(t, c.have...)
			if c.side != nil {
				fill(t, ApartDir(dir), c.side...)
			}
			tx := begin(t, dir)
			must(t, c.do(t, tx))
			commit(t, tx)
			expect(t, dir, c.want...)
			expect(t, ApartDir(dir), c.away...)
			expectClean(t, dir, "lists.sig")
		})
	}
}

func TestBadSignaturePlace(t *testing.T) {
	tx := begin(t, makeLists(t, "0-file_list-rpm-a"))
	for _, c := range []struct {
		place  Place
		suffix string
	}{{Beside, ""}, {Beside, ".pgp"}, {Apart, ".asc"}, {Place(7), ".sig"}} {
		if err := tx.AddSignature("0-file_list-rpm-a", c.place, c.suffix, nil); err == nil {
			t.Errorf("place %d, suffix %q: no error", c.place, c.suffix)
		}
	}
}

// attribute returns an attribute, or nil if there is none.
func attribute(t testing.TB, path, attr string) []byte {
	t.Helper()
	buf := make([]byte, 256)
	n, err := unix.Lgetxattr(path, attr, buf)
	if errors.Is(err, unix.ENODATA) {
		return nil
	}
	must(t, err)
	return buf[:n]
}

func TestSetXattr(t *testing.T) {
	const ima = "security.ima"
	dir := makeLists(t, "0-file_list-rpm-a", "1-file_list-rpm-b", "2-file_list-rpm-c")
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, unix.Lsetxattr(at("0-file_list-rpm-a"), ima, []byte("old"), 0),
		unix.Lsetxattr(at("0-file_list-rpm-a"), "user.note", []byte("kept"), 0),
		unix.Lsetxattr(at("2-file_list-rpm-c"), ima, []byte("other"), 0),
		os.Chmod(at("0-file_list-rpm-a"), 0o600))
	before := state(t, dir)

	tx := begin(t, dir)
	must(t, tx.SetXattr("0-file_list-rpm-a", ima, []byte("new")), tx.SetXattr("1-file_list-rpm-b", ima, []byte("first")))
	if got := attribute(t, at("0-file_list-rpm-a"), ima); string(got) != "old" {
		t.Errorf("before the commit the list has %q", got)
	}
	tx.Close()
	if got := attribute(t, at("0-file_list-rpm-a"), ima); string(got) != "old" {
		t.Errorf("after giving up the list has %q", got)
	}

	tx = begin(t, dir)
	must(t, tx.SetXattr("0-file_list-rpm-a", ima, []byte("once")), tx.SetXattr("0-file_list-rpm-a", ima, []byte("new")),
		tx.SetXattr("1-file_list-rpm-b", ima, []byte("first")))
	s := commit(t, tx)
	if !slices.Equal(s.Changed, []string{"0-file_list-rpm-a", "1-file_list-rpm-b"}) || s.Unchanged != 1 {
		t.Errorf("summary %+v", s)
	}
	expect(t, dir, before...)
	for _, c := range []struct{ file, attr, want string }{
		{"0-file_list-rpm-a", ima, "new"},
		{"0-file_list-rpm-a", "user.note", "kept"},
		{"1-file_list-rpm-b", ima, "first"},
		{"2-file_list-rpm-c", ima, "other"},
	} {
		if got := attribute(t, at(c.file), c.attr); string(got) != c.want {
			t.Errorf("%s: %s is %q, want %q", c.file, c.attr, got, c.want)
		}
	}
	if st, err := os.Stat(at("0-file_list-rpm-a")); err != nil || st.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

func TestStagedAttributes(t *testing.T) {
	dir := makeLists(t)
	must(t, unix.Setxattr(dir, "user.dir", []byte("kept"), 0), os.Chown(dir, 0, 12), unix.Chmod(dir, 0o2750))
	old := unix.Umask(0o077)
	defer unix.Umask(old)
	tx := begin(t, dir)
	s, err := tx.Create()
	must(t, err)
	must(t, s.SetXattr("security.ima", []byte("while open")))
	_, err = s.Write([]byte("new"))
	must(t, err, s.Close(), s.SetXattr("user.closed", []byte("later")))
	_, err = tx.Append(fileName(0, "x"), s)
	must(t, err, appendNew(fileName(0, "y"))(t, tx))
	commit(t, tx)
	list := filepath.Join(dir, "0-file_list-rpm-x")
	if string(attribute(t, list, "security.ima")) != "while open" || string(attribute(t, list, "user.closed")) != "later" {
		t.Error("attributes are missing")
	}
	if string(attribute(t, dir, "user.dir")) != "kept" {
		t.Error("the directory lost its attributes")
	}
	var st unix.Stat_t
	must(t, unix.Stat(list, &st))
	if st.Mode != unix.S_IFREG|0o644 {
		t.Errorf("list has mode %o", st.Mode)
	}
	must(t, unix.Stat(dir, &st))
	if st.Mode != unix.S_IFDIR|0o2750 || st.Gid != 12 {
		t.Errorf("directory has mode %o, group %d", st.Mode, st.Gid)
	}
}
