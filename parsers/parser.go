package parsers

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"

	"digestlists/compact"
)

// A Parser reads one format of digest list.
//
// Parse checks the whole list before it yields the first entry, so that entries
// of a list that turns out to be damaged are never used. On an error it yields
// (nil, err) once and stops. The entry and its slices are reused: they are valid
// until the next one.
type Parser interface {
	Parse(list []byte, opts Options) iter.Seq2[*Entry, error]
}

// A Streamer is a Parser that needs no more than a part of a list in memory. Check goes
// through a whole list; Stream yields entries as it reads them, and is for lists that were
// checked, or whose entries are of use even if there is an error after them.
type Streamer interface {
	Parser
	Check(list io.Reader, opts Options) error
	Stream(list io.Reader, opts Options) iter.Seq2[*Entry, error]
}

// Options direct a Parser.
type Options struct {
	// Type is the type in the list's name, for formats that do not record it.
	Type compact.Type
	// Generation decides which files of formats with modes are immutable.
	Generation Generation
	// Want names the optional fields that the caller will look at. A parser may
	// leave the others unset; the digest, algorithm, type and modifiers always are.
	Want Fields
	// KeepZero keeps digests of all zeros (IMA violations, flagged as such),
	// which are digests of no file and left out otherwise.
	KeepZero bool
}

// A Source makes digest lists from what a system has: databases, packages,
// files. It yields them in a deterministic order, one at a time; on an error it
// yields (nil, err) once and stops, and no list of it may be used.
type Source interface {
	Lists(ctx context.Context, in Input) iter.Seq2[*List, error]
}

// Input says what a Source reads.
type Input struct {
	Paths      []string          // what to read, in order; "-" is standard input where the source says so
	Root       string            // alternative root; paths in entries are relative to it. "" means "/"
	DB         string            // RPM database file or folder; "" looks under Root
	Algorithm  compact.Algorithm // digest to compute where the source holds none
	Type       compact.Type      // of the entries
	Modifiers  compact.Modifiers // for formats that record them in the list itself
	Generation Generation
	Jobs       int               // workers; 0 means one for each processor
	Attributes Fields            // FieldCaps and FieldLabel, where they are to be read of files
	Select     func(*Entry) bool // leaves files out before they are hashed; nil keeps all
	Progress   func(done int)    // called now and then, from any goroutine; may be nil
}

// A List is one digest list as a Source makes it.
type List struct {
	Format string // of Content, such as "rpm"; empty where there are entries only
	Name   string // last part of the file name, such as a package's name and version
	// Content is the list in the format above, valid until the next list.
	Content []byte
	// Vendor is the distribution's OpenPGP signature over Content, as binary
	// packets; nil where there is none.
	Vendor []byte
	// Entries yields the same files one by one. It may be used once, and before the
	// next list.
	Entries iter.Seq2[*Entry, error]
}

// A Format is one row of the registry: a name and what can be done with it.
type Format struct {
	Name   string // as in the names of lists and after -f
	Help   string // one line
	Parser Parser // nil if no list has this format
	Source Source // nil if nothing makes it
}

// A Registry is a table of formats. It is a value that a program builds from
// the packages it links: there is no global one.
type Registry []Format

// Lookup returns the row of that name.
func (r Registry) Lookup(name string) (Format, bool) {
	i := slices.IndexFunc(r, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return Format{}, false
	}
	return r[i], true
}

// Parser returns the parser of a list format, or an error that names it.
func (r Registry) Parser(name string) (Parser, error) {
	f, ok := r.Lookup(name)
	if !ok || f.Parser == nil {
		return nil, fmt.Errorf("no parser for list format %q", name)
	}
	return f.Parser, nil
}

// Collect reads all entries of a parser or source, each one cloned.
func Collect(entries iter.Seq2[*Entry, error]) ([]Entry, error) {
	var all []Entry
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		c := *e
		c.Digest = slices.Clone(e.Digest)
		c.Signature = slices.Clone(e.Signature)
		c.EVMDigest = slices.Clone(e.EVMDigest)
		c.CapsValue = slices.Clone(e.CapsValue)
		c.LabelValue = slices.Clone(e.LabelValue)
		all = append(all, c)
	}
	return all, nil
}

// Fail returns a sequence that yields nothing but an error.
func Fail[T any](err error) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) { yield(nil, err) }
}
