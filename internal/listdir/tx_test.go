package listdir

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"digestlists/compact"
)

// The list of the parser, and the link to it, as a test directory has them.
const (
	parser0 = "0-parser_list-compact-upload_digest_lists"
	parser1 = "1-parser_list-compact-upload_digest_lists"
)

// appendNew, insertNew and the like are operations of the tables. A new list
// holds "new".
type operation func(t *testing.T, tx *Tx) error

func appendNew(n Name) operation {
	return func(t *testing.T, tx *Tx) error { _, err := tx.Append(n, stage(t, tx, "new")); return err }
}

func insertNew(n Name) operation {
	return func(t *testing.T, tx *Tx) error { _, err := tx.Insert(n, stage(t, tx, "new")); return err }
}

func remove(typ compact.Type, position int) operation {
	return func(_ *testing.T, tx *Tx) error { return tx.Remove(typ, position) }
}

func removeName(file string) operation {
	return func(_ *testing.T, tx *Tx) error { return tx.RemoveName(file) }
}

func replaceNew(file string) operation {
	return func(t *testing.T, tx *Tx) error { return tx.Replace(file, stage(t, tx, "new")) }
}

func TestPositions(t *testing.T) {
	abc := []string{"0-file_list-rpm-a", "1-file_list-rpm-b", "2-file_list-rpm-c", "0-key_list-k.der", "1-metadata_list-rpm-a"}
	key := Name{Type: compact.TypeKey, Label: "new.der"}
	cases := []struct {
		name string
		have []string
		do   []operation
		want []string // nil with an error
		err  error
	}{
		{"append to nothing", nil, []operation{appendNew(fileName(0, "x"))}, []string{"0-file_list-rpm-x=new"}, nil},
		{"append goes last", abc, []operation{appendNew(fileName(0, "x"))}, append([]string{"3-file_list-rpm-x=new"}, abc...), nil},
		{"append ignores the position", abc, []operation{appendNew(fileName(77, "x"))}, append([]string{"3-file_list-rpm-x=new"}, abc...), nil},
		{
			"append after a gap",
			[]string{"0-file_list-rpm-a", "5-file_list-rpm-b"},
			[]operation{appendNew(fileName(0, "x"))},
			[]string{"0-file_list-rpm-a", "5-file_list-rpm-b", "6-file_list-rpm-x=new"},
			nil,
		},
		{
			"append counts as numbers",
			[]string{"9-file_list-rpm-a", "10-file_list-rpm-b"},
			[]operation{appendNew(fileName(0, "x"))},
			[]string{"9-file_list-rpm-a", "10-file_list-rpm-b", "11-file_list-rpm-x=new"},
			nil,
		},
		{
			"several appends", nil,
			[]operation{appendNew(fileName(0, "x")), appendNew(key), appendNew(fileName(0, "y"))},
			[]string{"0-file_list-rpm-x=new", "0-key_list-new.der=new", "1-file_list-rpm-y=new"},
			nil,
		},
		{"append after the last position", []string{"2147483647-file_list-rpm-a"}, []operation{appendNew(fileName(0, "x"))}, nil, errAny},

		{
			"insert first", abc,
			[]operation{insertNew(fileName(0, "x"))},
			[]string{"0-file_list-rpm-x=new", "1-file_list-rpm-a=0-file_list-rpm-a", "2-file_list-rpm-b=1-file_list-rpm-b", "3-file_list-rpm-c=2-file_list-rpm-c", "0-key_list-k.der", "1-metadata_list-rpm-a"},
			nil,
		},
		{
			"insert in the middle moves only what follows", abc,
			[]operation{insertNew(fileName(1, "x"))},
			[]string{"0-file_list-rpm-a", "1-file_list-rpm-x=new", "2-file_list-rpm-b=1-file_list-rpm-b", "3-file_list-rpm-c=2-file_list-rpm-c", "0-key_list-k.der", "1-metadata_list-rpm-a"},
			nil,
		},
		{
			"insert before the last", abc,
			[]operation{insertNew(fileName(2, "x"))},
			[]string{"0-file_list-rpm-a", "1-file_list-rpm-b", "2-file_list-rpm-x=new", "3-file_list-rpm-c=2-file_list-rpm-c", "0-key_list-k.der", "1-metadata_list-rpm-a"},
			nil,
		},
		{"insert at the end", abc, []operation{insertNew(fileName(3, "x"))}, append([]string{"3-file_list-rpm-x=new"}, abc...), nil},
		{"insert past the end", abc, []operation{insertNew(fileName(4, "x"))}, nil, ErrPosition},
		{"insert into nothing past the end", nil, []operation{insertNew(fileName(1, "x"))}, nil, ErrPosition},
		{
			"insert a list of the same name", abc,
			[]operation{insertNew(fileName(0, "a"))},
			[]string{"0-file_list-rpm-a=new", "1-file_list-rpm-a=0-file_list-rpm-a", "2-file_list-rpm-b=1-file_list-rpm-b", "3-file_list-rpm-c=2-file_list-rpm-c", "0-key_list-k.der", "1-metadata_list-rpm-a"},
			nil,
		},
		{
			"several inserts at one place",
			[]string{"0-file_list-rpm-a"},
			[]operation{insertNew(fileName(0, "x")), insertNew(fileName(0, "y"))},
			[]string{"0-file_list-rpm-y=new", "1-file_list-rpm-x=new", "2-file_list-rpm-a=0-file_list-rpm-a"},
			nil,
		},
		{
			"nine becomes ten",
			[]string{"9-file_list-rpm-a"},
			[]operation{insertNew(fileName(9, "x"))},
			[]string{"9-file_list-rpm-x=new", "10-file_list-rpm-a=9-file_list-rpm-a"},
			nil,
		},
		{"insert moves the last past the end", []string{"2147483647-file_list-rpm-a"}, []operation{insertNew(fileName(0, "x"))}, nil, ErrPosition},

		{"unnumbered", abc, []operation{insertNew(fileName(Unnumbered, "x"))}, append([]string{"0-file_list-rpm-x=new"}, abc...), nil},
		{
			"unnumbered replaces its like",
			[]string{"0-file_list-rpm-a", "0-file_list-rpm-b"},
			[]operation{insertNew(fileName(Unnumbered, "b"))},
			[]string{"0-file_list-rpm-a", "0-file_list-rpm-b=new"},
			nil,
		},
		{
			"unnumbered twice", nil,
			[]operation{insertNew(fileName(Unnumbered, "b")), insertNew(fileName(Unnumbered, "b"))},
			[]string{"0-file_list-rpm-b=new"},
			nil,
		},
		{
			"unnumbered does not replace one at another position",
			[]string{"1-file_list-rpm-b"},
			[]operation{insertNew(fileName(Unnumbered, "b"))},
			[]string{"1-file_list-rpm-b", "0-file_list-rpm-b=new"},
			nil,
		},
		{
			"unnumbered after a move",
			[]string{"0-file_list-rpm-b"},
			[]operation{insertNew(fileName(Unnumbered, "b")), insertNew(fileName(0, "a")), insertNew(fileName(Unnumbered, "b"))},
			[]string{"0-file_list-rpm-a=new", "0-file_list-rpm-b=new", "1-file_list-rpm-b=new"},
			nil,
		},

		{
			"remove closes the gap", abc,
			[]operation{remove(compact.TypeFile, 0)},
			[]string{"0-file_list-rpm-b=1-file_list-rpm-b", "1-file_list-rpm-c=2-file_list-rpm-c", "0-key_list-k.der", "1-metadata_list-rpm-a"},
			nil,
		},
		{"remove the last", abc, []operation{remove(compact.TypeFile, 2)}, []string{"0-file_list-rpm-a", "1-file_list-rpm-b", "0-key_list-k.der", "1-metadata_list-rpm-a"}, nil},
		{"remove all of a type", abc, []operation{remove(compact.TypeFile, All)}, []string{"0-key_list-k.der", "1-metadata_list-rpm-a"}, nil},
		{"remove what is not there", abc, []operation{remove(compact.TypeFile, 3)}, nil, ErrPosition},
		{"remove all of nothing", abc, []operation{remove(compact.TypeParser, All)}, nil, ErrPosition},
		{"remove one of several", []string{"0-file_list-rpm-a", "0-file_list-rpm-b"}, []operation{remove(compact.TypeFile, 0)}, nil, ErrAmbiguous},
		{"remove an unknown type", abc, []operation{remove(4, 0)}, nil, compact.ErrUnsupportedType},
		{"remove by name", abc, []operation{removeName("1-file_list-rpm-b")}, []string{"0-file_list-rpm-a", "1-file_list-rpm-c=2-file_list-rpm-c", "0-key_list-k.der", "1-metadata_list-rpm-a"}, nil},
		{
			"names are those of the start", abc,
			[]operation{removeName("0-file_list-rpm-a"), removeName("1-file_list-rpm-b")},
			[]string{"0-file_list-rpm-c=2-file_list-rpm-c", "0-key_list-k.der", "1-metadata_list-rpm-a"},
			nil,
		},
		{
			"remove an unnumbered one by name",
			[]string{"0-file_list-rpm-a", "0-file_list-rpm-b", "1-file_list-rpm-c"},
			[]operation{removeName("0-file_list-rpm-a")},
			[]string{"0-file_list-rpm-b", "1-file_list-rpm-c"},
			nil,
		},
		{"remove an unknown name", abc, []operation{removeName("0-file_list-rpm-b")}, nil, os.ErrNotExist},
		{"remove twice", abc, []operation{removeName("0-file_list-rpm-a"), removeName("0-file_list-rpm-a")}, nil, os.ErrNotExist},
		{
			"remove, then append", abc,
			[]operation{remove(compact.TypeFile, 2), appendNew(fileName(0, "x"))},
			[]string{"0-file_list-rpm-a", "1-file_list-rpm-b", "2-file_list-rpm-x=new", "0-key_list-k.der", "1-metadata_list-rpm-a"},
			nil,
		},
		{
			"remove all, then append", abc,
			[]operation{remove(compact.TypeFile, All), appendNew(fileName(0, "x"))},
			[]string{"0-file_list-rpm-x=new", "0-key_list-k.der", "1-metadata_list-rpm-a"},
			nil,
		},
		{
			"an earlier gap stays",
			[]string{"0-file_list-rpm-a", "4-file_list-rpm-b", "6-file_list-rpm-c"},
			[]operation{remove(compact.TypeFile, 4)},
			[]string{"0-file_list-rpm-a", "5-file_list-rpm-c=6-file_list-rpm-c"},
			nil,
		},

		{"replace leaves no tail", abc[:2], []operation{replaceNew("0-file_list-rpm-a")}, []string{"0-file_list-rpm-a=new", "1-file_list-rpm-b"}, nil},
		{"replace what is not there", abc, []operation{replaceNew("0-file_list-rpm-x")}, nil, os.ErrNotExist},
		{"bad label", abc, []operation{appendNew(fileName(0, "../x"))}, nil, errAny},
		{"bad format", abc, []operation{insertNew(Name{Type: compact.TypeFile, Format: "a-b", Label: "x"})}, nil, errAny},
		{
			"other files stay",
			[]string{"0-file_list-rpm-a", "README", "5-file_list-rpm", "old.sig", "notes>../x"},
			[]operation{insertNew(fileName(0, "x"))},
			[]string{"0-file_list-rpm-x=new", "1-file_list-rpm-a=0-file_list-rpm-a", "README", "5-file_list-rpm", "old.sig", "notes>../x"},
			nil,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := makeLists(t, c.have...)
			tx := begin(t, dir)
			var err error
			for _, do := range c.do {
				if err = do(t, tx); err != nil {
					break
				}
			}
			if err == nil {
				_, err = tx.Commit()
			}
			tx.Close()
			if c.err != nil {
				if err == nil || c.err != errAny && !errors.Is(err, c.err) {
					t.Errorf("error %v, want %v", err, c.err)
				}
				expect(t, dir, c.have...)
			} else {
				must(t, err)
				expect(t, dir, c.want...)
			}
			expectClean(t, dir)
		})
	}
}

