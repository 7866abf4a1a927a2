package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/parsers"
)

// An explanation is what the lists know of a file or a digest, and what a kernel that has
// loaded them does with it.
type explanation struct {
	Subject  string   `json:"subject"`
	Missing  bool     `json:"missing,omitempty"` // there is no such file
	Digests  []string `json:"digests"`           // of the file, in the algorithms of the lists
	Known    []fact   `json:"known"`             // lists that have one of its digests
	Others   []fact   `json:"others"`            // lists that have other digests for the path
	Measure  []string `json:"measure"`           // sentences
	Appraise []string `json:"appraise"`          // likewise
}

// A fact is a digest in a list.
type fact struct {
	List      string `json:"list"`
	Type      string `json:"type"`
	Modifiers string `json:"modifiers,omitempty"`
	Digest    string `json:"digest"`
	Path      string `json:"path,omitempty"`
	signature

	list   listdir.List
	digest compact.Digest
}

// explain says what the lists know of a path or a digest.
func explain(j *job) error {
	l, root, err := j.openListsAndRoot()
	if err != nil {
		return err
	}
	defer l.Close()
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
			facts[i].signature = signers.of(facts[i].list)
		}
	}
	ex.Missing = s.path != "" && s.file == nil
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
			Path: strings.Clone(e.Path), list: list, digest: d,
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

func (ex *explanation) print(j *job) error {
	if j.Bool("json") {
		return json.NewEncoder(j.App.Writer).Encode(ex)
	}
	text := printable(ex.Subject) + "\n"
	if ex.Missing {
		text += "   no such file\n"
	}
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
		text += ", " + f.signature.text() + "\n"
	}
	return text
}
