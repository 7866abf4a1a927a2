package rpmdb

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A privateCopy is a database in a temporary folder of our own.
type privateCopy struct {
	*file
	dir string
}

func (c *privateCopy) discard() {
	c.Close()
	os.RemoveAll(c.dir)
}

// settle returns nil if f holds all of the database, or else, if there is a
// write-ahead log or a rollback journal, a copy into which SQLite has taken what they
// hold.
//
// A log that appears later does not matter: what is committed then is not in f, and
// what is moved from it to f changes f.
func settle(ctx context.Context, f *file) (*privateCopy, error) {
	log, err := openSibling(f, "-wal")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	journal, err := openSibling(f, "-journal")
	if err != nil {
		return nil, err
	}
	defer journal.Close()
	if log == nil && journal == nil {
		return nil, nil
	}
	copied, err := recoverCopy(ctx, f, log, journal)
	if f.changed() || log.differs() || journal.differs() {
		if err == nil {
			copied.discard()
		}
		return nil, errMoved
	}
	return copied, err
}

// openSibling opens the file beside the database that holds a log, nil if there is
// none or nothing in it.
func openSibling(f *file, suffix string) (*sibling, error) {
	s, err := openFile(f.Name() + suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if s.size == 0 {
		s.Close()
		return nil, nil
	}
	return &sibling{s}, nil
}

// A sibling is a log, or nil.
type sibling struct{ *file }

// Close closes the file, if there is one.
func (s *sibling) Close() error {
	if s == nil {
		return nil
	}
	return s.file.Close()
}

func (s *sibling) differs() bool { return s != nil && (s.changed() || s.replaced()) }

// recoverCopy copies the database with its logs and has SQLite recover the copy.
func recoverCopy(ctx context.Context, f *file, log, journal *sibling) (*privateCopy, error) {
	if log != nil {
		if err := checkLog(f, log.file); err != nil {
			return nil, fmt.Errorf("%q: %w", log.Name(), err)
		}
	}
	if journal != nil {
		if err := checkJournal(journal.file); err != nil {
			return nil, fmt.Errorf("%q: %w", journal.Name(), err)
		}
	}
	dir, err := os.MkdirTemp("", "rpmdb-")
	if err != nil {
		return nil, err
	}
	copied, err := recoverIn(ctx, filepath.Join(dir, "rpmdb.sqlite"), f, log, journal)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return &privateCopy{copied, dir}, nil
}

func recoverIn(ctx context.Context, path string, f *file, log, journal *sibling) (*file, error) {
	if err := copyTo(path, f); err != nil {
		return nil, err
	}
	if log != nil {
		if err := copyTo(path+"-wal", log.file); err != nil {
			return nil, err
		}
	}
	if journal != nil {
		if err := copyTo(path+"-journal", journal.file); err != nil {
			return nil, err
		}
	}
	if err := absorb(ctx, path, log != nil); err != nil {
		return nil, err
	}
	return openFile(path)
}

func copyTo(path string, f *file) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, io.NewSectionReader(f.File, 0, f.size)); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// absorb moves what the logs beside a database hold into it.
func absorb(ctx context.Context, path string, log bool) error {
	db, err := connect(ctx, path, "mode=rw")
	if err != nil {
		return err
	}
	defer db.Close()
	var tables int // the first access rolls back an unfinished transaction
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return sqliteError(ctx, "recovery", err)
	}
	if !log {
		return db.Close()
	}
	var busy, frames, moved int
	if err := db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved); err != nil {
		return sqliteError(ctx, "recovery", err)
	}
	if busy != 0 || frames != moved {
		return fmt.Errorf("%w: recovery: %d of %d frames of the log were applied", ErrDamaged, moved, frames)
	}
	return db.Close()
}

// Layout of the write-ahead log (https://www.sqlite.org/fileformat2.html, section 4,
// and https://www.sqlite.org/walformat.html for its index, the -shm file).
const (
	logHeaderSize   = 32
	frameHeaderSize = 24
	logMagic        = 0x377f0682 // the lowest bit: checksums over big-endian words
	logVersion      = 3007000
)