// errAny stands for an error without a class.
var errAny = errors.New("any error")

func TestParserLink(t *testing.T) {
	parser := Name{Type: compact.TypeParser, Format: "compact", Label: "upload_digest_lists"}
	other := Name{Type: compact.TypeParser, Format: "compact", Label: "other"}
	linked := []string{parser0, ParserLink + ">" + parser0}
	moved := []string{parser1 + "=" + parser0, ParserLink + ">" + parser1}
	cases := []struct {
		name string
		have []string
		do   operation
		want []string
	}{
		{"made with the list", nil, appendNew(parser), []string{parser0 + "=new", ParserLink + ">" + parser0}},
		{"follows an insert", linked, insertNew(other), append([]string{"0-parser_list-compact-other=new"}, moved...)},
		{"stays with an append", linked, appendNew(other), append([]string{"1-parser_list-compact-other=new"}, linked...)},
		{
			"follows a remove",
			[]string{"0-parser_list-compact-other", parser1, ParserLink + ">" + parser1},
			remove(compact.TypeParser, 0),
			[]string{parser0 + "=" + parser1, ParserLink + ">" + parser0},
		},
		{"goes with the list", linked, remove(compact.TypeParser, 0), nil},
		{"goes with all lists", linked, remove(compact.TypeParser, All), nil},
		{"mended when wrong", []string{parser0, ParserLink + ">elsewhere"}, nil, linked},
		{"mended when missing", []string{parser0}, nil, linked},
		{"mended when it is a file", []string{parser0, ParserLink}, nil, linked},
		{"dropped when dangling", []string{"0-file_list-rpm-a", ParserLink + ">" + parser0}, nil, []string{"0-file_list-rpm-a"}},
		{
			"not for another format", nil, appendNew(Name{Type: compact.TypeParser, Format: "compact_tlv", Label: "upload_digest_lists"}),
			[]string{"0-parser_list-compact_tlv-upload_digest_lists=new"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := makeLists(t, c.have...)
			tx := begin(t, dir)
			if c.do != nil {
				must(t, c.do(t, tx))
			}
			commit(t, tx)
			expect(t, dir, c.want...)
			expectClean(t, dir)
		})
	}
}

