package main

import (
	"context"
	"fmt"
	"slices"

	"digestlists/internal/command"
	"digestlists/internal/evm"
	"digestlists/internal/filemeta"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/parsers"
)

// noteTarget notes that a file is to get the attributes of -i x:.
func (r *request) noteTarget(e *parsers.Entry) {
	var attrs []filemeta.Attr
	if r.letters.setIMA {
		attrs = append(attrs, r.imaAttr(e))
	}
	if r.letters.setEVM {
		attrs = append(attrs, filemeta.Attr{Name: evm.AttributeName, Value: evm.ListedValue(e.Algorithm)})
	}
	if attrs != nil {
		want := filemeta.Want{Algorithm: e.Algorithm, Digest: slices.Clone(e.Digest), Attrs: attrs}
		r.targets = append(r.targets, filemeta.File{Path: e.Path, Wants: []filemeta.Want{want}})
	}
}

// imaAttr is a security.ima with the digest that the list has or, of a file that is there
// to be hashed, one in the algorithm that is asked for.
func (r *request) imaAttr(e *parsers.Entry) filemeta.Attr {
	if isPackageFormat(r.format) || r.imaAlgorithm == e.Algorithm {
		return filemeta.Attr{Name: imasig.AttributeName, Value: imasig.MarshalDigest(e.Algorithm, e.Digest)}
	}
	return filemeta.Attr{Name: imasig.AttributeName, Hash: &r.imaAlgorithm}
}

// setAttributes sets what was noted, now that the lists are in place. Files with another
// content than the listed one are left alone.
func (r *request) setAttributes(ctx context.Context) error {
	if len(r.targets) == 0 || r.dryRun {
		return nil
	}
	root, err := inroot.Open(r.root)
	if err != nil {
		return err
	}
	defer root.Close()
	runner := &filemeta.Runner{Open: filemeta.InRoot(root), Jobs: r.jobs, Repair: true}
	results, err := runner.Run(ctx, r.targets, func() {})
	if err != nil {
		return err
	}
	return r.judgeAttributes(results)
}

func (r *request) judgeAttributes(results []filemeta.Result) (err error) {
	var set, missing, changed, failed int
	for i := range results {
		switch result := &results[i]; result.Status {
		case filemeta.Good, filemeta.Repaired:
			set++
		case filemeta.Missing:
			missing++
		case filemeta.Changed:
			changed++
		default:
			failed++
			if err == nil {
				err = result.Err
			}
		}
	}
	if missing+changed > 0 {
		r.warn("attributes of %d files set; left alone: %d that are not there, %d with another content", set, missing, changed)
	}
	if failed > 0 {
		return command.WithCode(command.ExitFailed, fmt.Errorf("the lists are in place, but %d of %d files did not get their attributes: %w", failed, len(results), err))
	}
	return nil
}
