package audit

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"digestlists/compact"
)

// A Type is the kernel's number of a kind of record.
type Type int

// The types that are read.
const (
	Data     Type = 1800 // INTEGRITY_DATA: appraisal has refused a file, or it could not be hashed
	Metadata Type = 1801 // INTEGRITY_METADATA: EVM has refused a file
	PCR      Type = 1804 // INTEGRITY_PCR: a violation, or a measurement that was lost
	Rule     Type = 1805 // INTEGRITY_RULE: a rule of the policy has a file audited
)

var names = map[string]Type{"INTEGRITY_DATA": Data, "INTEGRITY_METADATA": Metadata, "INTEGRITY_PCR": PCR, "INTEGRITY_RULE": Rule}

// String returns the name of the type in audit.log.
func (t Type) String() string {
	for name, known := range names {
		if t == known {
			return name
		}
	}
	return "UNKNOWN[" + strconv.Itoa(int(t)) + "]"
}

func (t Type) wanted() bool { return t == Data || t == Metadata || t == PCR || t == Rule }

// Unset is the number of no user: of Record.LoginUID where nobody has logged in.
const Unset = 1<<32 - 1

// A Record tells of one use of a file.
type Record struct {
	Type   Type
	Time   time.Time
	Serial uint64 // of the event; with Time it names it. 0 in journals that do not tell

	Path      string            // empty if the kernel had none
	Algorithm compact.Algorithm // of Digest
	Digest    []byte            // of Rule only; nil otherwise

	Operation string // as the kernel names it, such as appraise_data; empty for Rule
	Cause     string // likewise, such as missing-hash
	Success   bool   // false if the file was refused; true for Rule

	PID      uint32
	UID      uint32
	LoginUID uint32 // of who logged in, or Unset
	Command  string // name of the process, of 15 bytes at most
	Program  string // path of what it runs; of Rule only
}

// parseFields reads the text of a record after its time and serial. It returns false for
// records that are of no file: rules of the policy have once been reported so, too.
func (r *Record) parseFields(text []byte) (bool, error) {
	text, _, _ = bytes.Cut(text, []byte{0x1d}) // what follows, auditd has added
	r.LoginUID, r.UID = Unset, Unset
	var seen seen
	for len(text) > 0 {
		key, value, rest, err := nextField(text)
		if err != nil {
			return false, err
		}
		text = rest
		if err := r.set(key, value, &seen); err != nil {
			return false, fmt.Errorf("field %s: %w", key, err)
		}
	}
	switch {
	case r.Type != Rule && !seen.result:
		return false, fmt.Errorf("%w: no field res", compact.ErrTruncated)
	case r.Type != Rule:
		return true, nil
	case !seen.path && !seen.digest:
		return false, nil
	case !seen.path || !seen.digest:
		return false, fmt.Errorf("%w: want both fields file and hash", compact.ErrTruncated)
	}
	r.Success = true
	return true, nil
}

// seen are the fields that a record has had.
type seen struct{ path, digest, result bool }

// nextField splits off `key=value` or `key="value"`. Words without a sign in
// between are passed over: some records begin with one.
func nextField(text []byte) (key string, value, rest []byte, err error) {
	text = bytes.TrimLeft(text, " ")
	end := bytes.IndexAny(text, " =")
	if end < 0 {
		return "", nil, nil, nil
	}
	if text[end] == ' ' {
		return "", nil, text[end:], nil
	}
	key, text = string(text[:end]), text[end+1:]
	if len(text) > 0 && text[0] == '"' {
		end := bytes.IndexByte(text[1:], '"')
		if end < 0 {
			return "", nil, nil, fmt.Errorf("%w: field %.32q has no closing quote", compact.ErrTruncated, key)
		}
		return key, text[:end+2], text[end+2:], nil
	}
	if end := bytes.IndexByte(text, ' '); end >= 0 {
		return key, text[:end], text[end:], nil
	}
	return key, text, nil, nil
}

func (r *Record) set(key string, value []byte, seen *seen) (err error) {
	switch key {
	case "file", "name":
		seen.path = true
		r.Path, err = untrusted(value)
	case "comm":
		r.Command, err = untrusted(value)
	case "exe":
		r.Program, err = untrusted(value)
	case "hash":
		seen.digest = true
		err = r.setDigest(bytes.Trim(value, `"`))
	case "op":
		r.Operation = string(bytes.Trim(value, `"`))
	case "cause":
		r.Cause = string(bytes.Trim(value, `"`))
	case "res":
		seen.result = true
		r.Success = string(value) == "1"
		if !r.Success && string(value) != "0" {
			err = fmt.Errorf("%w: %.32q, want 0 or 1", compact.ErrMalformed, value)
		}
	case "pid":
		r.PID, err = parseID(value)
	case "uid":
		r.UID, err = parseID(value)
	case "auid":
		r.LoginUID, err = parseID(value)
	}
	return err
}

// untrusted decodes what a process may have chosen: audit_log_untrustedstring of the kernel.
func untrusted(value []byte) (string, error) {
	if len(value) > 0 && value[0] == '"' {
		return string(value[1 : len(value)-1]), nil
	}
	if s := string(value); s == "(null)" || s == "?" {
		return "", nil
	}
	text, err := hex.DecodeString(string(value))
	if err != nil || len(text) == 0 {
		return "", fmt.Errorf("%w: %.32q, want a name in quotes or in hex", compact.ErrMalformed, value)
	}
	return string(text), nil
}

// setDigest reads `algorithm:hex`; before Linux 3.13 there was no algorithm, and SHA-1 was
// the usual one.
func (r *Record) setDigest(value []byte) error {
	algorithm, sum, ok := bytes.Cut(value, []byte(":"))
	if !ok {
		algorithm, sum = []byte("sha1"), value
	}
	var err error
	if r.Algorithm, err = compact.ParseAlgorithm(string(algorithm)); err != nil {
		return err
	}
	r.Digest, err = hex.AppendDecode(r.Digest[:0], sum)
	if err != nil || len(r.Digest) != r.Algorithm.Size() {
		return fmt.Errorf("%w: %.160q, want %d bytes of %s in hex", compact.ErrMalformed, sum, r.Algorithm.Size(), r.Algorithm)
	}
	return nil
}

func parseID(value []byte) (uint32, error) {
	if string(value) == "-1" || string(value) == "unset" {
		return Unset, nil
	}
	n, err := strconv.ParseUint(string(value), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%w: %.32q, want a number", compact.ErrMalformed, value)
	}
	return uint32(n), nil
}
