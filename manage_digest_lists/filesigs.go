package main

import (
	"context"
	"errors"
	"iter"
	"os/signal"
	"time"

	"digestlists/internal/command"
	"digestlists/internal/filesig"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/progress"
	"digestlists/parsers"
	"digestlists/parsers/rpmdb"
	"digestlists/parsers/rpmpkg"

	"golang.org/x/sys/unix"
)

type (
	fileSequence   = iter.Seq2[*filesig.File, error]
	resultSequence = iter.Seq2[*filesig.Result, error]
)

// applySignatures writes the signatures that packages carry for their files to
// security.ima.
func applySignatures(j *job) error {
	out := newOutcome(j, filesig.Applied, filesig.Present, filesig.None, filesig.Config, filesig.Ghost, filesig.Changed, filesig.Missing)
	out.nothing = "no package has a signature of a file that is to be signed"
	return j.eachFile(out, func(ctx context.Context, r *filesig.Runner) resultSequence {
		if j.IsSet("input") {
			in := j.packages()
			in.Paths = j.StringSlice("input")
			return r.Apply(ctx, filesig.Packaged(ctx, rpmpkg.Source{}, in))
		}
		return r.Apply(ctx, j.installed(ctx))
	})
}

// checkSignatures verifies security.ima of files.
func checkSignatures(j *job) error {
	out := newOutcome(j, filesig.Signed, filesig.HashOnly, filesig.None, filesig.Missing)
	out.nothing = "no file has a signature to check"
	return j.eachFile(out, func(ctx context.Context, r *filesig.Runner) resultSequence {
		if j.IsSet("input") {
			return r.Check(ctx, filesig.Tree(r.Root, j.StringSlice("input")))
		}
		return r.Check(ctx, j.installed(ctx))
	})
}

func (j *job) packages() parsers.Input {
	return parsers.Input{Root: j.root(), DB: j.String("db"), Jobs: j.Int("jobs"), Generation: parsers.Gen039}
}

// installed yields the files of the packages in the database.
func (j *job) installed(ctx context.Context) fileSequence {
	return filesig.Packaged(ctx, rpmdb.Source{}, j.packages())
}

// eachFile goes through files with the keys of --cert and reports what came of them.
func (j *job) eachFile(out *outcome, start func(context.Context, *filesig.Runner) resultSequence) error {
	if j.IsSet("input") && j.IsSet("db") {
		return command.Usagef("-i and --db: the files are those of one of them")
	}
	root, err := inroot.Open(j.root())
	if err != nil {
		return err
	}
	defer root.Close()
	keys, err := certificates(root, j.StringSlice("cert"))
	if err != nil {
		return err
	}
	return j.collectFrom(out, root, keys, start)
}

// collectFrom goes through files and reports what came of them.
func (j *job) collectFrom(out *outcome, root *inroot.Root, keys *imasig.Keyring, start func(context.Context, *filesig.Runner) resultSequence) error {
	ctx, stop := signal.NotifyContext(j.Context.Context, unix.SIGINT, unix.SIGTERM)
	defer stop()
	r := &filesig.Runner{Root: root, Keys: keys, Now: time.Now(), Jobs: j.Int("jobs"), DryRun: j.Bool("dry-run")}
	if err := errors.Join(out.collect(ctx, start(ctx, r)), out.Flush()); err != nil {
		return err
	}
	return out.finish()
}

// collect adds the results to the outcome.
func (o *outcome) collect(ctx context.Context, results resultSequence) error {
	line := progress.Start(o.App.ErrWriter, "files")
	defer line.Stop()
	for res, err := range results {
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if err == nil {
			err = o.add(res)
		}
		if err != nil {
			return err
		}
		line.Add(1)
	}
	return nil
}
