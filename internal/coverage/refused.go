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
)

// ErrNoLog: there is neither the kernel's log nor one of the audit daemon.
var ErrNoLog = errors.New("there is neither the kernel's log nor an audit log")

// Refused returns what appraisal has refused, or would have, since the system below root
// was booted: as the kernel reports it in its own log or, where auditd runs, in the
// audit log (type 1800, INTEGRITY_DATA). A log that is there and cannot be read is an error.
// If records are missing, the error is ErrLost, and the others are returned with it.
func Refused(root string) ([]File, error) {
	boot, err := bootTime(root)
	if err != nil {
		return nil, err
	}
	var found evidence
	files, err := found.kernelRefusals(root)
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
		more, err := found.logRefusals(path, boot)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path+"\n"+a.Reason, b.Path+"\n"+b.Reason) })
	return slices.Compact(files), found.complete(isLimited(root))
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

// kernelRefusals reads the kernel's log, all of which is of this boot, whatever the clock said.
func (e *evidence) kernelRefusals(root string) ([]File, error) {
	text, err := kernelLog(root)
	if err != nil {
		return nil, err
	}
	if e.kernel, err = kernelRecords(text); err != nil {
		return nil, err
	}
	if !bytes.Contains(text, []byte(";audit: type=")) { // as with audit=0
		return nil, nil
	}
	files, err := e.refusals(bytes.NewReader(text), "/dev/kmsg", time.Time{})
	for _, serial := range e.serials {
		e.last = max(e.last, serial)
	}
	return files, err
}

// refusals returns what a log has from some time on. A record that cannot be read is an error:
// it may be of a file that nobody hears of otherwise.
func (e *evidence) refusals(log io.Reader, name string, since time.Time) ([]File, error) {
	var files []File
	records := audit.NewReader(log)
	records.Events = func(stamp time.Time, serial uint64) {
		if !stamp.Before(since) {
			e.event(serial)
		}
	}
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