// checkLog checks what SQLite takes for the end of the log: it silently leaves out
// all from the first frame on whose checksum is wrong, as a crash may have left it.
// Here a wrong checksum in a frame of the current log is damage, and so is a log that
// ends before its own index says.
func checkLog(f, log *file) error {
	var head [logHeaderSize]byte
	if err := log.readFull(head[:], 0); err != nil {
		return err
	}
	magic, version := be32(head[:]), be32(head[4:])
	if magic&^1 != logMagic || version != logVersion {
		return damaged(0, "log", "magic %#08x, version %d, want %#08x and %d", magic, version, logMagic, logVersion)
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if magic&1 != 0 {
		order = binary.BigEndian
	}
	sum := checksum{order: order}
	sum.add(head[:24])
	if !sum.is(head[24:]) {
		return damaged(24, "log", "wrong checksum of its header")
	}
	size := int(be32(head[8:]))
	if size < 512 || size > 65536 {
		return damaged(8, "log", "pages of %d bytes", size)
	}
	committed, err := checkFrames(log, sum, head[16:24], size)
	if err != nil {
		return err
	}
	return checkIndex(f, head[16:24], committed)
}

// checkFrames returns the number of frames up to the last commit.
func checkFrames(log *file, sum checksum, salts []byte, size int) (committed uint32, err error) {
	frame := make([]byte, frameHeaderSize+size)
	frames := uint32(min((log.size-logHeaderSize)/int64(len(frame)), 1<<32-1))
	body := io.NewSectionReader(log.File, logHeaderSize, log.size-logHeaderSize)
	r := bufio.NewReaderSize(body, 64<<10)
	ended := false
	for n := range frames {
		at := logHeaderSize + int64(n)*int64(len(frame))
		if _, err := io.ReadFull(r, frame); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = log.truncated(at, len(frame))
			}
			return 0, err
		}
		if !bytes.Equal(frame[8:16], salts) {
			ended = true // the rest is from before the log was last started anew
			continue
		}
		if ended {
			return 0, damaged(at, "log", "frame %d is of the log, the one before it is not", n)
		}
		sum.add(frame[:8])
		sum.add(frame[frameHeaderSize:])
		if !sum.is(frame[16:24]) {
			return 0, damaged(at, "log", "wrong checksum of frame %d", n)
		}
		if be32(frame[4:]) != 0 {
			committed = n + 1
		}
	}
	return committed, nil
}

// checkIndex compares the number of committed frames with the index that processes
// share, if it is that of this log. Its integers are native: this one's are the ones
// that make sense of its version.
func checkIndex(f *file, salts []byte, committed uint32) error {
	shm, err := openSibling(f, "-shm")
	if err != nil || shm == nil {
		return err
	}
	defer shm.Close()
	var head [48]byte
	if shm.size < int64(len(head)) {
		return nil
	}
	if err := shm.readFull(head[:], 0); err != nil {
		return err
	}
	order := binary.ByteOrder(binary.NativeEndian)
	if order.Uint32(head[:]) != logVersion || !bytes.Equal(head[32:40], salts) {
		return nil
	}
	if frames := order.Uint32(head[16:]); frames > committed {
		return damaged(logHeaderSize, "log", "%d committed frames, its index says %d", committed, frames)
	}
	return nil
}

// A checksum of SQLite's logs: two running sums over pairs of words.
type checksum struct {
	order binary.ByteOrder
	a, b  uint32
}

func (c *checksum) add(data []byte) {
	for ; len(data) >= 8; data = data[8:] {
		c.a += c.order.Uint32(data) + c.b
		c.b += c.order.Uint32(data[4:]) + c.a
	}
}

// is compares with a stored checksum, which is big-endian whatever the words are.
func (c *checksum) is(stored []byte) bool { return c.a == be32(stored) && c.b == be32(stored[4:]) }

// journalMagic starts a rollback journal, and ends one that names a super-journal.
var journalMagic = []byte("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")

// checkJournal refuses a journal that is part of a transaction over several
// databases: to finish it, SQLite would open and delete the file that it names.
func checkJournal(journal *file) error {
	if journal.size < 16 {
		return nil
	}
	var end [8]byte
	if err := journal.readFull(end[:], journal.size-8); err != nil {
		return err
	}
	if bytes.Equal(end[:], journalMagic) {
		return unsupported(journal.size-8, "journal", "part of a transaction over several databases")
	}
	return nil
}
