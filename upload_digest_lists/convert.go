package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"runtime"

	"digestlists/compact"
	"digestlists/internal/atomicfile"
	"digestlists/internal/command"
	"digestlists/internal/decode"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/parsers"
	"digestlists/parsers/compactlist"
)

// convert writes all lists as one compact list: type by type, first the compact
// lists as they are, then the digests of the others gathered in blocks.
func (u *uploader) convert(stdout io.Writer) error {
	lists := u.signed(u.parsable(u.set.Lists))
	write := func(w io.Writer) error {
		out := &countingWriter{w: w}
		buffered := bufio.NewWriterSize(out, 256<<10)
		for _, t := range compact.Types()[1:] { // a key is no digest
			if err := u.convertType(buffered, t, lists); err != nil {
				return err
			}
		}
		if err := buffered.Flush(); err != nil {
			return err
		}
		if out.n == 0 { // the kernel takes no empty list
			if err := u.Result(); err != nil {
				return err
			}
			return command.WithCode(command.ExitNothing, fmt.Errorf("%s: no digest to convert", u.path))
		}
		return nil
	}
	var err error
	if u.output == "-" {
		err = write(stdout)
	} else {
		err = atomicfile.Write(u.output, 0o644, write)
	}
	if err != nil {
		return err
	}
	return u.Result()
}

// signed leaves out the lists without the signature that they have to have.
func (u *uploader) signed(lists []listdir.List) []listdir.List {
	if u.trust == nil {
		return lists
	}
	c := &converter{uploader: u}
	var kept []listdir.List
	for _, l := range lists {
		if _, err := c.read(l); err != nil {
			u.Fail(l.File, err)
			continue
		}
		kept = append(kept, l)
	}
	return kept
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func (u *uploader) convertType(w io.Writer, t compact.Type, lists []listdir.List) error {
	var others []listdir.List
	for _, l := range lists {
		switch {
		case l.Type != t:
		case l.Format != compactlist.Format:
			others = append(others, l)
		default:
			if err := u.copyCompact(w, l); err != nil {
				return err
			}
		}
	}
	return u.gather(w, others)
}

// copyCompact copies a compact list once all of it was checked. An error is one
// of writing; those of the list are reported.
func (u *uploader) copyCompact(w io.Writer, l listdir.List) error {
	content, err := u.set.ReadInto(l.File, nil)
	if err == nil {
		content, _, _, err = imasig.SplitAppended(content)
	}
	if err == nil {
		_, err = compact.Check(bytes.NewReader(content))
	}
	if err != nil {
		u.Fail(l.File, err)
		return nil
	}
	_, err = w.Write(content)
	return err
}

// A parsed list on its way from a worker to the writer.
type parsed struct {
	runs []decode.Run
	err  error
}

// gather parses lists with several workers and writes their digests in the order
// of the lists, so that the result does not depend on the number of workers.
func (u *uploader) gather(w io.Writer, lists []listdir.List) error {
	jobs := u.jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	jobs = min(jobs, len(lists))
	// Worker k takes lists k, k+jobs, …; the writer asks the workers in turn.
	results := make([]chan parsed, jobs)
	spare := make(chan []decode.Run, 4*jobs)
	stop := make(chan struct{})
	defer close(stop)
	for k := range results {
		results[k] = make(chan parsed, 2)
		go u.parseEvery(lists, k, jobs, results[k], spare, stop)
	}
	out := compact.NewWriter(w)
	for i, l := range lists {
		p := <-results[i%jobs]
		if p.err != nil {
			u.Fail(l.File, p.err)
			continue
		}
		if err := decode.Write(out, p.runs); err != nil {
			return err
		}
		select {
		case spare <- p.runs:
		default:
		}
	}
	return out.Close()
}

func (u *uploader) parseEvery(lists []listdir.List, first, step int, results chan<- parsed, spare <-chan []decode.Run, stop <-chan struct{}) {
	// The C tool keeps digests of all zeros when it converts; so does this, since
	// converted files are compared and signed.
	opts := parsers.Options{Generation: u.generation, KeepZero: true}
	var content []byte
	for i := first; i < len(lists); i += step {
		var p parsed
		select {
		case p.runs = <-spare:
		default:
		}
		var list []byte
		if list, p.err = u.set.ReadInto(lists[i].File, content); p.err == nil {
			content = list
			p.runs, p.err = decode.Runs(decode.Entries(u.formats, lists[i].Name, list, opts), p.runs)
		}
		select {
		case results <- p:
		case <-stop:
			return
		}
	}
}