func TestSummary(t *testing.T) {
	for _, dry := range []bool{false, true} {
		dir := makeLists(t, "0-file_list-rpm-a", "1-file_list-rpm-b", "2-file_list-rpm-c", "3-file_list-rpm-d", "0-key_list-k.der")
		before := state(t, dir)
		tx, err := Begin(dir, Options{DryRun: dry})
		must(t, err)
		_, err = tx.Append(fileName(0, "x"), stage(t, tx, "new"))
		must(t, err, tx.RemoveName("1-file_list-rpm-b"), tx.Replace("0-file_list-rpm-a", stage(t, tx, "new")),
			tx.AddSignature("3-file_list-rpm-d", Beside, ".sig", []byte("signature")))
		got := commit(t, tx)
		want := Summary{
			Added:     []string{"3-file_list-rpm-x"},
			Removed:   []string{"1-file_list-rpm-b"},
			Renamed:   []Rename{{"2-file_list-rpm-c", "1-file_list-rpm-c"}, {"3-file_list-rpm-d", "2-file_list-rpm-d"}},
			Changed:   []string{"0-file_list-rpm-a", "2-file_list-rpm-d"},
			Unchanged: 1,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("dry %v: %+v, want %+v", dry, got, want)
		}
		if dry {
			expect(t, dir, before...)
		}
		expectClean(t, dir)
	}
}

