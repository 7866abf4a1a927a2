// Package ready has policies to use as they are. Those whose names end in -lists are
// for kernels with digest lists.
package ready

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed policies
var files embed.FS

// A Policy is one that comes with the tools.
type Policy struct {
	Name    string
	Summary string // one sentence
	Content []byte // text
}

// All returns the policies in the order of their names.
func All() ([]Policy, error) {
	entries, err := fs.ReadDir(files, "policies")
	if err != nil {
		return nil, err
	}
	var all []Policy
	for _, e := range entries {
		p, err := Find(e.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, *p)
	}
	return all, nil
}

// ErrUnknown is a name that no policy has.
var ErrUnknown = errors.New("no policy of that name")

// Find returns the policy of a name.
func Find(name string) (*Policy, error) {
	content, err := fs.ReadFile(files, "policies/"+name)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, ErrUnknown)
	}
	summary, _, _ := strings.Cut(string(content), "\n")
	return &Policy{Name: name, Summary: strings.TrimPrefix(summary, "# "), Content: content}, nil
}

// user is whom policies restrict that restrict one user.
const user = "1000"

// ForUser returns the policy for another user. It is an error if it is not about
// one.
func (p *Policy) ForUser(uid uint32) (*Policy, error) {
	text := string(p.Content)
	if !strings.Contains(text, "uid="+user) {
		return nil, fmt.Errorf("policy %s is not about one user", p.Name)
	}
	of := *p
	number := fmt.Sprint(uid)
	of.Content = []byte(strings.NewReplacer("uid="+user, "uid="+number, "user "+user, "user "+number).Replace(text))
	return &of, nil
}
