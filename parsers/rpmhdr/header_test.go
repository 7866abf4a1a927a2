package rpmhdr_test

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/parsers/rpmhdr"
)

var sample = []field{
	text(rpmhdr.Name, "pkg"),
	text(rpmhdr.Version, "1"),
	numbers[uint16](1500, 7, 8),
	numbers[uint64](1501, 1<<40),
	texts(1502, "a", "", "c"),
	numbers[uint32](1503, 5),
	binaryField(1504, "\x00\x01"),
}

func TestAccessors(t *testing.T) {
	h, err := rpmhdr.Parse(build(sample, text(rpmhdr.SHA1Header, "ab"), text(rpmhdr.Version, "2")))
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := h.String(rpmhdr.Name); s != "pkg" || !ok {
		t.Errorf("String(Name) = %q, %v", s, ok)
	}
	if s, _ := h.String(rpmhdr.Version); s != "2" {
		t.Errorf("String(Version) = %q, want what was added at install", s)
	}
	if v := slices.Collect(h.Strings(1502)); !slices.Equal(v, []string{"a", "", "c"}) || h.Count(1502) != 3 {
		t.Errorf("Strings = %q, Count = %d", v, h.Count(1502))
	}
	if v, ok := h.Uint32s(1503); !slices.Equal(v, []uint32{5}) || !ok {
		t.Errorf("Uint32s = %v, %v", v, ok)
	}
	if v, ok := h.Bytes(1504); string(v) != "\x00\x01" || !ok {
		t.Errorf("Bytes = %q, %v", v, ok)
	}
}

// Absent values and those of another type are not mixed up with empty ones.
func TestAccessorsOfOtherType(t *testing.T) {
	h, err := rpmhdr.Parse(build(sample))
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []rpmhdr.Tag{1500, 9999} {
		if s, ok := h.String(tag); ok {
			t.Errorf("String(%v) = %q", tag, s)
		}
		if v, ok := h.Uint32s(tag); ok {
			t.Errorf("Uint32s(%v) = %v", tag, v)
		}
		if v, ok := h.Bytes(tag); ok {
			t.Errorf("Bytes(%v) = %v", tag, v)
		}
	}
	if !h.Has(1500) || h.Has(9999) || h.Count(9999) != 0 {
		t.Error("Has or Count is wrong")
	}
}

