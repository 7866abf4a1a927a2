package lockout

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A File is one that root runs.
type File struct {
	Path    string
	Program bool // else a library

	owner, group uint32
	fsMagic      uint64
	fsName       string
}

// Running returns the programs and libraries of root's processes, sorted, from a proc
// mounted there. Processes that see other file systems than this one, in containers
// for instance, are left out.
func Running(proc string) ([]File, error) {
	self, err := os.Readlink(filepath.Join(proc, "self/ns/mnt"))
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, err
	}
	types, err := fileSystems(proc)
	if err != nil {
		return nil, err
	}
	found := map[string]*File{}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		dir := filepath.Join(proc, e.Name())
		if err := collect(dir, self, types, found); err != nil && !gone(err) {
			return nil, err
		}
	}
	var files []File
	for _, f := range found {
		files = append(files, *f)
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

// gone reports whether an error says that a process, or its file, is no more.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }

func collect(dir, self string, types map[uint64]string, found map[string]*File) error {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: dir, Err: err}
	}
	if st.Uid != 0 {
		return nil
	}
	if ns, err := os.Readlink(filepath.Join(dir, "ns/mnt")); err != nil || ns != self {
		return err
	}
	program, err := os.Readlink(filepath.Join(dir, "exe"))
	if err != nil {
		return err // a thread of the kernel has none
	}
	maps, err := os.ReadFile(filepath.Join(dir, "maps"))
	if err != nil {
		return err
	}
	for path := range executable(maps) {
		if f := found[path]; f != nil {
			f.Program = f.Program || path == program
			continue
		}
		f, err := stat(path, types)
		if gone(err) { // replaced since by an update
			continue
		}
		if err != nil {
			return err
		}
		f.Program = path == program
		found[path] = f
	}
	return nil
}

// executable yields the files that maps (proc(5)) says are mapped to be executed.
func executable(maps []byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
			// Address, permissions, offset, device and inode come before the path.
			_, path, ok := strings.Cut(lines.Text(), " /")
			fields := strings.Fields(lines.Text())
			if !ok || len(fields) < 6 || !strings.Contains(fields[1], "x") || strings.HasSuffix(path, " (deleted)") {
				continue
			}
			if !yield("/" + path) {
				return
			}
		}
	}
}

func stat(path string, types map[uint64]string) (*File, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	var fsStat unix.Statfs_t
	if err := unix.Statfs(path, &fsStat); err != nil {
		return nil, &fs.PathError{Op: "statfs", Path: path, Err: err}
	}
	return &File{
		Path: path, owner: st.Uid, group: st.Gid,
		fsMagic: uint64(fsStat.Type), fsName: types[uint64(st.Dev)],
	}, nil
}

// fileSystems returns the types of mounted file systems by their device.
func fileSystems(proc string) (map[uint64]string, error) {
	text, err := os.ReadFile(filepath.Join(proc, "self/mountinfo"))
	if err != nil {
		return nil, err
	}
	types := map[uint64]string{}
	for line := range strings.Lines(string(text)) {
		// 36 35 98:0 /root /mount options - type source options
		before, after, _ := strings.Cut(line, " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if len(fields) < 3 || len(kind) == 0 {
			continue
		}
		major, minor, _ := strings.Cut(fields[2], ":")
		a, errA := strconv.ParseUint(major, 10, 32)
		b, errB := strconv.ParseUint(minor, 10, 32)
		if errA == nil && errB == nil {
			types[unix.Mkdev(uint32(a), uint32(b))] = kind[0]
		}
	}
	return types, nil
}
