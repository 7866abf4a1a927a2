package securityfs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ProcMountPoint is where proc belongs.
const ProcMountPoint = "/proc"

// A CommandLine is what the kernel's command line says about digest lists.
type CommandLine struct {
	policies []string // names of built-in policies
	pcrs     []string // values of ima_digest_list_pcr
	appraise []string // values of ima_appraise_digest_list
	size     string   // of ima_digest_db_size
	mode     string   // of ima_appraise
}

// ReadCommandLine reads the command line of the running kernel from a proc mounted
// there.
func ReadCommandLine(proc string) (*CommandLine, error) {
	text, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	if err != nil {
		return nil, err
	}
	return ParseCommandLine(string(text)), nil
}

// ParseCommandLine reads a command line as the kernel does: up to a lone `--`, with
// quotes around values that have spaces, and dashes in names for underscores.
func ParseCommandLine(text string) *CommandLine {
	c := &CommandLine{}
	quoted := false
	words := strings.FieldsFunc(text, func(r rune) bool {
		quoted = quoted != (r == '"')
		return !quoted && (r == ' ' || r == '\t' || r == '\n')
	})
	for _, word := range words {
		if word == "--" {
			break
		}
		name, value, _ := strings.Cut(strings.ReplaceAll(word, `"`, ""), "=")
		c.add(strings.ReplaceAll(name, "-", "_"), value)
	}
	return c
}

func (c *CommandLine) add(name, value string) {
	switch name {
	case "ima_policy":
		c.policies = append(c.policies, strings.FieldsFunc(value, func(r rune) bool { return r == '|' || r == ' ' })...)
	case "ima_tcb": // the older way to say it
		c.policies = append(c.policies, "tcb")
	case "ima_appraise_tcb":
		c.policies = append(c.policies, "appraise_tcb")
	case "ima_digest_list_pcr":
		c.pcrs = append(c.pcrs, value)
	case "ima_appraise_digest_list":
		c.appraise = append(c.appraise, value)
	case "ima_appraise":
		c.mode = value
	case "ima_digest_db_size":
		c.size = value
	}
}

// Enforces reports whether a kernel that was started so refuses files that it
// appraises, and does not only log or mend them.
func (c *CommandLine) Enforces() bool {
	return c.mode != "log" && c.mode != "fix" && c.mode != "off"
}

// standardPCR is the register that IMA extends by itself: it is not taken for
// digest lists.
const standardPCR = 10

// measures reports whether lists are asked for when files are measured.
func (c *CommandLine) measures() bool {
	return slices.ContainsFunc(c.pcrs, func(value string) bool {
		n, err := strconv.ParseUint(strings.TrimPrefix(value, "+"), 10, 8)
		return err == nil && n != standardPCR
	})
}

// appraises reports whether lists are asked for when files are appraised.
func (c *CommandLine) appraises() bool {
	return slices.Contains(c.appraise, "digest") || slices.Contains(c.appraise, "digest-nometadata")
}

// Budget returns the limit that ima_digest_db_size sets for the digest table, in
// bytes, or standard where it is not given. A value that is not within 0 and highest is
// an error: what the kernel makes of it is not known.
func (c *CommandLine) Budget(standard, highest int64) (int64, error) {
	if c.size == "" {
		return standard, nil
	}
	n, ok := parseMemory(c.size)
	if !ok || n > uint64(highest) {
		return 0, fmt.Errorf("ima_digest_db_size=%.40q, want 0 to %dM", c.size, highest>>20)
	}
	return int64(n), nil
}

// parseMemory reads a size as memparse of the kernel's lib/cmdline.c: a number as
// in C, and maybe one of the letters KMGTPE.
func parseMemory(text string) (uint64, bool) {
	if n, err := strconv.ParseUint(text, 0, 64); err == nil {
		return n, true
	}
	end := len(text) - 1
	i := strings.IndexByte("KMGTPE", text[end]&^0x20)
	n, err := strconv.ParseUint(text[:end], 0, 64)
	shift := 10 * (i + 1)
	if i < 0 || err != nil || n<<shift>>shift != n {
		return 0, false
	}
	return n << shift, true
}
