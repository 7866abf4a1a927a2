package setup

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"digestlists/internal/coverage"
)

// A Mode is what the kernel is to do with digest lists.
type Mode string

// The modes.
const (
	Measure Mode = "measure" // measure what no list knows
	Log     Mode = "log"     // also appraise, but only log what would not run
	Enforce Mode = "enforce" // and let nothing else run
)

// Modes are all modes, from the most careful one.
func Modes() []Mode { return []Mode{Measure, Log, Enforce} }

// ParseMode returns the mode of that name.
func ParseMode(name string) (Mode, error) {
	if m := Mode(name); slices.Contains(Modes(), m) {
		return m, nil
	}
	return "", fmt.Errorf("mode %q, want measure, log or enforce", name)
}

// keptLog has the kernel keep what it logs: without auditd, its log is all that tells what would
// not have run. Without these, it prints ten audit records in five seconds, holds 64 that
// wait, and overwrites what is older than some thousand lines.
const keptLog = "log_buf_len=4M audit_backlog_limit=8192 " + coverage.NoLimit

// Arguments returns what the kernel's command line says in a mode. The measurements go
// to pcr, such as 11 or +11; hash is the algorithm with which the kernel hashes files;
// without metadata, an EVM key asks for no list of type metadata.
//
// Files are measured when they are appraised, too: what was measured tells which
// files no list knows. Policies are given one by one: a | would need quotes, which
// boot loaders treat differently.
func Arguments(m Mode, pcr, hash string, metadata bool) []string {
	args := []string{"ima_policy=exec_tcb"}
	if m != Measure {
		digests := "digest-nometadata"
		if metadata {
			digests = "digest"
		}
		args = append(args, "ima_policy=appraise_exec_tcb", "ima_appraise="+string(m), "ima_appraise_digest_list="+digests)
	}
	args = append(args, "ima_digest_list_pcr="+pcr, "ima_hash="+hash, "initramtmpfs")
	if m == Log {
		args = append(args, strings.Fields(keptLog)...)
	}
	return args
}

// checkPCR refuses registers that the kernel does not take for digest lists.
func checkPCR(pcr string) error {
	n, err := strconv.ParseUint(strings.TrimPrefix(pcr, "+"), 10, 8)
	if err != nil || n > 23 || n == 10 {
		return fmt.Errorf("pcr = %q, want N or +N, a register from 0 to 23 other than 10", pcr)
	}
	return nil
}