func TestMalformed(t *testing.T) {
	good := build(sample, text(rpmhdr.SHA1Header, "ab"))
	const row = 16
	// set writes a number into the index: entry i, byte at.
	set := func(i, at int, v uint32) []byte {
		bad := slices.Clone(good)
		binary.BigEndian.PutUint32(bad[8+i*row+at:], v)
		return bad
	}
	trailer := func(at int, v uint32) []byte {
		bad := slices.Clone(good)
		h := binary.BigEndian.Uint32(bad[16:])
		binary.BigEndian.PutUint32(bad[8+9*row+int(h)+at:], v)
		return bad
	}
	head := func(at int, v uint32) []byte {
		bad := slices.Clone(good)
		binary.BigEndian.PutUint32(bad[at:], v)
		return bad
	}
	tests := map[string]struct {
		blob   []byte
		class  error
		offset int64
		field  string
	}{
		"empty":                    {nil, compact.ErrTruncated, 0, "header"},
		"counts cut":               {good[:7], compact.ErrTruncated, 0, "header"},
		"index cut":                {good[:30], compact.ErrTruncated, 0, "header"},
		"data cut":                 {good[:len(good)-1], compact.ErrTruncated, 0, "header"},
		"more bytes":               {append(slices.Clone(good), 0), compact.ErrMalformed, int64(len(good)), "header"},
		"no entries":               {make([]byte, 8), compact.ErrMalformed, 0, "index count"},
		"huge index":               {head(0, 0xffffffff), compact.ErrTooLarge, 0, "index count"},
		"huge data":                {head(4, 0xffffffff), compact.ErrTooLarge, 4, "data size"},
		"one entry more":           {head(0, 10), compact.ErrTruncated, 0, "header"},
		"type 0":                   {set(1, 4, 0), compact.ErrMalformed, 24, "index entry 1 (name)"},
		"type 10":                  {set(1, 4, 10), compact.ErrMalformed, 24, "index entry 1 (name)"},
		"no values":                {set(3, 12, 0), compact.ErrMalformed, 56, "index entry 3"},
		"two values of a string":   {set(1, 12, 2), compact.ErrMalformed, 24, "index entry 1"},
		"offset behind the data":   {set(7, 8, 0x7fffffff), compact.ErrMalformed, 8 + 7*row, "index entry 7"},
		"offset negative":          {set(7, 8, 0xffffffff), compact.ErrMalformed, 8 + 7*row, "index entry 7"},
		"offset not aligned":       {set(3, 8, 7), compact.ErrMalformed, 56, "index entry 3"},
		"values behind the data":   {set(7, 12, 1000), compact.ErrMalformed, 8 + 7*row, "index entry 7"},
		"count × size overflows":   {set(4, 12, 0x20000001), compact.ErrMalformed, 8 + 4*row, "index entry 4"},
		"values overlap":           {set(3, 8, 0), compact.ErrMalformed, 56, "index entry 3"},
		"more strings than there":  {set(5, 12, 4000), compact.ErrMalformed, 8 + 5*row, "index entry 5"},
		"fewer strings than there": {set(5, 12, 2), compact.ErrMalformed, 8 + 5*row, "index entry 5"},
		"fewer numbers than there": {set(3, 12, 1), compact.ErrMalformed, 56, "index entry 3"},
		"tag twice":                {set(2, 0, 1000), compact.ErrMalformed, 8, "index"},
		"region tag inside":        {set(2, 0, 63), compact.ErrMalformed, 40, "index entry 2"},
		"region of another type":   {set(0, 4, 4), compact.ErrMalformed, 8, "index entry 0"},
		"region of another size":   {set(0, 12, 32), compact.ErrMalformed, 8, "index entry 0"},
		"trailer behind the data":  {set(0, 8, 0x7ffffff8), compact.ErrMalformed, 8, "index entry 0"},
		"trailer negative":         {set(0, 8, 0xfffffff0), compact.ErrMalformed, 8, "index entry 0"},
		"trailer moved":            {set(0, 8, 0), compact.ErrMalformed, 152, "headerimmutable"},
		"trailer of another tag":   {trailer(0, 61), compact.ErrMalformed, -1, "headerimmutable"},
		"trailer type":             {trailer(4, 4), compact.ErrMalformed, -1, "headerimmutable"},
		"trailer positive":         {trailer(8, 128), compact.ErrMalformed, -1, "headerimmutable"},
		"trailer not of 16":        {trailer(8, 0xffffffff-119), compact.ErrMalformed, -1, "headerimmutable"},
		"trailer over the index":   {trailer(8, 0xffffffff-16*10+1), compact.ErrMalformed, -1, "headerimmutable"},
		"trailer least number":     {trailer(8, 0x80000000), compact.ErrMalformed, -1, "headerimmutable"},
		"region too small":         {trailer(8, 0xffffffff-16*7+1), compact.ErrMalformed, -1, "index entry 7"},
		"region over dribble":      {trailer(8, 0xffffffff-16*9+1), compact.ErrMalformed, -1, "index entry 0"},
		"dribble in the region":    {set(8, 8, 0), compact.ErrMalformed, 8 + 8*row, "index entry 8"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h, err := rpmhdr.Parse(tt.blob)
			if h != nil {
				t.Error("a header came with the error")
			}
			var format *compact.FormatError
			if !errors.As(err, &format) || !errors.Is(err, tt.class) {
				t.Fatalf("error is %v, want a FormatError of %v", err, tt.class)
			}
			if tt.offset >= 0 && format.Offset != tt.offset {
				t.Errorf("offset %d, want %d: %v", format.Offset, tt.offset, err)
			}
			if !strings.HasPrefix(format.Field, tt.field) {
				t.Errorf("field %q, want %q: %v", format.Field, tt.field, err)
			}
		})
	}
}

func TestDataBehindRegion(t *testing.T) {
	good := build(sample)
	bad := append(slices.Clone(good), 0, 0)
	binary.BigEndian.PutUint32(bad[4:], binary.BigEndian.Uint32(bad[4:])+2)
	if _, err := rpmhdr.Parse(bad); !errors.Is(err, compact.ErrMalformed) {
		t.Errorf("error is %v, want %v", err, compact.ErrMalformed)
	}
}

func TestParseAtOffset(t *testing.T) {
	_, err := rpmhdr.ParseAt(make([]byte, 8), 100)
	var format *compact.FormatError
	if !errors.As(err, &format) || format.Offset != 100 {
		t.Errorf("error is %v, want offset 100", err)
	}
	_, err = rpmhdr.Parse(nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error is %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

// Entries of a region need not be sorted by tag.
func TestUnsorted(t *testing.T) {
	shuffled := slices.Clone(sample)
	slices.Reverse(shuffled)
	h, err := rpmhdr.Parse(build(shuffled))
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := h.String(rpmhdr.Name); s != "pkg" {
		t.Errorf("name is %q", s)
	}
}
