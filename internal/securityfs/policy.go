package securityfs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Policy is what the rules in force say about digest lists.
type Policy struct {
	measures  bool    // some rule measures
	appraises bool    // some rule appraises
	lists     bool    // a rule measures digest lists, but for those on what is left out
	leftOut   []int64 // magic numbers of file systems
}

// readPolicy reads the policy of the kernel below a securityfs mounted at root. Few
// kernels let it be read.
func readPolicy(root string) (*Policy, error) {
	text, err := os.ReadFile(filepath.Join(root, "ima", "policy"))
	if err != nil {
		return nil, err
	}
	return parsePolicy(string(text)), nil
}

func parsePolicy(text string) *Policy {
	p := &Policy{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "measure":
			p.measures = true
			p.lists = p.lists || slices.Contains(words[1:], "func=DIGEST_LIST_CHECK")
		case "dont_measure":
			if magic, ok := leavesOut(words[1:]); ok && !p.lists { // the first rule counts
				p.leftOut = append(p.leftOut, magic)
			}
		case "appraise":
			p.appraises = true
		}
	}
	return p
}

// leavesOut returns the file system whose digest lists a rule with these conditions
// leaves out, if it leaves out all that are there.
func leavesOut(conditions []string) (magic int64, ok bool) {
	for _, c := range conditions {
		if c == "func=DIGEST_LIST_CHECK" {
			continue
		}
		number, isMagic := strings.CutPrefix(c, "fsmagic=")
		n, err := strconv.ParseInt(strings.TrimPrefix(number, "0x"), 16, 64)
		if !isMagic || err != nil {
			return 0, false
		}
		magic, ok = n, true
	}
	return magic, ok
}

// A Refusal says why no list can be loaded as this kernel is set up, and what to
// change.
type Refusal struct {
	Reason string
	Change string
}

func (r *Refusal) Error() string { return r.Reason }

// A Setup is how a kernel was set up, as far as it can be found out: what is nil is
// not known, and nothing is refused for it.
type Setup struct {
	CommandLine *CommandLine
	Policy      *Policy
}

// ReadSetup finds out what it can, from a securityfs and a proc mounted there.
func ReadSetup(root, proc string) Setup {
	var s Setup
	if c, err := ReadCommandLine(proc); err == nil {
		s.CommandLine = c
	}
	if p, err := readPolicy(root); err == nil {
		s.Policy = p
	}
	return s
}

// Check returns a [*Refusal] if the kernel would take no list from that directory, or
// would turn digest lists off when it is tried.
func (s Setup) Check(dir string) error {
	if r := s.refusal(); r != nil {
		return r
	}
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return nil
	}
	if r := s.refusalOn(int64(st.Type)); r != nil {
		r.Reason = dir + ": " + r.Reason
		return r
	}
	return nil
}

func (s Setup) refusal() *Refusal {
	c := s.CommandLine
	switch {
	case c == nil:
		if s.Policy != nil && !s.Policy.measures && !s.Policy.appraises {
			return &Refusal{"the kernel has no IMA policy", "boot with ima_policy=exec_tcb or ima_policy=appraise_exec_tcb"}
		}
		return nil
	case !c.measures() && !c.appraises():
		return &Refusal{
			c.missing(),
			"boot with ima_digest_list_pcr=11 (or +11) and ima_policy=exec_tcb to measure, " +
				"or with ima_appraise_digest_list=digest and ima_policy=appraise_exec_tcb to appraise",
		}
	}
	measures, appraises, known := s.policy()
	if known && !(c.measures() && measures) && !(c.appraises() && appraises) {
		return &Refusal{
			"the kernel has no IMA policy for what the lists are for on its command line",
			"boot with ima_policy=exec_tcb to measure, or with ima_policy=appraise_exec_tcb to appraise",
		}
	}
	if p := s.Policy; p != nil && len(c.policies) == 0 && !p.lists && !(c.appraises() && p.appraises) {
		return &Refusal{
			"the IMA policy does not measure digest lists",
			"add the rule `measure func=DIGEST_LIST_CHECK` to it before any list is loaded",
		}
	}
	return nil
}

// missing says why the command line asks for no lists.
func (c *CommandLine) missing() string {
	const refused = "the kernel takes no digest lists: "
	switch {
	case len(c.pcrs) > 0:
		return fmt.Sprintf(refused+"ima_digest_list_pcr=%.40q on its command line, want a register other than %d", c.pcrs[0], standardPCR)
	case len(c.appraise) > 0:
		return fmt.Sprintf(refused+"ima_appraise_digest_list=%.40q on its command line, want digest or digest-nometadata", c.appraise[0])
	}
	return refused + "its command line has neither ima_digest_list_pcr nor ima_appraise_digest_list"
}

// policy tells what the policy does, by its rules or else by the names of built-in
// policies. Of a policy that was loaded later and cannot be read nothing is known.
func (s Setup) policy() (measures, appraises, known bool) {
	if s.Policy != nil {
		return s.Policy.measures, s.Policy.appraises, true
	}
	for _, name := range s.CommandLine.policies {
		switch name {
		case "tcb", "exec_tcb":
			measures = true
		case "appraise_tcb", "appraise_exec_tcb", "appraise_exec_immutable", "secure_boot":
			appraises = true
		case "fail_securely": // says what to do with signatures, and has no rules
		default:
			return false, false, false
		}
	}
	return measures, appraises, measures || appraises
}

// Appraises reports whether the kernel may verify the signatures of lists that it reads
// itself: unless something says that it does not.
func (s Setup) Appraises() bool {
	if s.Policy == nil && (s.CommandLine == nil || s.CommandLine.appraises()) {
		return true
	}
	_, appraises, _ := s.policy()
	return appraises
}

// refusalOn refuses lists on a file system that the policy leaves out: one list that
// the kernel reads and has not measured turns digest lists off until the next boot.
func (s Setup) refusalOn(fsType int64) *Refusal {
	c := s.CommandLine
	if c == nil || !c.measures() {
		return nil
	}
	if p := s.Policy; p != nil && p.lists {
		if !slices.Contains(p.leftOut, fsType) {
			return nil
		}
		return &Refusal{
			"the IMA policy does not measure lists on this file system, and one that is not measured turns digest lists off until the next boot",
			"boot with ima_policy=exec_tcb, or keep the lists on a disk",
		}
	}
	if fsType != unix.TMPFS_MAGIC && fsType != unix.RAMFS_MAGIC || !slices.Contains(c.policies, "tcb") || slices.Contains(c.policies, "exec_tcb") {
		return nil
	}
	return &Refusal{
		"ima_policy=tcb does not measure lists on tmpfs, and one that is not measured turns digest lists off until the next boot",
		"boot with ima_policy=exec_tcb, or keep the lists on a disk",
	}
}
