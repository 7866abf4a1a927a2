package compact_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"digestlists/compact"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestMalformedTLV(t *testing.T) {
	tests := []struct {
		file  string
		class error
	}{
		{"tlv-ok", nil},
		{"tlv-algo18", compact.ErrUnsupportedAlgorithm},
		{"tlv-count+1", compact.ErrMalformed},
		{"tlv-datalen", compact.ErrMalformed},
		{"tlv-hugelen", compact.ErrTooLarge},
		{"tlv-trunc", compact.ErrTruncated},
		{"tlv-type9", compact.ErrUnsupportedType},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			_, err := collectTLV(readFile(t, "bad/"+tt.file))
			var format *compact.FormatError
			if tt.class == nil && err != nil || tt.class != nil && !(errors.Is(err, tt.class) && errors.As(err, &format)) {
				t.Errorf("error %v, want %v", err, tt.class)
			}
		})
	}
}

func collectTLV(list []byte) ([]compact.Record, error) {
	var all []compact.Record
	r := compact.NewTLVReader(bytes.NewReader(list))
	for {
		if _, err := r.Next(); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		for {
			rec, err := r.Record()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, err
			}
			kept := *rec // which is valid until the next one
			kept.Digest, kept.EVMDigest = bytes.Clone(rec.Digest), bytes.Clone(rec.EVMDigest)
			all = append(all, kept)
		}
	}
}

// rewriteTLV writes the records of a list.
func rewriteTLV(t testing.TB, list []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := compact.NewTLVWriter(&out)
	r := compact.NewTLVReader(bytes.NewReader(list))
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for rec, err := r.Record(); err != io.EOF; rec, err = r.Record() {
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Add(h.Block, rec); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// The lists of the C tool have one block for each modifier, so they must come out
// as they are: order, sizes and numbers of items.
func TestTLVWriterMakesTheFilesOfTheCTool(t *testing.T) {
	for _, file := range []string{"golden/unknown.tlv", "golden/attributes.tlv", "golden/package.tlv"} {
		list := readFile(t, file)
		if got := rewriteTLV(t, list); !bytes.Equal(got, list) {
			t.Errorf("%s: wrote %x, want %x", file, got, list)
		}
	}
}

func TestTLVWriterRefusesWhatItsReaderWould(t *testing.T) {
	block := compact.Block{Type: compact.TypeMetadata, Algorithm: compact.SHA256}
	sum := make([]byte, 32)
	tests := []struct {
		name  string
		block compact.Block
		rec   compact.Record
		class error
	}{
		{"no digest", block, compact.Record{EVMDigest: sum}, compact.ErrMalformed},
		{"short evm digest", block, compact.Record{Digest: sum, EVMDigest: sum[:20]}, compact.ErrMalformed},
		{"NUL in path", block, compact.Record{Digest: sum, Path: "/a\x00b"}, compact.ErrMalformed},
		{"long label", block, compact.Record{Digest: sum, Label: strings.Repeat("x", 64<<10)}, compact.ErrTooLarge},
		{"type", compact.Block{Type: 4, Algorithm: compact.SHA256}, compact.Record{Digest: sum}, compact.ErrUnsupportedType},
		{"algorithm", compact.Block{Algorithm: compact.Streebog256}, compact.Record{Digest: sum}, compact.ErrUnsupportedAlgorithm},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		w := compact.NewTLVWriter(&out)
		if err := w.Add(tt.block, &tt.rec); !errors.Is(err, tt.class) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.class)
		}
		if err := w.Close(); err != nil || out.Len() > 0 {
			t.Errorf("%s: %d bytes written, %v", tt.name, out.Len(), err)
		}
	}
}

// A record larger than the chunks of a block, and numbers of 0, which are not none.
func TestTLVWriterKeepsWhatIsSet(t *testing.T) {
	rec := compact.Record{Digest: make([]byte, 16), Path: "/" + strings.Repeat("p", 60000)}
	rec.SetOwner(0, 7)
	rec.SetMode(0)
	rec.SetSize(5 << 32)
	rec.SetFSMagic(0xef53)
	var out bytes.Buffer
	w := compact.NewTLVWriter(&out)
	if err := errors.Join(w.Add(compact.Block{Algorithm: compact.MD5}, &rec), w.Close()); err != nil {
		t.Fatal(err)
	}
	got, err := collectTLV(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]compact.Record{rec}, got, cmpopts.IgnoreUnexported(rec)); diff != "" {
		t.Error(diff)
	}
	if !got[0].HasOwner() || !got[0].HasMode() || !got[0].HasSize() {
		t.Error("an owner, mode or size of 0 is read as none")
	}
}

func TestGoldenTLV(t *testing.T) {
	records, err := collectTLV(readFile(t, "golden/unknown.tlv"))
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 18 {
		t.Fatalf("%d records, want 18", len(records))
	}
	byPath := map[string]compact.Record{}
	for _, r := range records {
		byPath[r.Path] = r
	}
	capped := byPath["/usr/bin/capped"]
	if capped.Caps != "cap_net_admin,cap_net_raw=ep" || capped.Mode != 0o100755 || capped.Size != 7 || !capped.HasOwner() {
		t.Errorf("capped: %+v", capped)
	}
	if owned := byPath["/var/lib/app/owned"]; owned.UID != 1 || owned.GID != 1 {
		t.Errorf("owned: %+v", owned)
	}
	for _, file := range []string{"golden/attributes.tlv", "golden/package.tlv"} {
		if _, err := collectTLV(readFile(t, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func FuzzTLVReader(f *testing.F) {
	seed(f, "tlv-*", "golden/*.tlv")
	f.Fuzz(func(t *testing.T, list []byte) {
		records, err := collectTLV(list)
		if err != nil && records != nil {
			t.Fatal("records with an error")
		}
		for _, r := range records {
			if len(r.Digest) == 0 {
				t.Fatalf("record without a digest: %+v", r)
			}
		}
		if err != nil {
			return
		}
		first := rewriteTLV(t, list)
		if second := rewriteTLV(t, first); !bytes.Equal(first, second) {
			t.Fatal("writing what was read changes it")
		}
	})
}
