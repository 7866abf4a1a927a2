package filesig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/internal/inroot"
	"digestlists/parsers"
)

// Packaged yields the regular files that the packages of a source have a digest of.
func Packaged(ctx context.Context, src parsers.Source, in parsers.Input) iter.Seq2[*File, error] {
	return func(yield func(*File, error) bool) {
		for list, err := range src.Lists(ctx, in) {
			if err != nil {
				yield(nil, err)
				return
			}
			for e, err := range list.Entries {
				if err != nil {
					yield(nil, fmt.Errorf("%s: %w", list.Name, err))
					return
				}
				file := File{
					Path: e.Path, Digest: slices.Clone(e.Digest), Algorithm: e.Algorithm,
					Signature: slices.Clone(e.Signature), Flags: e.Flags,
				}
				if !yield(&file, nil) {
					return
				}
			}
		}
	}
}

// Tree yields the regular files at and below paths of the running system, which must be
// under the root, in the order of names. Links in these paths lead as below the root; those
// that are found on the way are passed over.
func Tree(root *inroot.Root, paths []string) iter.Seq2[*File, error] {
	return func(yield func(*File, error) bool) {
		for _, start := range paths {
			err := walk(root, start, yield)
			if errors.Is(err, errStopped) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

var errStopped = errors.New("stopped")

func walk(root *inroot.Root, start string, yield func(*File, error) bool) error {
	abs, err := filepath.Abs(start)
	if err != nil {
		return err
	}
	below := strings.TrimSuffix(root.Path("/"), "/")
	if abs != below && !strings.HasPrefix(abs, below+"/") {
		return fmt.Errorf("%q is not under the root %q", start, root.Path("/"))
	}
	real, err := root.Real(abs[len(below):])
	if err != nil {
		return fmt.Errorf("%q: %w", start, err)
	}
	first := root.Path(real)
	return filepath.WalkDir(first, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == first && !d.IsDir() && !d.Type().IsRegular():
			return fmt.Errorf("%q: not a regular file or a directory", start)
		case d.Type().IsRegular() && !yield(&File{Path: path[len(below):]}, nil):
			return errStopped
		}
		return nil
	})
}
