package coverage

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"digestlists/parsers/audit"

	"golang.org/x/sys/unix"
)

// ErrNoLog: there is neither the kernel's log nor one of the audit daemon.
var ErrNoLog = errors.New("there is neither the kernel's log nor an audit log")

// Refused returns what appraisal has refused, or would have, since the system below root
// was booted: as the kernel reports it in its own log or, where auditd runs, in the
// audit log (type 1800, INTEGRITY_DATA). A log that is there and cannot be read is an error.
func Refused(root string) ([]File, error) {
	boot, err := bootTime(root)
	if err != nil {
		return nil, err
	}
	files, err := kernelRefusals(root, boot)
	noKernelLog := errors.Is(err, fs.ErrNotExist)
	if err != nil && !noKernelLog {
		return nil, err
	}
	logs, err := auditLogs(root)
	if err != nil {
		return nil, err
	}
	if noKernelLog && len(logs) == 0 {
		return nil, ErrNoLog
	}
	for _, path := range logs {
		found, err := logRefusals(path, boot)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path+"\n"+a.Reason, b.Path+"\n"+b.Reason) })
	return slices.Compact(files), nil
}

// bootTime returns when the system was booted.
func bootTime(root string) (time.Time, error) {
	path := filepath.Join(root, "/proc/stat")
	text, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "btime "); ok {
			seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return time.Unix(seconds, 0), err
		}
	}
	return time.Time{}, fmt.Errorf("%s: no btime", path)
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
	for {
		n, err := unix.Read(fd, record)
		switch {
		case err == unix.EPIPE || err == unix.EINTR:
			continue
		case err == unix.EAGAIN || n == 0 && err == nil:
			return all.Bytes(), nil
		case err != nil:
			return nil, &fs.PathError{Op: "read", Path: "/dev/kmsg", Err: err}
		}
		if all.Write(record[:n]); all.Len() > maxKernelLog {
			return nil, fmt.Errorf("/dev/kmsg: more than %d bytes", maxKernelLog)
		}
	}
}

// kernelRefusals reads the kernel's log, where a boot without any audit record is nothing
// unusual.
func kernelRefusals(root string, boot time.Time) ([]File, error) {
	text, err := kernelLog(root)
	if err != nil || !bytes.Contains(text, []byte(";audit: type=")) {
		return nil, err
	}
	return refusals(bytes.NewReader(text), "/dev/kmsg", boot)
}

// refusals returns what a log has of this boot. A record that cannot be read is an error:
// it may be of a file that nobody hears of otherwise.
func refusals(log io.Reader, name string, boot time.Time) ([]File, error) {
	// A clock that was set since makes boot time inexact.
	since := boot.Add(-time.Second)
	var files []File
	records := audit.NewReader(log)
	for {
		r, err := records.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if r.Type == audit.Data && r.Operation == "appraise_data" && !r.Time.Before(since) {
			files = append(files, File{cmp.Or(r.Path, "?"), r.Cause})
		}
	}
}
