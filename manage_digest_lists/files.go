package main

import (
	"errors"
	"fmt"
	"os/signal"

	"digestlists/internal/command"
	"digestlists/internal/evm"
	"digestlists/internal/filemeta"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/progress"
	"digestlists/parsers"

	"golang.org/x/sys/unix"
)

// infoflowName is an attribute of a module that the C tools could set.
const infoflowName = "security.infoflow"

// checkMeta compares files with what lists say of them.
func checkMeta(j *job) error {
	return j.withDescriber(&filemeta.Runner{}, (*describer).metaWants)
}

// repairMeta makes files as lists say.
func repairMeta(j *job) error {
	return j.withDescriber(&filemeta.Runner{Repair: true}, (*describer).metaWants)
}

func addIMAXattr(j *job) error {
	return j.withDescriber(&filemeta.Runner{Repair: true}, (*describer).imaWants)
}

func addEVMXattr(j *job) error {
	return j.withDescriber(&filemeta.Runner{Repair: true}, (*describer).evmWants)
}

func (j *job) withDescriber(r *filemeta.Runner, wants func(*describer, listdir.List, *parsers.Entry) (filemeta.Want, bool, error)) error {
	d, err := j.describer()
	if err != nil {
		return err
	}
	return j.withFiles(r, func(list listdir.List, e *parsers.Entry) (filemeta.Want, bool, error) { return wants(d, list, e) })
}

func rmIMAXattr(j *job) error { return j.removeAttr(imasig.AttributeName) }

func rmEVMXattr(j *job) error { return j.removeAttr(evm.AttributeName) }

func rmInfoflowXattr(j *job) error { return j.removeAttr(infoflowName) }

func (j *job) removeAttr(name string) error {
	return j.withFiles(&filemeta.Runner{Repair: true, Touch: true}, withoutAttr(name))
}

// withFiles goes through the files of the root that the lists name.
func (j *job) withFiles(r *filemeta.Runner, wanted wanter) error {
	l, root, err := j.openListsAndRoot()
	if err != nil {
		return err
	}
	defer l.Close()
	defer root.Close()
	r.Open = filemeta.InRoot(root)
	files := j.wants(l, wanted)
	if len(files) == 0 {
		if j.Failures > 0 {
			return nil
		}
		return command.WithCode(command.ExitNothing, fmt.Errorf("%s: no list says such a thing of a file that it names", l.Path))
	}
	return j.runFiles(r, files)
}

// runFiles goes through files and reports what came of them.
func (j *job) runFiles(r *filemeta.Runner, files []filemeta.File) error {
	r.Jobs, r.DryRun = j.Int("jobs"), j.Bool("dry-run")
	ctx, stop := signal.NotifyContext(j.Context.Context, unix.SIGINT, unix.SIGTERM)
	defer stop()
	line := progress.Start(j.App.ErrWriter, "files")
	results, err := r.Run(ctx, files, func() { line.Add(1) })
	line.Stop()
	if err != nil {
		return err
	}
	if len(results) > 0 && missing(results) == len(results) {
		return command.WithHint(
			command.WithCode(command.ExitNothing, fmt.Errorf("%s: none of the %d files of the lists is there", j.root(), len(results))),
			"--root names the root of the system that the lists are of")
	}
	out := &metaOutcome{job: j, Runner: r}
	return errors.Join(out.report(results), out.finish())
}

func missing(results []filemeta.Result) (n int) {
	for i := range results {
		if results[i].Status == filemeta.Missing {
			n++
		}
	}
	return n
}