func TestMissingDirectory(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "etc", "ima", "lists")
	for _, end := range []string{"close", "dry run", "nothing", "error"} {
		tx, err := Begin(dir, Options{DryRun: end == "dry run"})
		must(t, err)
		switch end {
		case "close":
			stage(t, tx, "new")
			tx.Close()
		case "dry run":
			must(t, appendNew(fileName(0, "x"))(t, tx))
			commit(t, tx)
		case "nothing":
			commit(t, tx)
		case "error":
			if err := tx.Remove(compact.TypeFile, 0); !errors.Is(err, ErrPosition) {
				t.Errorf("remove: %v", err)
			}
			tx.Close()
		}
		expect(t, base)
	}
	tx := begin(t, dir)
	must(t, appendNew(fileName(0, "x"))(t, tx))
	commit(t, tx)
	expect(t, base, "etc/", "etc/ima/", "etc/ima/lists/", "etc/ima/lists/0-file_list-rpm-x=new")
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if st, err := os.Stat(d); err != nil || st.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v, %v", d, st.Mode(), err)
		}
	}
}

func TestStagedOnce(t *testing.T) {
	dir := makeLists(t)
	tx, other := begin(t, dir), begin(t, makeLists(t))
	s := stage(t, tx, "new")
	if _, err := other.Append(fileName(0, "x"), s); err == nil {
		t.Error("a staged list went to another directory")
	}
	_, err := tx.Append(fileName(0, "x"), s)
	must(t, err)
	if _, err := tx.Append(fileName(0, "y"), s); err == nil {
		t.Error("a staged list was used twice")
	}
	commit(t, tx)
	expect(t, dir, "0-file_list-rpm-x=new")
	if _, err := tx.Commit(); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("second commit: %v", err)
	}
	if _, err := tx.Stage(nil); err == nil {
		t.Error("staged after commit")
	}
}
