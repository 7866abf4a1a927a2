package main

import (
	"context"
	"iter"
	"slices"
	"sync"

	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/internal/metadata"
	"digestlists/internal/progress"
	"digestlists/parsers"
	"digestlists/parsers/tree"

	"golang.org/x/sync/errgroup"
)

// generate adds the lists of a source to the directory.
func (r *request) generate(ctx context.Context, tx *listdir.Tx, line *progress.Line) error {
	in, err := r.input(line)
	if err != nil {
		return err
	}
	src, err := r.source()
	if err != nil {
		return err
	}
	products, err := r.products(ctx, src, in, tx, line)
	if err != nil {
		return err
	}
	if r.sync.prune {
		if err := r.prune(tx, products); err != nil {
			return err
		}
	}
	return r.place(tx, products)
}

// input says what the source reads.
func (r *request) input(line *progress.Line) (parsers.Input, error) {
	in := parsers.Input{
		Paths:      r.inputs,
		Root:       r.root,
		DB:         r.db,
		Algorithm:  r.algorithm,
		Type:       r.listType,
		Modifiers:  r.listModifiers(),
		Generation: r.generation,
		Jobs:       r.jobs,
	}
	if line != nil && !isPackageFormat(r.format) {
		in.Progress = line.Set
	}
	if r.completer != nil {
		in.Attributes = parsers.FieldCaps
		if r.letters.label == metadata.FileLabels {
			in.Attributes |= parsers.FieldLabel
		}
	}
	if r.letters.filters() {
		in.Select = r.letters.selects
	}
	if r.letters.pathsFile != "" {
		paths, err := r.pathsOfFile()
		if err != nil {
			return in, err
		}
		in.Paths = append(slices.Clone(paths), in.Paths...)
	}
	if len(in.Paths) == 0 && needsInput(r.format) {
		return in, command.Usagef("-f %s needs an input (-i)", r.format)
	}
	return in, nil
}

// pathsOfFile reads the file of L:.
func (r *request) pathsOfFile() ([]string, error) {
	if !r.letters.records {
		return tree.PathsFile(r.letters.pathsFile)
	}
	reader := recordReader{algorithm: r.algorithm, owners: sync.OnceValues(r.recordOwners), warn: r.warn}
	var err error
	if r.records, err = reader.read(r.letters.pathsFile); err != nil {
		return nil, err
	}
	paths := make([]string, len(r.records))
	for i, rec := range r.records {
		paths[i] = rec.path
	}
	return paths, nil
}

// products makes the lists of a source, signs them and stages them, with several
// workers; the result is in the order of the source.
func (r *request) products(ctx context.Context, src parsers.Source, in parsers.Input, tx *listdir.Tx, line *progress.Line) ([]*product, error) {
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(r.jobs)
	present := newPresent(tx.Dir())
	var products []*product
	failed := r.batches(src.Lists(ctx, in), func(b *batch) {
		products = append(products, b.products...)
		if in.Progress == nil {
			line.Add(len(b.products))
		}
		workers.Go(func() error {
			defer b.free()
			return r.finish(ctx, b.products, present, tx)
		})
	})
	if err := workers.Wait(); err != nil {
		return nil, err // the source stopped only because of it
	}
	return products, failed
}

// batches hands over the lists of a source as products.
func (r *request) batches(lists iter.Seq2[*parsers.List, error], handOver func(*batch)) error {
	b := newBatch()
	for list, err := range lists {
		if err != nil {
			return err
		}
		if !r.letters.selectsPackage(list.Name) {
			continue
		}
		p, err := r.encode(list, b)
		if err != nil {
			return err
		}
		if p == nil {
			continue
		}
		b.add(p)
		// A signature takes longer than to hand it over, and may take seconds.
		if b.full() || r.signing.signer != nil {
			handOver(b)
			b = newBatch()
		}
	}
	handOver(b)
	return nil
}

// finish signs and stages those lists that the directory does not have.
func (r *request) finish(ctx context.Context, products []*product, present *present, tx *listdir.Tx) error {
	for _, p := range products {
		if err := ctx.Err(); err != nil {
			return err
		}
		if isPackageFormat(r.format) {
			var err error
			if p.present, err = present.find(p); err != nil {
				return err
			}
		}
		if p.present != "" || r.sync.prune && !r.sync.add {
			continue
		}
		if err := r.stage(p, tx); err != nil {
			return err
		}
	}
	return nil
}

// place gives the staged lists their positions, in order.
func (r *request) place(tx *listdir.Tx, products []*product) error {
	position := r.position
	for _, p := range products {
		if p.staged == nil {
			continue
		}
		if r.operation == opAppend {
			if _, err := tx.Append(p.name, p.staged); err != nil {
				return err
			}
			continue
		}
		p.name.Position = position
		if _, err := tx.Insert(p.name, p.staged); err != nil {
			return err
		}
		if position != listdir.Unnumbered {
			position++
		}
	}
	return nil
}

// isPackageFormat tells the sources that make one list for each package, of
// which the directory holds no second copy.
func isPackageFormat(format string) bool { return format == "rpm+db" || format == "rpm+pkg" }
