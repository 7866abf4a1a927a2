package lockout

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"digestlists/compact"
	"digestlists/internal/hashes"
	"digestlists/internal/imapolicy"
	"digestlists/internal/imasig"
	"digestlists/internal/known"
	"digestlists/internal/regular"
	"digestlists/internal/xattr"
)

// Trust is what the kernel will know when it appraises.
type Trust struct {
	Keys      *imasig.Keyring // certificates of those who sign; nil for none
	Known     known.Set       // digests of lists; nil for a kernel without digest lists
	Algorithm compact.Algorithm
	Now       time.Time
}

// A Refused is a file that root could not use any more.
type Refused struct {
	Path   string
	Rule   *imapolicy.Rule
	Reason string
}

func (r Refused) String() string {
	return fmt.Sprintf("%s: %s (line %d: %s)", r.Path, r.Reason, r.Rule.Line, r.Rule.Text)
}

// uses are the accesses that root makes to a program or a library.
func (f *File) uses() (list []imapolicy.Access) {
	add := func(hook, mask string) {
		list = append(list, imapolicy.Access{
			Func: hook, Mask: mask, Owner: f.owner, Group: f.group, FSMagic: f.fsMagic, FSName: f.fsName,
		})
	}
	if f.Program {
		add("BPRM_CHECK", "MAY_EXEC")
		add("CREDS_CHECK", "MAY_EXEC")
		add("FILE_CHECK", "MAY_EXEC")
	}
	add("MMAP_CHECK", "MAY_EXEC")
	add("FILE_CHECK", "MAY_READ")
	return list
}

// maxFile is more than any program has, in bytes.
const maxFile = 2 << 30

// Check returns the files that a kernel with the policy would refuse to root.
func Check(p *imapolicy.Policy, files []File, trust *Trust) (refused []Refused) {
	for i := range files {
		f := &files[i]
		tried := map[*imapolicy.Rule]bool{}
		for _, use := range f.uses() {
			rule := p.Appraised(use)
			if rule == nil || tried[rule] {
				continue
			}
			tried[rule] = true
			if err := trust.pass(f.Path, rule); err != nil {
				refused = append(refused, Refused{f.Path, rule, err.Error()})
				break
			}
		}
	}
	return refused
}

// pass returns why a file would not pass a rule.
func (t *Trust) pass(path string, rule *imapolicy.Rule) error {
	if rule.Verity() {
		return errors.New("whether it has a good signature of fs-verity cannot be told here")
	}
	content, err := regular.ReadFile(path, 0, maxFile)
	if err != nil {
		return err
	}
	if ok, err := t.listed(content, rule); ok || err != nil {
		return err
	}
	value, err := xattr.Get(path, imasig.AttributeName)
	if errors.Is(err, xattr.ErrAbsent) || errors.Is(err, xattr.ErrUnsupported) {
		return fmt.Errorf("it has no %s", imasig.AttributeName)
	}
	if err != nil {
		return err
	}
	if alg, digest, err := imasig.ParseDigest(value); err == nil {
		return passDigest(content, alg, digest, rule)
	}
	sig, err := imasig.Parse(value)
	if err != nil {
		return err
	}
	if t.Keys == nil {
		return errors.New("no certificate was given to check its signature with")
	}
	_, err = t.Keys.Verify(content, sig, t.Now)
	return err
}

// listed reports whether a file is in a digest list; where a signature is asked for,
// as immutable.
func (t *Trust) listed(content []byte, rule *imapolicy.Rule) (bool, error) {
	if t.Known == nil {
		return false, nil
	}
	digest, err := hashes.Sum(t.Algorithm, content)
	if err != nil {
		return false, err
	}
	if rule.Signed() {
		return t.Known.Immutable(t.Algorithm, digest), nil
	}
	return t.Known.Has(t.Algorithm, digest), nil
}

func passDigest(content []byte, alg compact.Algorithm, digest []byte, rule *imapolicy.Rule) error {
	if rule.Signed() {
		return errors.New("it has no signature, only a digest")
	}
	sum, err := hashes.Sum(alg, content)
	if err != nil {
		return err
	}
	if !bytes.Equal(sum, digest) {
		return fmt.Errorf("its %s has another digest", imasig.AttributeName)
	}
	return nil
}
