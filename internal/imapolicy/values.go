package imapolicy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"digestlists/compact"
)

var errTwice = errors.New("given twice in a rule")

func setNothing(*Kernel, *Rule, string, byte, string) error { return nil }

func setFunc(k *Kernel, r *Rule, _ string, _ byte, value string) error {
	if r.Func != "" {
		return errTwice
	}
	name := value
	if newer, ok := aliases[value]; ok {
		name = newer
	}
	h, ok := hooks[name]
	switch {
	case !ok:
		return fmt.Errorf("no such hook, want one of %s", strings.Join(hooksOf(k), ", "))
	case h.extension && !k.DigestLists:
		return errors.New("only kernels with digest lists have this hook")
	case k.Version.before(h.since):
		return fmt.Errorf("this hook is there since Linux %s, this is for %s", h.since, k.Version)
	}
	r.Func = name
	return nil
}

// hooksOf returns the names of the hooks that a kernel has.
func hooksOf(k *Kernel) (names []string) {
	for name, h := range hooks {
		if !k.Version.before(h.since) && (k.DigestLists || !h.extension) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func setMask(k *Kernel, r *Rule, _ string, _ byte, value string) error {
	if r.mask != "" {
		return errTwice
	}
	name, several := strings.CutPrefix(value, "^")
	switch name {
	case "MAY_READ", "MAY_WRITE", "MAY_APPEND", "MAY_EXEC":
	default:
		return errors.New("no such mask, want MAY_READ, MAY_WRITE, MAY_APPEND or MAY_EXEC, or ^ and one of them")
	}
	if first := (Version{4, 1}); several && k.Version.before(first) {
		return fmt.Errorf("^ is there since Linux %s, this is for %s", first, k.Version)
	}
	r.mask = name
	return nil
}

// setFSMagic takes a hexadecimal number, with or without 0x.
func setFSMagic(_ *Kernel, r *Rule, _ string, _ byte, value string) error {
	if r.fsmagic != 0 {
		return errTwice
	}
	digits := strings.TrimPrefix(value, "+")
	if len(digits) > 1 && digits[0] == '0' && digits[1]|0x20 == 'x' {
		digits = digits[2:]
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		return errors.New("want a hexadecimal number of at most 64 bits")
	}
	r.fsmagic = n
	return nil
}

const zeroUUID = "00000000-0000-0000-0000-000000000000"

// setFSUUID takes what begins with a UUID: kernels do not look at the rest.
func setFSUUID(_ *Kernel, r *Rule, _ string, _ byte, value string) error {
	if r.fsuuid != "" && r.fsuuid != zeroUUID {
		return errTwice
	}
	if len(value) < len(zeroUUID) {
		return errors.New("want a UUID such as 8bcbe394-4f13-4144-be8e-5aa9ea2ce2f6")
	}
	for i := range zeroUUID {
		c := value[i] | 0x20
		dash := zeroUUID[i] == '-'
		digit := value[i] >= '0' && value[i] <= '9' || c >= 'a' && c <= 'f'
		if dash && value[i] != '-' || !dash && !digit {
			return errors.New("want a UUID such as 8bcbe394-4f13-4144-be8e-5aa9ea2ce2f6")
		}
	}
	r.fsuuid = strings.ToLower(value[:len(zeroUUID)])
	return nil
}

func setFSName(_ *Kernel, r *Rule, _ string, _ byte, value string) error {
	r.fsname = value
	return nil
}

func setFSSubtype(_ *Kernel, r *Rule, _ string, _ byte, _ string) error {
	r.subtype = true
	return nil
}

// setID takes a decimal number. A rule has room for one condition on each of: the
// user of the process, its group, the owner of the file, its group.
func setID(room string) func(*Kernel, *Rule, string, byte, string) error {
	return func(_ *Kernel, r *Rule, name string, operator byte, value string) error {
		if there, ok := r.ids[room]; ok {
			if there.keyword != name {
				return fmt.Errorf("a rule has either this or %s", there.keyword)
			}
			return errTwice
		}
		n, err := strconv.ParseUint(strings.TrimPrefix(value, "+"), 10, 32)
		if err != nil || n == 1<<32-1 {
			return errors.New("want a decimal number from 0 to 4294967294")
		}
		r.ids[room] = id{name, operator, uint32(n)}
		return nil
	}
}

// labelled says which conditions on labels security modules know.
var labelled = map[string][]string{
	"selinux":  {"obj_user", "obj_role", "obj_type", "subj_user", "subj_role", "subj_type"},
	"smack":    {"obj_user", "subj_user"},
	"apparmor": {"subj_role"},
}

func setLabel(k *Kernel, r *Rule, name string, _ byte, _ string) error {
	if r.labels[name] {
		return errTwice
	}
	r.labels[name] = true
	if k.LSMs == nil || slices.ContainsFunc(k.LSMs, func(lsm string) bool { return slices.Contains(labelled[lsm], name) }) {
		return nil
	}
	return errors.New("no security module of this kernel has such labels")
}

// setPCR takes a decimal number. That there are fewer registers in a TPM is not the
// kernel's concern.
func setPCR(_ *Kernel, _ *Rule, _ string, _ byte, value string) error {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 || n >= 64 {
		return errors.New("want a number from 0 to 63")
	}
	return nil
}

// setNames takes names with | between them.
func setNames(_ *Kernel, r *Rule, name string, _ byte, value string) error {
	bit := keywordBit[name]
	if r.has&bit != 0 {
		return errTwice
	}
	if slices.Contains(strings.Split(value, "|"), "") {
		return errors.New("an empty name in it")
	}
	return nil
}

var keywordBit = map[string]option{"keyrings": hasKeyrings, "label": hasData}

// setAlgorithms takes names with commas between them.
func setAlgorithms(_ *Kernel, r *Rule, _ string, _ byte, value string) error {
	if r.has&hasAlgorithms != 0 {
		return errTwice
	}
	for name := range strings.SplitSeq(value, ",") {
		if !algorithmName(name) {
			return fmt.Errorf("no such hash algorithm: %q", name)
		}
	}
	return nil
}

// algorithmName reports whether the kernel has an algorithm of that name, in lower
// case. SM3 was sm3-256 before Linux 5.18.
func algorithmName(name string) bool {
	if name == "sm3-256" {
		return true
	}
	return slices.ContainsFunc(compact.Algorithms(), func(a compact.Algorithm) bool { return a.String() == name })
}
