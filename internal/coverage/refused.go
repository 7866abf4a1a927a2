package coverage

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrNoLog: neither the kernel's log nor that of the audit daemon can be read.
var ErrNoLog = errors.New("neither the kernel's log nor the audit log can be read")

// Refused returns what appraisal has refused, or would have, since the system below root
// was booted: as the kernel reports it in its own log or, where auditd runs, in the
// audit log (type 1800, INTEGRITY_DATA).
func Refused(root string) ([]File, error) {
	boot, err := bootTime(root)
	if err != nil {
		return nil, err
	}
	var files []File
	sources := 0
	for _, read := range []func(string) ([]byte, error){kernelLog, auditLog} {
		text, err := read(root)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sources++
		files = append(files, refusals(text, boot)...)
	}
	if sources == 0 {
		return nil, ErrNoLog
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path+"\n"+a.Reason, b.Path+"\n"+b.Reason) })
	return slices.Compact(files), nil
}

// bootTime returns when the system was booted, in seconds since 1970.
func bootTime(root string) (int64, error) {
	path := filepath.Join(root, "/proc/stat")
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "btime "); ok {
			return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s: no btime", path)
}

// maxKernelLog is more than the largest buffer that a kernel can be given.
const maxKernelLog = 1 << 30

// kernelLog reads what the kernel's log has now: one record for each read, and EAGAIN after
// the last one. EPIPE is that a record was overwritten before it was read.
func kernelLog(root string) ([]byte, error) {
	fd, err := unix.Open(filepath.Join(root, "/dev/kmsg"), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var all bytes.Buffer
	record := make([]byte, 16<<10)
	for all.Len() < maxKernelLog {
		n, err := unix.Read(fd, record)
		switch {
		case err == unix.EPIPE || err == unix.EINTR:
			continue
		case err == unix.EAGAIN || n == 0 && err == nil:
			return all.Bytes(), nil
		case err != nil:
			return nil, &fs.PathError{Op: "read", Path: "/dev/kmsg", Err: err}
		}
		all.Write(record[:n])
	}
	return all.Bytes(), nil
}

func auditLog(root string) ([]byte, error) {
	f, err := os.Open(filepath.Join(root, "/var/log/audit/audit.log"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all bytes.Buffer
	lines := bufio.NewReader(io.LimitReader(f, maxKernelLog))
	for {
		line, err := lines.ReadBytes('\n')
		if bytes.Contains(line, []byte("op=appraise_data")) {
			all.Write(line)
		}
		if err == io.EOF {
			return all.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// An audit record, from the kernel's integrity_audit.c: the name is in quotes, or in
// hexadecimal where it has characters that would not be clear.
var (
	appraised = regexp.MustCompile(`audit\((\d+)\.\d+:\d+\).* op=appraise_data cause=("[^"]*"|\S+)`)
	nameField = regexp.MustCompile(` name=("[^"]*"|[0-9A-Fa-f]+)`)
)

func refusals(text []byte, boot int64) []File {
	var files []File
	for line := range strings.Lines(string(text)) {
		m := appraised.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		// A clock that was set since makes boot time inexact.
		if at, err := strconv.ParseInt(m[1], 10, 64); err != nil || at < boot-1 {
			continue
		}
		files = append(files, File{auditName(line), strings.Trim(m[2], `"`)})
	}
	return files
}

func auditName(line string) string {
	m := nameField.FindStringSubmatch(line)
	if m == nil {
		return "?"
	}
	if strings.HasPrefix(m[1], `"`) {
		return strings.Trim(m[1], `"`)
	}
	if name, err := hex.DecodeString(m[1]); err == nil {
		return string(name)
	}
	return m[1]
}
