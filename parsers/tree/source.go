package tree

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"digestlists/internal/hashes"
	"digestlists/parsers"
)

// Source yields one list with an entry for each regular file in Input.Paths, which
// are files and directories. It implements parsers.Source.
//
// A path that is itself a symbolic link is followed; links inside trees never are.
// The paths of entries are those given, made absolute, without the root; a path that is not
// under the root is an error. Entries have path, mode, size and the owner's numbers, and
// no modifiers: which files are immutable is for the caller to say.
//
// Input.Select is called before a file is hashed, by one goroutine at a time. Errors that
// concern a file come from the list's entries and name it.
type Source struct{}

var _ parsers.Source = Source{}

// Lists yields the one list, named after the first path.
func (Source) Lists(ctx context.Context, in parsers.Input) iter.Seq2[*parsers.List, error] {
	return func(yield func(*parsers.List, error) bool) {
		inputs, err := resolve(in.Paths, in.Root)
		if err == nil {
			_, err = hashes.New(in.Algorithm)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		yield(&parsers.List{
			Name:    listName(in.Paths[0]),
			Entries: func(yield func(*parsers.Entry, error) bool) { run(ctx, in, inputs, yield) },
		}, nil)
	}
}

// listName is the last part of a path as a directory would list it.
func listName(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if path == "/" {
		return "root"
	}
	return filepath.Base(path)
}

// An input is one of the given paths. It is opened as given, because taking out ".."
// could name another file where a link comes before it.
type input struct {
	path string
	name string // absolute, without the root; "" for the root itself
}

// resolve finds the names of the paths under the root.
func resolve(paths []string, root string) ([]input, error) {
	if len(paths) == 0 {
		return nil, errors.New("no files given")
	}
	if root == "" {
		root = "/"
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	inputs := make([]input, len(paths))
	for i, path := range paths {
		if path == "" {
			return nil, errors.New("an empty path given, want a file or directory")
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		name, ok := under(abs, root)
		if !ok {
			return nil, fmt.Errorf("%q is not under the root %q", path, root)
		}
		inputs[i] = input{path, name}
	}
	return inputs, nil
}

// under returns an absolute path as seen from root.
func under(path, root string) (string, bool) {
	if root == "/" {
		return strings.TrimSuffix(path, "/"), true
	}
	name, ok := strings.CutPrefix(path, root)
	return name, ok && (name == "" || name[0] == '/')
}

// run starts the walk and the workers, and yields the entries in order.
func run(ctx context.Context, in parsers.Input, inputs []input, yield func(*parsers.Entry, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	p := newPipeline()
	defer p.stop()
	defer cancel()

	workers := in.Jobs
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for range workers {
		group.Go(func() { p.work(ctx, in.Algorithm, in.Attributes) })
	}
	group.Go(func() {
		w := walker{ctx: ctx, pipeline: p, keep: in.Select, entry: parsers.Entry{Type: in.Type, Algorithm: in.Algorithm}}
		w.walkAll(inputs)
		p.end()
	})

	done := 0
	var entry parsers.Entry
	for job := range p.order {
		<-job.done
		if job.err != nil {
			yield(nil, job.err)
			return
		}
		entry = parsers.Entry{Type: in.Type, Algorithm: in.Algorithm} // users may have changed it
		job.fill(&entry)
		entry.Digest = job.digest[:in.Algorithm.Size()]
		entry.CapsValue, entry.LabelValue = job.caps, job.label
		entry.Known |= in.Attributes
		if !yield(&entry, nil) {
			return
		}
		p.free <- job
		if done++; in.Progress != nil && done%progressStep == 0 {
			in.Progress(done)
		}
	}
	if err := ctx.Err(); err != nil {
		yield(nil, err)
	}
}

// progressStep is how many files lie between two reports.
const progressStep = 64
