package imapolicy

// An Access is what the kernel asks IMA about: a process is about to use a file.
type Access struct {
	Func string // hook, such as BPRM_CHECK
	Mask string // one of MAY_EXEC and so on: that a rule takes a mask among others (^) makes no difference then

	UID, GID uint32 // of the process, the effective ones too

	Owner, Group uint32 // of the file
	FSMagic      uint64 // as statfs(2) has it
	FSName       string // type, as in /proc/filesystems; empty if not known
}

// Appraised returns the rule by which a kernel appraises an access, nil if by none. The
// first rule that fits decides. Where it is not known whether one does, for labels and
// UUIDs of file systems, a rule that appraises is taken to fit, and one that
// lets off is not.
func (p *Policy) Appraised(a Access) *Rule {
	for i := range p.Rules {
		r := &p.Rules[i]
		switch r.Action {
		case Appraise:
			if fits, _ := r.matches(a); fits {
				return r
			}
		case DontAppraise:
			if fits, sure := r.matches(a); fits && sure {
				return nil
			}
		}
	}
	return nil
}

// Signed reports whether a rule that appraises asks for a signature; else a digest
// in security.ima does.
func (r *Rule) Signed() bool { return r.signed }

// Verity reports whether a rule is about the digests of fs-verity.
func (r *Rule) Verity() bool { return r.verity }

// matches reports whether a rule fits, as far as is known, and whether that is all.
func (r *Rule) matches(a Access) (fits, sure bool) {
	switch {
	case r.Func != "" && r.Func != a.Func,
		r.mask != "" && r.mask != a.Mask,
		r.fsmagic != 0 && r.fsmagic != a.FSMagic,
		r.fsname != "" && a.FSName != "" && r.fsname != a.FSName,
		!r.compare("user", a.UID), !r.compare("group", a.GID),
		!r.compare("fowner", a.Owner), !r.compare("fgroup", a.Group):
		return false, true
	}
	unsure := r.has&hasLabel != 0 || r.fsuuid != "" || r.fsname != "" && a.FSName == "" || r.subtype
	return true, !unsure
}

func (r *Rule) compare(room string, value uint32) bool {
	want, ok := r.ids[room]
	switch {
	case !ok:
		return true
	case want.operator == '<':
		return value < want.value
	case want.operator == '>':
		return value > want.value
	}
	return value == want.value
}
