package imapolicy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// templates are the names of the measurement list's formats, and what each is made
// of: a rule may give either.
var templates = []struct {
	name, fields string
	since        Version
}{
	{"ima", "d|n", Version{}},
	{"ima-ng", "d-ng|n-ng", Version{3, 13}},
	{"ima-sig", "d-ng|n-ng|sig", Version{3, 13}},
	{"ima-buf", "d-ng|n-ng|buf", Version{5, 3}},
	{"ima-modsig", "d-ng|n-ng|sig|d-modsig|modsig", Version{5, 4}},
	{"evm-sig", "d-ng|n-ng|evmsig|xattrnames|xattrlengths|xattrvalues|iuid|igid|imode", Version{5, 14}},
	{"ima-ngv2", "d-ngv2|n-ng", Version{5, 19}},
	{"ima-sigv2", "d-ngv2|n-ng|sig", Version{5, 19}},
}

func setTemplate(k *Kernel, r *Rule, _ string, _ byte, value string) error {
	if r.Action != Measure {
		return errors.New("only after the action measure")
	}
	if r.template != "" {
		return errTwice
	}
	r.template = value
	var names []string
	for _, t := range templates {
		if k.Version.before(t.since) {
			continue
		}
		if t.name == value || t.fields == value {
			return nil
		}
		names = append(names, t.name)
	}
	if strings.Contains(value, "|") {
		return nil // a kernel may have been started with ima_template_fmt
	}
	return fmt.Errorf("no such template, want one of %s", strings.Join(names, ", "))
}

func setDigestType(_ *Kernel, r *Rule, _ string, _ byte, value string) error {
	if value != "verity" {
		return errors.New("no such type of digest, want verity")
	}
	if r.signed {
		return errors.New("only before appraise_type")
	}
	r.verity = true
	return nil
}

func setAppraiseType(k *Kernel, r *Rule, _ string, _ byte, value string) error {
	switch value {
	case "imasig", "imasig|modsig":
		if r.verity {
			return errors.New("with digest_type=verity, want sigv3")
		}
	case "sigv3":
		if first := (Version{5, 19}); k.Version.before(first) {
			return fmt.Errorf("sigv3 is there since Linux %s, this is for %s", first, k.Version)
		}
		if !r.verity {
			return errors.New("only after digest_type=verity")
		}
	case "meta_immutable":
		if !k.DigestLists {
			return errors.New("only kernels with digest lists take meta_immutable")
		}
	default:
		return errors.New("no such type of signature, want imasig, imasig|modsig or sigv3")
	}
	if value == "imasig|modsig" {
		if first := (Version{5, 4}); k.Version.before(first) {
			return fmt.Errorf("modsig is there since Linux %s, this is for %s", first, k.Version)
		}
		if k.without("IMA_APPRAISE_MODSIG") {
			return errors.New("this kernel is built without IMA_APPRAISE_MODSIG")
		}
		r.has |= hasModsig
		r.modsig = true
	}
	r.signed = true
	return nil
}

func setAppraiseFlag(_ *Kernel, _ *Rule, _ string, _ byte, value string) error {
	if value != "check_blacklist" {
		return errors.New("no such flag, want check_blacklist")
	}
	return nil
}

// fits says why the parts of a rule do not go together, in words about the word that
// is the reason, or about none.
func (r *Rule) fits(k *Kernel) (keyword, reason string) {
	h := anyHook
	name := "a rule without func="
	if r.Func != "" {
		h, name = hooks[r.Func], "func="+r.Func
	}
	switch {
	case r.Action == "":
		return "", "no action, want measure, appraise, audit, hash or dont_ and one of them"
	case h.actions != nil && !slices.Contains(h.actions, r.Action):
		return "func", fmt.Sprintf("does not go with %s", r.Action)
	case h.must&^r.has != 0:
		return "func", "needs appraise_algos="
	case r.verity && r.Action == Appraise && !r.signed:
		return "digest_type", "needs appraise_type=sigv3 after it"
	}
	refused := r.has &^ h.takes
	for _, text := range strings.FieldsFunc(r.Text, func(c rune) bool { return c == ' ' || c == '\t' }) {
		key := keyOf(text)
		kw := keywords[key]
		switch {
		case kw.idles(k): // whatever the rule is
		case kw.only != "" && r.Action != kw.only:
			return key, fmt.Sprintf("goes only with %s", kw.only)
		case kw.has&refused != 0, key == "appraise_type" && refused&hasModsig != 0:
			return key, name + " does not take it"
		case kw.has == hasBlacklist && !r.modsig:
			return key, "needs appraise_type=imasig|modsig"
		}
	}
	return "", ""
}
