package listdir

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// A dirent is one entry of a directory as getdents64(2) returns it.
type dirent struct {
	name string
	kind uint8 // unix.DT_REG and so on; DT_UNKNOWN where the file system does not say
}

// readDirents returns the entries of an open directory in the file system's
// order, without "." and "..". The standard library's ReadDir would do as well,
// but it registers files with the network poller, and the trusted parser must
// not open anything that it does not have to.
func readDirents(fd int) ([]dirent, error) {
	if _, err := unix.Seek(fd, 0, unix.SEEK_SET); err != nil {
		return nil, fmt.Errorf("rewind: %w", err)
	}
	var all []dirent
	buf := make([]byte, 16<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read entries: %w", err)
		}
		if n == 0 {
			return all, nil
		}
		all = appendDirents(all, buf[:n])
	}
}

// appendDirents decodes struct linux_dirent64: u64 inode, u64 offset, u16
// length of the record, u8 type, NUL-terminated name, in native byte order.
func appendDirents(all []dirent, buf []byte) []dirent {
	const header = 19
	for len(buf) > header {
		length := int(binary.NativeEndian.Uint16(buf[16:]))
		if length <= header || length > len(buf) {
			break
		}
		name := buf[header:length]
		if end := bytes.IndexByte(name, 0); end >= 0 {
			name = name[:end]
		}
		if s := string(name); s != "." && s != ".." {
			all = append(all, dirent{name: s, kind: buf[18]})
		}
		buf = buf[length:]
	}
	return all
}

// isDir tells whether an entry is a directory, asking the file system only
// where it did not say so in the first place.
func (e dirent) isDir(dirfd int) bool {
	if e.kind != unix.DT_UNKNOWN {
		return e.kind == unix.DT_DIR
	}
	var st unix.Stat_t
	err := unix.Fstatat(dirfd, e.name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}
