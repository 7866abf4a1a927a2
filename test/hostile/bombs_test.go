package hostile

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// be is a header's numbers, in its byte order.
func be(numbers ...uint32) (b []byte) {
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

var headerMagic = []byte{0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0}

// rpmPackage is a package whose signature header holds a number, followed by something.
func rpmPackage(after ...[]byte) []byte {
	lead := make([]byte, 96)
	copy(lead, []byte{0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 1})
	return bytes.Join(append([][]byte{lead, headerMagic, be(1, 4), be(1000, 4, 0, 1), make([]byte, 4+4)}, after...), nil)
}

// An rpmTag is an entry of a header: strings or numbers.
type rpmTag struct {
	tag, kind, count uint32
	data             []byte
}

func texts(tag uint32, all string) rpmTag {
	return rpmTag{tag, 8, uint32(strings.Count(all, "\x00")), []byte(all)}
}

// rpmHeader is a header as a digest list has it.
func rpmHeader(tags ...rpmTag) []byte {
	var index, data []byte
	for _, t := range tags {
		data = append(data, make([]byte, -len(data)&3)...)
		index = append(index, be(t.tag, t.kind, uint32(len(data)), t.count)...)
		data = append(data, t.data...)
	}
	return bytes.Join([][]byte{headerMagic, be(uint32(len(tags)), uint32(len(data))), index, data}, nil)
}

// longDirectory is a list of files that are all in a directory with a name of 1 MiB: their
// paths would have 20 GiB.
func longDirectory() []byte {
	const files = 20000
	name := strings.Repeat("x", 1<<20)
	return rpmHeader(
		rpmTag{1028, 4, files, make([]byte, 4*files)}, // sizes
		rpmTag{1030, 3, files, bytes.Repeat([]byte{0x81, 0xed}, files)},
		texts(1035, strings.Repeat(strings.Repeat("ab", 32)+"\x00", files)),
		rpmTag{1116, 4, files, make([]byte, 4*files)},
		texts(1117, strings.Repeat("f\x00", files)),
		texts(1118, "/"+name+"/\x00"),
		rpmTag{5011, 4, 1, be(8)}, // SHA-256
	)
}

// gzipped repeats a piece of data, compressed: gzip takes members one after the other.
func gzipped(t *testing.T, piece []byte, times int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(piece); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.Repeat(b.Bytes(), times)
}

// zstandard does the same with zstd.
func zstandard(t *testing.T, piece []byte, times int) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Repeat(w.EncodeAll(piece, nil), times)
}

var zeros = make([]byte, 4<<20)

// unknown is lines of a measurement list, all with the same file that nobody knows.
func unknown(lines int) []byte {
	name := append([]byte("/opt/unknown"), 0)
	digest := append([]byte("sha256:\x00"), bytes.Repeat([]byte{0xab}, 32)...)
	data := append(binary.LittleEndian.AppendUint32(nil, uint32(len(digest))), digest...)
	data = append(binary.LittleEndian.AppendUint32(data, uint32(len(name))), name...)
	sum := sha1.Sum(data)
	line := fmt.Sprintf("10 %x ima-ng sha256:%s /opt/unknown\n", sum, hex.EncodeToString(digest[8:]))
	return bytes.Repeat([]byte(line), lines)
}

// sqlite is the head of a database of pages of 64 KiB that claims to have 2³² of them, and
// one page.
func sqlite() []byte {
	page := make([]byte, 64<<10)
	copy(page, "SQLite format 3\x00")
	copy(page[16:], []byte{0, 1, 1, 1, 0, 64, 32, 32})
	copy(page[28:], be(1<<32-1))
	copy(page[44:], be(4))
	copy(page[56:], be(1))
	page[100] = 5                  // an inner page of a table: all its children are the page itself
	copy(page[103:], []byte{1, 0}) // cells
	copy(page[105:], []byte{0xf0, 0})
	copy(page[108:], be(1))
	for cell := range 256 {
		copy(page[112+2*cell:], []byte{0xf0, 0})
	}
	copy(page[0xf000:], be(1, 1<<24))
	return page
}

// berkeleyDB is a hash file whose second page follows itself.
func berkeleyDB() []byte {
	file := make([]byte, 1024)
	le := binary.LittleEndian
	le.PutUint32(file[12:], 0x061561) // magic
	le.PutUint32(file[16:], 9)
	le.PutUint32(file[20:], 512)
	file[25] = 8 // type of page
	le.PutUint32(file[32:], 1)
	le.PutUint32(file[72:], 1)
	le.PutUint32(file[88:], 1<<31) // keys
	page := file[512:]
	le.PutUint32(page[8:], 1)
	le.PutUint32(page[16:], 1) // next page
	le.PutUint16(page[20:], 2) // entries
	le.PutUint16(page[22:], 495)
	page[25] = 13
	le.PutUint16(page[26:], 507)
	le.PutUint16(page[28:], 495)
	page[507] = 1               // key
	page[495] = 3               // a value on pages of its own
	le.PutUint32(page[499:], 1) // first of them
	le.PutUint32(page[503:], 1<<30)
	return file
}

// ndb claims 2²⁴ pages of slots.
func ndb() []byte {
	file := make([]byte, 8192)
	copy(file, "RpmP")
	binary.LittleEndian.PutUint32(file[12:], 1<<24)
	binary.LittleEndian.PutUint32(file[16:], 1<<31)
	copy(file[32:], "Slot")
	binary.LittleEndian.PutUint32(file[36:], 1)
	binary.LittleEndian.PutUint32(file[40:], 256)
	binary.LittleEndian.PutUint32(file[44:], 1<<28)
	return file
}
