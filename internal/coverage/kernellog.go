package coverage

import (
	"bytes"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxKernelLog is more than the largest buffer that a kernel can be given.
const maxKernelLog = 1 << 30

// kernelLog reads what the kernel's log has now: one record for each read, and EAGAIN after
// the last one. EPIPE is that a record was overwritten before it was read, which shows in the
// numbers of the records: see overwritten.
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

// A kernelRecord is one of /dev/kmsg: `PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT`, where numbers
// begin with 0 and leave none out (Documentation/ABI/testing/dev-kmsg).
type kernelRecord struct {
	kernel bool // not written by a program
	number uint64
	since  time.Duration // boot
	text   string
}

// kernelRecords are those of a log. Lines that continue one begin with a space.
func kernelRecords(log []byte) (all []kernelRecord, err error) {
	for line := range bytes.Lines(log) {
		if line[0] == ' ' {
			continue
		}
		r, err := parseKernelRecord(strings.TrimSuffix(string(line), "\n"))
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func parseKernelRecord(line string) (r kernelRecord, err error) {
	head, text, ok := strings.Cut(line, ";")
	fields := strings.Split(head, ",")
	if !ok || len(fields) < 4 {
		return r, fmt.Errorf("/dev/kmsg: %.64q, want PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT", line)
	}
	var numbers [3]uint64
	for i := range numbers {
		if numbers[i], err = strconv.ParseUint(fields[i], 10, 63); err != nil {
			return r, fmt.Errorf("/dev/kmsg: %.64q: %w", line, err)
		}
	}
	// Above its lowest three bits, the priority has the facility, which is 0 for the kernel.
	return kernelRecord{numbers[0] < 8, numbers[1], time.Duration(numbers[2]) * time.Microsecond, text}, nil
}

// overwritten says which records are no longer in the log, or "".
func overwritten(log []kernelRecord) string {
	next := uint64(0)
	for _, r := range log {
		if r.number != next {
			return fmt.Sprintf("records %d to %d of the kernel's log were overwritten", next, r.number-1)
		}
		next++
	}
	return ""
}

// refusedToLog says that the kernel itself has told of audit records that it has dropped, or
// "". Source: audit_log_lost in kernel/audit.c.
func refusedToLog(log []kernelRecord) string {
	for _, r := range log {
		if r.kernel && strings.HasPrefix(r.text, "audit: audit_lost=") {
			return "the kernel has dropped audit records: " + r.text
		}
	}
	return ""
}

// Of records that no auditd takes, the kernel prints only so many in a time: DEFAULT_RATELIMIT_
// of include/linux/ratelimit_types.h. That it has printed no more, it says with the next one.
const (
	rateBurst    = 10
	rateInterval = 5 * time.Second
)

// brokenOff says that the last audit records may not be the last ones: the kernel prints no more
// of them in that time. It returns "" if there were fewer.
func brokenOff(log []kernelRecord) string {
	var printed []time.Duration
	for _, r := range log {
		if r.kernel && strings.HasPrefix(r.text, "audit: type=") {
			printed = append(printed, r.since)
		}
	}
	n := len(printed)
	if n < rateBurst || printed[n-1]-printed[n-rateBurst] > rateInterval {
		return ""
	}
	return fmt.Sprintf("the last %d audit records are of the same %v, in which the kernel prints no more", rateBurst, rateInterval)
}
