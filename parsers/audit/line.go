package audit

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"digestlists/compact"
)

// header is what a record begins with in audit.log. ausearch --raw writes the same.
var header = regexp.MustCompile(`^(?:node=[^ ]+ )?type=(?:UNKNOWN\[([0-9]+)\]|([A-Z0-9_]+)) msg=audit\(([0-9]+)\.([0-9]{1,9}):([0-9]+)\): ?`)

// kernelHeader is what one begins with in the kernel's log, after what /dev/kmsg, dmesg or
// syslog put before it. What other programs log has their names there, and in /dev/kmsg a
// number above 7 (Documentation/ABI/testing/dev-kmsg).
var kernelHeader = regexp.MustCompile(`^(?:[0-7],[0-9]+,[0-9]+,[^;]*;)?(?:<[0-9]+>)?(?:[^\[]* kernel: )?(?:<[0-9]+>)?(?:\[[^\]]*\] ?)?audit: type=([0-9]+) audit\(([0-9]+)\.([0-9]{1,9}):([0-9]+)\): ?`)

// isAuditLog reports whether a line can only be of audit.log.
func isAuditLog(line []byte) bool {
	return bytes.HasPrefix(line, []byte("type=")) || bytes.HasPrefix(line, []byte("node="))
}

// parseLog decodes a line of audit.log. It returns false for records of other types.
func (r *Record) parseLog(line []byte, events func(time.Time, uint64)) (bool, error) {
	m := header.FindSubmatch(line)
	if m == nil {
		return false, fmt.Errorf("%w: %.64q, want type=NAME msg=audit(TIME:SERIAL) and a colon", compact.ErrMalformed, line)
	}
	known := names[string(m[2])]
	if m[2] == nil {
		known = number(m[1])
	}
	if known >= firstDaemon && known <= lastDaemon || bytes.HasPrefix(m[2], []byte("DAEMON_")) {
		events = nil
	}
	return r.parse(known, m[3:6], line[len(m[0]):], events)
}

// These types are of auditd itself, which numbers them as it likes (linux/audit.h,
// AUDIT_FIRST_DAEMON).
const (
	firstDaemon Type = 1200
	lastDaemon  Type = 1299
)

// parseKernel does so for a line of the kernel's log.
func (r *Record) parseKernel(line []byte, events func(time.Time, uint64)) (isRecord, wanted bool, err error) {
	m := kernelHeader.FindSubmatch(line)
	if m == nil {
		return false, false, nil
	}
	wanted, err = r.parse(number(m[1]), m[2:5], line[len(m[0]):], events)
	return true, wanted, err
}

func number(text []byte) Type {
	n, _ := strconv.Atoi(string(text)) // too large is no type that is wanted
	return Type(n)
}

func (r *Record) parse(t Type, stamp [][]byte, fields []byte, events func(time.Time, uint64)) (bool, error) {
	if !t.wanted() && events == nil {
		return false, nil
	}
	*r = Record{Type: t, Digest: r.Digest[:0]}
	var err error
	if r.Time, err = parseTime(stamp[0], stamp[1]); err != nil {
		return false, err
	}
	if r.Serial, err = strconv.ParseUint(string(stamp[2]), 10, 64); err != nil {
		return false, fmt.Errorf("%w: serial %.32q", compact.ErrMalformed, stamp[2])
	}
	if events != nil {
		events(r.Time, r.Serial)
	}
	if !t.wanted() {
		return false, nil
	}
	return r.parseFields(fields)
}

// parseTime reads seconds and a decimal fraction.
func parseTime(seconds, fraction []byte) (time.Time, error) {
	sec, err := strconv.ParseInt(string(seconds), 10, 64)
	if err != nil || sec > maxSeconds {
		return time.Time{}, fmt.Errorf("%w: time %.32q, want seconds since 1970", compact.ErrMalformed, seconds)
	}
	nsec := 0
	for i := range 9 {
		nsec *= 10
		if i < len(fraction) {
			nsec += int(fraction[i] - '0')
		}
	}
	return time.Unix(sec, int64(nsec)).UTC(), nil
}

// maxSeconds is the end of the year 9999, the last that can be written as RFC 3339 has it.
const maxSeconds = 253402300799
