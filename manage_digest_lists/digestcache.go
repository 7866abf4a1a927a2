package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/internal/command"
	"digestlists/internal/digestcache"
	"digestlists/internal/filesig"
	"digestlists/internal/inroot"
	"digestlists/internal/listdir"
	"digestlists/internal/xattr"
	"digestlists/parsers/imalog"
)

// cacheFolder returns the path of the folder of the Integrity Digest Cache.
func (j *job) cacheFolder() string {
	if j.IsSet("cache") {
		return j.String("cache")
	}
	return filepath.Join(j.root(), digestcache.Default)
}

// cacheLists returns the lists of the folder, or the one of -f.
func (j *job) cacheLists() ([]digestcache.List, error) {
	folder := j.cacheFolder()
	lists, err := digestcache.Read(folder)
	if err != nil {
		return nil, err
	}
	if j.IsSet("file") {
		lists = slices.DeleteFunc(lists, func(l digestcache.List) bool { return l.String() != j.String("file") })
	}
	if len(lists) == 0 {
		return nil, command.WithCode(command.ExitNothing, fmt.Errorf("%s: no list called [SEQUENCE-]tlv-NAME or [SEQUENCE-]rpm-NAME", folder))
	}
	return lists, nil
}

// addCacheXattrs names the list of each file in its security.digest_list.
func addCacheXattrs(j *job) error {
	lists, err := j.cacheLists()
	if err != nil {
		return err
	}
	return j.markFiles(lists)
}

func (j *job) markFiles(lists []digestcache.List) error {
	if !j.Bool("dry-run") {
		if err := xattr.Set(j.cacheFolder(), digestcache.PrefetchAttribute, digestcache.Prefetch); err != nil {
			return err
		}
	}
	out := newOutcome(j, filesig.Applied, filesig.Present, filesig.Ghost, filesig.Changed, filesig.Missing)
	out.nothing = "no file is there that a list has a path of"
	return j.cacheFiles(out, func(ctx context.Context, r *filesig.Runner) resultSequence {
		return r.Mark(ctx, digestcache.ListAttribute, firstOf(j.listed(lists)))
	})
}

// removeCacheXattrs takes the name of its list away from each file again.
func removeCacheXattrs(j *job) error {
	lists, err := j.cacheLists()
	if err != nil {
		return err
	}
	if !j.IsSet("file") && !j.Bool("dry-run") {
		if err := xattr.Remove(j.cacheFolder(), digestcache.PrefetchAttribute); err != nil && !errors.Is(err, xattr.ErrAbsent) {
			return err
		}
	}
	out := newOutcome(j, filesig.Removed, filesig.None, filesig.Other, filesig.Missing)
	out.nothing = "no file has the name of one of the lists"
	ours := func(f *filesig.File, value []byte) bool {
		name, ok := digestcache.ParseName(strings.TrimSuffix(string(value), "\x00"))
		want, _ := digestcache.ParseName(string(f.Signature))
		return ok && name.Same(want)
	}
	return j.cacheFiles(out, func(ctx context.Context, r *filesig.Runner) resultSequence {
		return r.Unmark(ctx, digestcache.ListAttribute, ours, j.listed(lists))
	})
}

func (j *job) cacheFiles(out *outcome, start func(context.Context, *filesig.Runner) resultSequence) error {
	root, err := inroot.Open(j.root())
	if err != nil {
		return err
	}
	defer root.Close()
	return j.collectFrom(out, root, nil, start)
}

// listed yields the files of lists, with the name of the list as the value to write. A list
// with a fault is reported, and nothing of it counts.
func (j *job) listed(lists []digestcache.List) fileSequence {
	return func(yield func(*filesig.File, error) bool) {
		for _, l := range lists {
			all, err := filesOf(l)
			if err != nil {
				j.Fail(l.String(), err)
			}
			for i := range all {
				if !yield(&all[i], nil) {
					return
				}
			}
		}
	}
}

// firstOf passes over a file that an earlier list has with the same content: it can name one.
func firstOf(all fileSequence) fileSequence {
	return func(yield func(*filesig.File, error) bool) {
		seen := make(map[[sha256.Size]byte]bool)
		for f, err := range all {
			key := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s", f.Path, f.Digest))
			if seen[key] {
				continue
			}
			if seen[key] = true; !yield(f, err) {
				return
			}
		}
	}
}

func filesOf(l digestcache.List) ([]filesig.File, error) {
	var all []filesig.File
	name := []byte(l.String())
	for e, err := range l.Entries() {
		if err != nil {
			return nil, err
		}
		all = append(all, filesig.File{Path: e.Path, Digest: slices.Clone(e.Digest), Algorithm: e.Algorithm, Flags: e.Flags, Signature: name})
	}
	return all, nil
}

// addSequence numbers the lists in the order in which a machine has measured them; those that
// it has not come after.
func addSequence(j *job) error {
	lists, err := j.cacheLists()
	if err != nil {
		return err
	}
	if !j.IsSet("input") {
		return command.Usagef("add-seqnum needs a measurement list (-i)")
	}
	order, err := j.measuredLists()
	if err != nil {
		return err
	}
	rank := func(l digestcache.List) int {
		if at := slices.IndexFunc(order, l.Same); at >= 0 {
			return at
		}
		return len(order)
	}
	slices.SortStableFunc(lists, func(a, b digestcache.List) int { return rank(a) - rank(b) })
	if rank(lists[0]) == len(order) {
		return command.WithCode(command.ExitNothing, fmt.Errorf("none of the lists of %s was measured", j.cacheFolder()))
	}
	before := slices.Clone(lists)
	if err := digestcache.Number(lists, j.Bool("dry-run")); err != nil {
		return err
	}
	var said error
	for i, l := range lists {
		if before[i].Name != l.Name {
			said = errors.Join(said, j.sayRename(listdir.Rename{From: before[i].String(), To: l.String()}))
		}
	}
	return errors.Join(j.markFiles(lists), said)
}

func (j *job) sayRename(r listdir.Rename) error {
	if j.Bool("json") {
		return json.NewEncoder(j.App.Writer).Encode(r)
	}
	_, err := fmt.Fprintf(j.App.Writer, "rename %s %s\n", r.From, r.To)
	return err
}

// measuredLists returns the lists of the folder that the measurement lists of -i have, in
// their order. Their numbers may be older ones: of before a run that was killed.
func (j *job) measuredLists() ([]digestcache.Name, error) {
	folder := path.Clean("/" + strings.TrimPrefix(j.cacheFolder(), strings.TrimSuffix(j.root(), "/")))
	var names []digestcache.Name
	for _, input := range j.StringSlice("input") {
		f, err := os.Open(input)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r := imalog.NewReader(f)
		for {
			m, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", input, err)
			}
			dir, base := path.Split(m.Name())
			if name, ok := digestcache.ParseName(base); ok && path.Clean(dir) == folder && !slices.ContainsFunc(names, name.Same) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}
