package rpmdb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/knqyf263/go-rpmdb/pkg/bdb"
	"github.com/knqyf263/go-rpmdb/pkg/ndb"
	"github.com/knqyf263/go-rpmdb/pkg/sqlite3"
)

// Backend is one of the file formats of the database.
type Backend int

// The backends.
const (
	SQLite Backend = iota + 1
	NDB
	BerkeleyDB
)

// String returns the name RPM has for the backend: "sqlite", "ndb" or "bdb".
func (b Backend) String() string {
	switch b {
	case SQLite:
		return "sqlite"
	case NDB:
		return "ndb"
	case BerkeleyDB:
		return "bdb"
	default:
		return fmt.Sprintf("backend(%d)", int(b))
	}
}

// A DB is the RPM database in a file. It holds nothing open.
type DB struct {
	Path    string // of the main file
	Backend Backend
}

// A Blob is the header of one installed package as the database stores it.
type Blob struct {
	Number uint32 // RPM's number of the package in this database, from 1
	Data   []byte // be32 index entries, be32 bytes of data, index, data; valid until the next one
}

// Open finds out what is at a path: the main file of a database, or the folder
// that it is in. The error is ErrNoDatabase where it is neither.
func Open(path string) (*DB, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		if path, err = findIn(path); err != nil {
			return nil, err
		}
	}
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	backend, err := detect(f)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	return &DB{Path: path, Backend: backend}, nil
}

// findIn is Find for a folder that was named.
func findIn(folder string) (string, error) {
	var found candidates
	for _, name := range names {
		path := filepath.Join(folder, name)
		info, err := os.Stat(path)
		switch {
		case err == nil:
			found.addFile(path, info)
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		}
	}
	return found.choose(fmt.Sprintf("looked in %q", folder))
}

// detect tells the backend by the magics at the start of the file.
func detect(f *file) (Backend, error) {
	if f.size == 0 {
		return 0, fmt.Errorf("%w: empty file", ErrNoDatabase)
	}
	var head [headSize]byte
	if err := f.readFull(head[:min(headSize, f.size)], 0); err != nil {
		return 0, err
	}
	switch {
	case string(head[:len(sqlite3.SQLite3_HeaderMagic)]) == string(sqlite3.SQLite3_HeaderMagic):
		return SQLite, nil
	case binary.LittleEndian.Uint32(head[:]) == ndb.NDB_HeaderMagic:
		return NDB, nil
	case binary.LittleEndian.Uint32(head[12:]) == bdb.HashMagicNumber,
		binary.BigEndian.Uint32(head[12:]) == bdb.HashMagicNumber:
		return BerkeleyDB, nil
	default:
		return 0, fmt.Errorf("%w: starts with %q, want the start of a SQLite, NDB or Berkeley DB hash file", ErrNoDatabase, head[:min(16, f.size)])
	}
}

// How often a database that changes is read again, and the time in between.
const maxPasses = 8

var retryWait = 100 * time.Millisecond

// Headers yields all headers: of SQLite by package number, of NDB by place in the
// file, both as RPM itself lists them, and of Berkeley DB by package number.
//
// On an error it yields it once, without a header, and stops; nothing that was
// yielded before may be used then. ErrDamaged, ErrChanged, ErrUnsupported and
// ErrBusy are its classes, next to those of the operating system.
//
// When the database changes meanwhile, it is read from the start. Reading goes on if
// the headers that were yielded already are still its first ones.
func (db *DB) Headers(ctx context.Context) iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		d := delivery{yield: yield, seed: maphash.MakeSeed()}
		err := db.passes(ctx, &d)
		if err != nil && !errors.Is(err, errStopped) {
			yield(Blob{}, fmt.Errorf("%q: %w", db.Path, err))
		}
	}
}

func (db *DB) passes(ctx context.Context, d *delivery) error {
	for range maxPasses {
		err := db.pass(ctx, d)
		if !errors.Is(err, errMoved) {
			return err
		}
		if err := sleep(ctx, retryWait); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: tried %d times", ErrChanged, maxPasses)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errMoved says that the file was written to during a pass. What that pass found
// wrong with it may be no more than the change.
var errMoved = errors.New("file changed")

// pass reads the database once. It checks before each header is handed out, and at
// the end, that the file is still what it was when the pass began.
func (db *DB) pass(ctx context.Context, d *delivery) error {
	f, err := openFile(db.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	backend, err := detect(f) // again: the file may be another one by now
	if err != nil {
		return err
	}
	if backend == SQLite {
		copied, err := settle(ctx, f)
		if err != nil {
			return err
		}
		if copied != nil {
			defer copied.discard()
			f = copied.file
		}
	}
	head, err := f.head()
	if err != nil {
		return err
	}
	d.begin()
	err = scan(ctx, backend, f, func(b Blob) error {
		if f.changed() {
			return errMoved
		}
		return d.deliver(b)
	})
	if errors.Is(err, errStopped) || ctx.Err() != nil {
		return err
	}
	if after, headErr := f.head(); headErr != nil || after != head || f.changed() {
		return errMoved
	}
	if err != nil {
		return err
	}
	return d.end()
}

// scan emits all headers of a file.
func scan(ctx context.Context, backend Backend, f *file, emit func(Blob) error) error {
	checked := func(b Blob) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := checkShape(b); err != nil {
			return err
		}
		return emit(b)
	}
	switch backend {
	case SQLite:
		return scanSQLite(ctx, f, checked)
	case NDB:
		return scanNDB(ctx, f, checked)
	default:
		return scanBDB(ctx, f, checked)
	}
}

// maxHeader is librpm's limit on the data of a header, with room for the index.
const maxHeader = 256<<20 + 65535*16 + 8

// checkShape compares the length of a header with the counts it starts with.
func checkShape(b Blob) error {
	if len(b.Data) < 8 {
		return fmt.Errorf("%w: package %d: header of %d bytes, want at least 8", ErrDamaged, b.Number, len(b.Data))
	}
	entries, data := binary.BigEndian.Uint32(b.Data), binary.BigEndian.Uint32(b.Data[4:])
	if want := 8 + 16*uint64(entries) + uint64(data); uint64(len(b.Data)) != want {
		return fmt.Errorf("%w: package %d: header of %d bytes, its counts say %d", ErrDamaged, b.Number, len(b.Data), want)
	}
	return nil
}

// A delivery hands out headers over several passes, each one once.
type delivery struct {
	yield func(Blob, error) bool
	seed  maphash.Seed
	seen  []uint64 // a hash of each header handed out
	next  int      // index in seen of the next header of this pass
}

func (d *delivery) begin() { d.next = 0 }

func (d *delivery) deliver(b Blob) error {
	sum := maphash.Bytes(d.seed, b.Data) + uint64(b.Number)
	if d.next < len(d.seen) {
		if d.seen[d.next] != sum {
			return fmt.Errorf("%w: package %d is not where it was", ErrChanged, b.Number)
		}
		d.next++
		return nil
	}
	d.seen = append(d.seen, sum)
	d.next++
	if !d.yield(b, nil) {
		return errStopped
	}
	return nil
}

func (d *delivery) end() error {
	if d.next < len(d.seen) {
		return fmt.Errorf("%w: %d packages were removed", ErrChanged, len(d.seen)-d.next)
	}
	return nil
}
