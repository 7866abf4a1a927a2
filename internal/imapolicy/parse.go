package imapolicy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Policy is what a kernel would take.
type Policy struct {
	Rules []Rule
	// Open says that the last line has no end: a kernel takes such a policy when it is
	// written, and refuses it by its path.
	Open bool
}

// maxRule is the longest line in bytes, with its end, that a kernel takes in a
// write: it reads no more than a page.
const maxRule = 4095

// Parse reads a policy for a kernel. The error is [Faults].
func Parse(content []byte, k *Kernel) (*Policy, error) {
	if fault, ok := unreadable(content); ok {
		return nil, Faults{fault}
	}
	p := &Policy{Open: len(content) > 0 && content[len(content)-1] != '\n'}
	var faults Faults
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		rule, fault := parseLine(strings.TrimSuffix(line, "\n"), k)
		if fault != nil {
			fault.Line = number
			faults = append(faults, *fault)
		} else if rule != nil {
			rule.Line = number
			p.Rules = append(p.Rules, *rule)
		}
	}
	if faults == nil && len(p.Rules) == 0 {
		faults = Faults{{Line: max(number, 1), Column: 1, Reason: "no rule in the policy"}}
	}
	if faults != nil {
		return nil, faults
	}
	return p, nil
}

// commentsSince is the first version that takes comments which do not begin a line.
var commentsSince = Version{6, 14}

// parseLine returns neither rule nor fault for a line without a rule.
func parseLine(line string, k *Kernel) (*Rule, *Fault) {
	list, comment := words(line)
	if len(list) == 0 {
		return nil, nil
	}
	if comment > 0 && k.Version.before(commentsSince) {
		return nil, &Fault{
			Column: comment, Word: line[comment-1:],
			Reason: fmt.Sprintf("a comment after a rule is there since Linux %s, this is for %s", commentsSince, k.Version),
		}
	}
	last := list[len(list)-1]
	end := last.column - 1 + len(last.text)
	if len(line) >= maxRule {
		return nil, &Fault{Column: maxRule, Reason: fmt.Sprintf("line of %d bytes, want less than %d", len(line), maxRule)}
	}
	r := &Rule{Text: line[:end], ids: map[string]id{}, labels: map[string]bool{}}
	for _, w := range list {
		if err := r.add(w.text, k); err != nil {
			return nil, &Fault{Column: w.column, Word: w.text, Reason: err.Error()}
		}
	}
	if key, reason := r.fits(k); reason != "" {
		return nil, faultAt(list, key, reason)
	}
	return r, nil
}

// faultAt is a fault at the word with a keyword, or at the start of the rule.
func faultAt(list []word, key, reason string) *Fault {
	i := slices.IndexFunc(list, func(w word) bool { return keyOf(w.text) == key })
	if key == "" || i < 0 {
		return &Fault{Column: list[0].column, Reason: reason}
	}
	return &Fault{Column: list[i].column, Word: list[i].text, Reason: reason}
}

// keyOf returns what is before the operator in a word.
func keyOf(text string) string {
	if i := strings.IndexAny(text, comparing); i >= 0 {
		return text[:i]
	}
	return text
}

// add adds a word to a rule.
func (r *Rule) add(text string, k *Kernel) error {
	if since, ok := actions[Action(text)]; ok {
		return r.setAction(Action(text), since, k)
	}
	key := keyOf(text)
	kw, ok := keywords[key]
	switch {
	case strings.HasSuffix(text, "\r"):
		return errors.New("the line ends with CR LF, want LF")
	case !ok:
		return errors.New("no such action, condition or option")
	case k.Version.before(kw.since):
		return fmt.Errorf("this is there since Linux %s, this is for %s", kw.since, k.Version)
	case k.without(kw.config):
		return fmt.Errorf("this kernel is built without %s", kw.config)
	}
	rest := text[len(key):]
	if kw.operators == "" {
		if rest != "" {
			return errors.New("takes no value")
		}
		return r.set(kw, k, key, 0, "")
	}
	if len(rest) < 2 || !strings.Contains(kw.operators, rest[:1]) {
		return fmt.Errorf("want %s, and a value", strings.Join(forms(key, kw), " or "))
	}
	if rest[0] != '=' && k.Version.before(kw.compares) {
		return fmt.Errorf("< and > compare since Linux %s, this is for %s", kw.compares, k.Version)
	}
	if kw.idles(k) {
		return nil
	}
	return r.set(kw, k, key, rest[0], rest[1:])
}

func (r *Rule) set(kw keyword, k *Kernel, key string, operator byte, value string) error {
	if err := kw.set(k, r, key, operator, value); err != nil {
		return err
	}
	r.has |= kw.has
	return nil
}

func (r *Rule) setAction(a Action, since Version, k *Kernel) error {
	if r.Action != "" {
		return errors.New("a second action in the rule")
	}
	if k.Version.before(since) {
		return fmt.Errorf("this is there since Linux %s, this is for %s", since, k.Version)
	}
	r.Action = a
	return nil
}

// forms returns a keyword with each of its operators.
func forms(key string, kw keyword) (list []string) {
	for _, operator := range kw.operators {
		list = append(list, key+string(operator))
	}
	return list
}
