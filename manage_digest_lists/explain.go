package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/listdir"
	"digestlists/parsers"
)

// An explanation is what the lists know of a file or a digest, and what a kernel that has
// loaded them does with it.
type explanation struct {
	Subject  string   `json:"subject"`
	Digests  []string `json:"digests"`  // of the file, in the algorithms of the lists
	Known    []fact   `json:"known"`    // lists that have one of its digests
	Others   []fact   `json:"others"`   // lists that have other digests for the path
	Measure  []string `json:"measure"`  // sentences
	Appraise []string `json:"appraise"` // likewise
}

// A fact is a digest in a list.
type fact struct {
	List      string `json:"list"`
	Type      string `json:"type"`
	Modifiers string `json:"modifiers,omitempty"`
	Digest    string `json:"digest"`
	Path      string `json:"path,omitempty"`
	SignedBy  string `json:"signed_by,omitempty"`
	Unsigned  string `json:"unsigned,omitempty"` // why it is not signed by a known key

	digest compact.Digest
}

// explain says what the lists know of a path or a digest.
func explain(j *job) error {
	l, err := j.openLists()
	if err != nil {
		return err
	}
	defer l.Close()
	root, err := inroot.Open(j.root())
	if err != nil {
		return err
	}
	defer root.Close()
	s, err := newSubject(root, j.Args().First())
	if err != nil {
		return err
	}
	defer s.close()
	ex := &explanation{Subject: j.Args().First()}
	signers, err := j.signers(root, l)
	if err != nil {
		return err
	}
	for _, list := range l.Lists {
		if err := ex.look(l, list, s); err != nil {
			j.Fail(list.File, err)
		}
	}
	for _, facts := range [][]fact{ex.Known, ex.Others} {
		for i := range facts {
			facts[i].SignedBy, facts[i].Unsigned = signers.of(facts[i].List)
		}
	}
	ex.Digests = s.texts()
	ex.judge()
	if err := ex.print(j); err != nil {
		return err
	}
	if len(ex.Known) == 0 {
		return command.Failed()
	}
	return nil
}

// look notes what a list has on the subject.
func (ex *explanation) look(l *lists, list listdir.List, s *subject) (err error) {
	visit := func(d compact.Digest, e *parsers.Entry) bool {
		var same bool
		if same, err = s.is(d); err != nil {
			return false
		}
		named := s.path != "" && filepath.Join("/", e.Path) == s.path
		if !same && (!named || d.Type == compact.TypeMetadata) {
			return true
		}
		d.Sum = bytes.Clone(d.Sum)
		f := fact{
			List: list.File, Type: d.Type.String(), Modifiers: d.Modifiers.String(), Digest: digestText(d.Algorithm, d.Sum),
			Path: strings.Clone(e.Path), digest: d,
		}
		if same {
			ex.Known = append(ex.Known, f)
		} else {
			ex.Others = append(ex.Others, f)
		}
		return true
	}
	return errors.Join(l.eachDigest(list, visit), err)
}

func digestText(a compact.Algorithm, sum []byte) string {
	return a.String() + ":" + hex.EncodeToString(sum)
}

// signers tells who signed the lists.
type signers struct {
	lists *lists
	keys  *imasig.Keyring
	now   time.Time
	seen  map[string][2]string
}

// signers trusts the key lists of the directory, and --cert.
func (j *job) signers(root *inroot.Root, l *lists) (*signers, error) {
	s := &signers{lists: l, keys: new(imasig.Keyring), now: time.Now(), seen: make(map[string][2]string)}
	if j.IsSet("cert") {
		var err error
		if s.keys, err = certificates(root, j.StringSlice("cert")); err != nil {
			return nil, err
		}
	}
	for _, list := range l.Dir.Lists() {
		if list.Type != compact.TypeKey {
			continue
		}
		key, err := readKey(l, list)
		if err != nil {
			j.Fail(list.File, err)
			continue
		}
		s.keys.AddKey(key)
	}
	return s, nil
}

// of returns the name of the key that signed a list, or why no key that is known did.
func (s *signers) of(file string) (by, unsigned string) {
	if seen, ok := s.seen[file]; ok {
		return seen[0], seen[1]
	}
	by, err := s.verify(file)
	if err != nil {
		by = ""
		var ok bool
		if unsigned, ok = imasig.Reason(err); !ok {
			unsigned = err.Error()
		}
	}
	s.seen[file] = [2]string{by, unsigned}
	return by, unsigned
}

func (s *signers) verify(file string) (string, error) {
	content, err := s.lists.ReadInto(file, nil)
	if err != nil {
		return "", err
	}
	found, err := imasig.Find(filepath.Join(s.lists.Path, file), content)
	if err != nil {
		return "", err
	}
	verified, err := s.keys.Open(found, s.now)
	if err != nil {
		return "", err
	}
	return verified.Key.Name, nil
}

func (ex *explanation) print(j *job) error {
	if j.Bool("json") {
		return json.NewEncoder(j.App.Writer).Encode(ex)
	}
	text := printable(ex.Subject) + "\n"
	for _, d := range ex.Digests {
		text += "   " + d + "\n"
	}
	text += sectionText("known by", ex.Known) + sectionText("other content is known by", ex.Others)
	text += "measure\n   " + strings.Join(ex.Measure, "\n   ") + "\n"
	text += "appraise\n   " + strings.Join(ex.Appraise, "\n   ") + "\n"
	_, err := fmt.Fprint(j.App.Writer, text)
	return err
}

func sectionText(title string, facts []fact) string {
	if len(facts) == 0 {
		return ""
	}
	text := title + "\n"
	for _, f := range facts {
		text += fmt.Sprintf("   %s: %s %s", printable(f.List), f.Type, f.Digest)
		if f.Modifiers != "" {
			text += " " + f.Modifiers
		}
		if f.Path != "" {
			text += " path=" + printable(f.Path)
		}
		if f.SignedBy != "" {
			text += ", signed by " + printable(f.SignedBy) + "\n"
		} else {
			text += ", " + f.Unsigned + "\n"
		}
	}
	return text
}
