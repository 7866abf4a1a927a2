package attest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"digestlists/compact"
	"digestlists/internal/packed"
	"digestlists/parsers/audit"
)

// An AuditReport is what audit records say of the files that a machine has used.
type AuditReport struct {
	Records  int            `json:"records"`  // that tell of files
	Counts   map[Class]int  `json:"counts"`   // of the records
	Findings []AuditFinding `json:"findings"` // what is not known or, with Options.All, every file, by when it was first used
}

// An AuditFinding is a file as one user and one program used it, however often.
type AuditFinding struct {
	Class     Class   `json:"class"`
	Path      string  `json:"path"` // empty if the kernel had none
	Algorithm string  `json:"algorithm,omitempty"`
	Digest    Hex     `json:"digest"` // null if the kernel had none
	Reason    string  `json:"reason"`
	Near      *Near   `json:"near,omitempty"`
	Known     *Origin `json:"known,omitempty"`

	UID      *uint32   `json:"uid"`       // null if unknown
	LoginUID *uint32   `json:"login_uid"` // null if nobody has logged in
	PID      uint32    `json:"pid"`       // the first time
	Command  string    `json:"command"`
	Program  string    `json:"program,omitempty"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Records  int       `json:"records"`
}

// Good reports whether the file is no reason for distrust.
func (f *AuditFinding) Good() bool { return f.Class.good() }

// AuditRecords yields the records in the given files, which are logs as package audit reads
// them, plain or compressed with gzip or zstd.
//
// A record is valid until the next one. On an error, which names the file, it yields
// (nil, err) once and stops.
func AuditRecords(files ...string) iter.Seq2[*audit.Record, error] {
	return func(yield func(*audit.Record, error) bool) {
		for _, path := range files {
			if !yieldAudit(path, yield) {
				return
			}
		}
	}
}

func yieldAudit(path string, yield func(*audit.Record, error) bool) bool {
	f, err := openList(path)
	if err != nil {
		yield(nil, err)
		return false
	}
	defer f.Close()
	plain, done, err := packed.NewReader(f)
	defer done()
	if err == nil {
		records := audit.NewReader(plain)
		var r *audit.Record
		for err == nil {
			if r, err = records.Next(); err == nil && !yield(r, nil) {
				return false
			}
		}
	}
	if errors.Is(err, io.EOF) {
		return true
	}
	yield(nil, fmt.Errorf("%s: %w", path, err))
	return false
}

// use is a use of a file, apart from when it was.
type use struct {
	class            Class
	path, digest     string
	algorithm        compact.Algorithm
	operation, cause string
	uid, loginUID    uint32
	command, program string
}

// audit goes through the records. Memory grows with what is reported only.
func (v *verifier) audit(records iter.Seq2[*audit.Record, error]) error {
	report := &AuditReport{Counts: map[Class]int{}, Findings: []AuditFinding{}}
	v.report.Audit = report
	at := map[use]int{}
	for r, err := range records {
		if err != nil {
			return err
		}
		res := v.classifyAudit(r)
		if res.class == "" {
			continue
		}
		report.Records++
		report.Counts[res.class]++
		if !v.isFinding(res) {
			continue
		}
		u := use{res.class, r.Path, string(r.Digest), r.Algorithm, r.Operation, r.Cause, r.UID, r.LoginUID, r.Command, r.Program}
		i, seen := at[u]
		if !seen {
			i = len(report.Findings)
			at[u] = i
			report.Findings = append(report.Findings, v.auditFinding(r, res))
			if err := v.fits(); err != nil {
				return err
			}
		}
		report.Findings[i].count(r.Time)
	}
	return nil
}

// count notes one more use; logs may be given in any order.
func (f *AuditFinding) count(at time.Time) {
	f.Records++
	if at.Before(f.First) {
		f.First = at
	}
	if at.After(f.Last) {
		f.Last = at
	}
}

func (v *verifier) auditFinding(r *audit.Record, res result) AuditFinding {
	f := AuditFinding{
		Class: res.class, Path: r.Path, Reason: res.reason, Near: res.near, PID: r.PID, Command: r.Command, Program: r.Program,
		UID: user(r.UID), LoginUID: user(r.LoginUID), First: r.Time, Last: r.Time,
	}
	if res.digest != nil {
		f.Algorithm, f.Digest = res.algorithm.String(), bytes.Clone(res.digest)
	}
	f.Known = v.knownFrom(res)
	v.reported += findingSize + 2*len(f.Path) + len(f.Command) + len(f.Program)
	return f
}

func user(id uint32) *uint32 {
	if id == audit.Unset {
		return nil
	}
	return &id
}

// classifyAudit says what a record tells. Its class is empty if it tells of nothing that matters.
func (v *verifier) classifyAudit(r *audit.Record) result {
	var res result
	switch {
	case r.Type == audit.Rule:
		res = v.audited(r)
	case r.Type == audit.PCR:
		res = result{class: Violation, reason: kernelReason(r)}
		if v.options.IgnoreViolations {
			res.class = Allowed
		}
		return res
	case r.Success:
		return result{}
	default:
		res = result{class: KernelRefused, reason: kernelReason(r)}
	}
	if res.class != Known && res.class != KnownList {
		if v.options.Exclude.Match(r.Path, res.algorithm, res.digest) {
			return result{class: Excluded}
		}
		res = v.allowed(r.Path, res)
	}
	return res
}

// audited looks an audited file up.
func (v *verifier) audited(r *audit.Record) result {
	res := result{algorithm: r.Algorithm, digest: r.Digest, found: none}
	if !allZero(r.Digest) {
		res.found = v.refs.index.first(r.Algorithm, r.Digest)
	}
	if res.list = v.refs.listOf(r.Algorithm, r.Digest); res.list != nil {
		res.class = KnownList
		return res
	}
	if res.known = v.lookup(res); res.known != nil {
		res.class = Known
		return res
	}
	res.class, res.reason = Unknown, "no reference has this digest"
	res.near = v.nearest(r.Path, res)
	return res
}

// causes are what the kernel means by the causes that it names most.
// Source: security/integrity/ima/ima_appraise.c and ima_main.c.
var causes = map[string]string{
	"missing-hash":               "it has no security.ima",
	"invalid-hash":               "its content is not that of its security.ima",
	"invalid-signature":          "its signature is not good, or of an unknown key",
	"IMA-signature-required":     "it has no signature, which the policy requires",
	"verity-signature-required":  "it has no signature of fs-verity, which the policy requires",
	"invalid-verity-signature":   "its signature of fs-verity is not good, or of an unknown key",
	"missing-HMAC":               "it has no security.evm",
	"invalid-HMAC":               "its attributes are not those of its security.evm",
	"denied-hash-algorithm":      "its security.ima is of an algorithm that is not allowed",
	"unavailable-hash-algorithm": "its security.ima is of an algorithm that the kernel does not have",
	"open_writers":               "it was open for writing while it was measured",
	"ToMToU":                     "it was opened for writing while it was in use as measured",
	"hashing_error":              "it could not be hashed",
	"failed(directio)":           "it was read around the page cache, and could not be hashed",
}

func kernelReason(r *audit.Record) string {
	words := fmt.Sprintf("%s: %s", r.Operation, r.Cause)
	if meaning, ok := causes[r.Cause]; ok {
		return words + ", that is, " + meaning
	}
	return words
}

// judgeAudit adds the reasons that records give. They can cast doubt on a machine, never
// take it away.
func (v *verifier) judgeAudit() {
	a := v.report.Audit
	v.note("audit records are attested by nobody: they are worth as much as where they come from")
	for _, class := range append([]Class{KernelRefused}, order...) {
		if n := a.Counts[class]; n > 0 {
			v.report.Reasons = append(v.report.Reasons, fmt.Sprintf("%d audit records of files: %s", n, class))
		}
	}
}
