package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"digestlists/attest"
	"digestlists/internal/command"
	"digestlists/internal/progress"

	"github.com/urfave/cli/v2"
)

// failed is the verdict on a machine whose evidence cannot be read.
const failed = "failed"

// machineLine is what is printed for a machine.
type machineLine struct {
	Machine string         `json:"machine"`
	Verdict string         `json:"verdict"`
	Error   string         `json:"error,omitempty"`
	Report  *attest.Report `json:"report,omitempty"`
}

// attestBatch verifies many machines with the same references.
func attestBatch(c *cli.Context) error {
	if err := refuseFlags(c, machineFlags(), "is for one machine, not for --batch"); err != nil {
		return err
	}
	if err := refuseNames(c, "is not for --batch", append(listFlags, "verbose")...); err != nil {
		return err
	}
	options, err := attestOptions(c)
	if err != nil {
		return err
	}
	if options.References, err = readReferences(c, options.Keys, options.Now); err != nil {
		return err
	}
	b := &batch{
		options: options, unquoted: c.Bool("unquoted"), allowWeak: c.Bool("allow-weak"),
		from: c.String("from-state"), save: c.String("save-state"),
	}
	jobs := c.Int("jobs")
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	line := progress.Start(c.App.ErrWriter, "machines")
	defer line.Stop()
	return b.run(folders(c.String("batch")), jobs, c.App.Writer, line)
}

// folders yields the folders of machines: those in dir by name, or for "-" the lines of
// standard input.
func folders(dir string) iter.Seq2[string, error] {
	if dir == "-" {
		return folderLines(os.Stdin)
	}
	return func(yield func(string, error) bool) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			yield("", err)
			return
		}
		for _, e := range entries {
			if e.IsDir() && !yield(filepath.Join(dir, e.Name()), nil) {
				return
			}
		}
	}
}

func folderLines(r io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		lines := bufio.NewScanner(r)
		seen := map[string]bool{}
		for number := 1; lines.Scan(); number++ {
			name := filepath.Base(lines.Text())
			if lines.Text() == "" || seen[name] {
				yield("", fmt.Errorf("standard input: line %d: %q, want the folder of a machine of another name", number, lines.Text()))
				return
			}
			seen[name] = true
			if !yield(lines.Text(), nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield("", fmt.Errorf("standard input: %w", err))
		}
	}
}

// batch is what all machines have in common.
type batch struct {
	options             attest.Options
	unquoted, allowWeak bool
	from, save          string // folders of states
}

// task is a machine, and where its line will come.
type task struct {
	dir  string
	line chan machineLine
}

// run prints the lines in the order of the machines, whoever is done first. It is never
// further ahead of the line that is printed next than twice the number of workers.
func (b *batch) run(dirs iter.Seq2[string, error], jobs int, w io.Writer, progress *progress.Line) error {
	work, ordered := make(chan task), make(chan task, 2*jobs)
	stop := make(chan struct{})
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() {
			for t := range work {
				t.line <- b.verify(t.dir)
			}
		})
	}
	var listErr error
	go func() {
		defer close(ordered)
		defer close(work)
		listErr = hand(dirs, work, ordered, stop)
	}()
	counts, err := printLines(ordered, w, progress)
	close(stop)
	for range ordered { // until nothing more is handed out
	}
	workers.Wait()
	if err = errors.Join(err, listErr); err != nil {
		return err
	}
	return counts.result()
}

// hand gives out the machines until the end, an error, or stop.
func hand(dirs iter.Seq2[string, error], work, ordered chan<- task, stop <-chan struct{}) error {
	for dir, err := range dirs {
		if err != nil {
			return err
		}
		t := task{dir, make(chan machineLine, 1)}
		select {
		case work <- t:
			ordered <- t
		case <-stop:
			return nil
		}
	}
	return nil
}

func printLines(ordered <-chan task, w io.Writer, progress *progress.Line) (verdicts, error) {
	counts := verdicts{}
	encoder := json.NewEncoder(w)
	for t := range ordered {
		line := <-t.line
		counts[line.Verdict]++
		progress.Add(1)
		if err := encoder.Encode(line); err != nil {
			return counts, err
		}
	}
	return counts, nil
}

// verdicts counts machines.
type verdicts map[string]int

// result is nil if all machines are trusted.
func (v verdicts) result() error {
	all := 0
	for _, n := range v {
		all += n
	}
	switch good := v[string(attest.Trusted)]; {
	case all == 0:
		return command.WithCode(command.ExitNothing, errors.New("no machine to verify"))
	case v[string(attest.Nothing)] == all:
		return command.WithCode(command.ExitNothing, errors.New("there is nothing to compare any machine with"))
	case good < all:
		return command.WithCode(command.ExitFailed, fmt.Errorf("%d of %d machines are trusted; %d are not, of %d there is nothing to compare with, %d failed",
			good, all, v[string(attest.NotTrusted)], v[string(attest.Nothing)], v[failed]))
	}
	return nil
}

func (b *batch) verify(dir string) machineLine {
	line := machineLine{Machine: filepath.Base(dir)}
	report, err := b.report(dir)
	if err != nil {
		line.Verdict, line.Error = failed, err.Error()
		return line
	}
	line.Verdict, line.Report = string(report.Verdict), report
	return line
}

func (b *batch) report(dir string) (*attest.Report, error) {
	m, err := machineInFolder(dir, b.unquoted)
	if err != nil {
		return nil, err
	}
	m.allowWeak = b.allowWeak
	options := b.options
	state := filepath.Base(dir) + ".json"
	if b.from != "" {
		options.From, err = readState(filepath.Join(b.from, state))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // a machine may be new
			return nil, err
		}
	}
	evidence, err := m.evidence()
	if err != nil {
		return refused(err)
	}
	report, err := attest.Verify(evidence, options)
	if err == nil && report.State() != nil {
		err = writeState(filepath.Join(b.save, state), report.State())
	}
	return report, err
}
