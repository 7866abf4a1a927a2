package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/attest"
	"digestlists/compact"
	"digestlists/internal/evm"
	"digestlists/internal/hashes"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/kerneltable"
	"digestlists/internal/listdir"
	"digestlists/internal/xattr"
	"digestlists/parsers/compactlist"
	"digestlists/parsers/imalog"
)

// predict makes the entries in the order in which the kernel does: boot_aggregate, with
// --boot the lists that the kernel reads itself, the parser that it starts, and the lists
// that this one reads.
func (p *prediction) predict() error {
	if err := p.bootAggregate(); err != nil {
		return err
	}
	first, rest, err := p.order()
	if err != nil {
		return err
	}
	p.loadAll(first)
	if err := p.parser(); err != nil {
		return err
	}
	p.loadAll(rest)
	return nil
}

func (p *prediction) bootAggregate() error {
	digest := make([]byte, p.algorithm.Size())
	if p.boot != nil {
		var err error
		if digest, err = attest.MakeBootAggregate(p.algorithm, p.boot); err != nil {
			return fmt.Errorf("%s: %w", p.String("pcrs"), err)
		}
	}
	return p.measure(p.algorithm, digest, attest.BootAggregateName, nil)
}

// order returns the lists that the kernel reads at boot, and those that its parser reads.
// The file system of an initramfs has the files that were unpacked last first, and the
// makers of images pack them by name.
func (p *prediction) order() (first, rest []listdir.List, err error) {
	for _, list := range p.Lists {
		if list.Type == compact.TypeKey {
			continue
		}
		early := false
		if p.Bool("boot") && list.Format == compactlist.Format {
			if early, err = p.readByKernel(list); err != nil {
				return nil, nil, err
			}
		}
		if early {
			first = append(first, list)
		} else {
			rest = append(rest, list)
		}
	}
	slices.SortFunc(first, func(a, b listdir.List) int { return strings.Compare(b.File, a.File) })
	return first, rest, nil
}

// readByKernel reports whether a compact list has what the kernel asks for at boot.
func (p *prediction) readByKernel(list listdir.List) (bool, error) {
	value, err := p.attribute(list, evm.AttributeName)
	if err != nil || value != nil {
		return value != nil, err
	}
	value, err = p.attribute(list, imasig.AttributeName)
	return isSignature(value), err
}

// attribute returns nil where there is none.
func (p *prediction) attribute(list listdir.List, name string) ([]byte, error) {
	value, err := xattr.Get(filepath.Join(p.lists.Path, list.File), name)
	if errors.Is(err, xattr.ErrAbsent) || errors.Is(err, xattr.ErrUnsupported) {
		return nil, nil
	}
	return value, err
}

func (p *prediction) loadAll(all []listdir.List) {
	for _, list := range all {
		if err := p.load(list); err != nil {
			p.Fail(list.File, err)
		}
	}
}

// load measures a list, and loads its digests.
func (p *prediction) load(list listdir.List) error {
	content, err := p.ReadInto(list.File, nil)
	if err != nil {
		return err
	}
	signature, err := p.attribute(list, imasig.AttributeName)
	if err != nil {
		return err
	}
	algorithm, sig := p.algorithm, []byte(nil)
	if s, err := imasig.Parse(signature); err == nil {
		algorithm, sig = s.Hash, signature
	} else if a, _, err := imasig.ParseDigest(signature); err == nil {
		algorithm = a
	}
	digest, err := hashes.Sum(algorithm, content)
	if err != nil {
		return err
	}
	if err := p.measure(algorithm, digest, p.kernelPath(list), sig); err != nil {
		return err
	}
	digests, err := p.adder.encode(list)
	if err != nil || len(digests) == 0 {
		return err
	}
	return p.table.Write(kerneltable.Add, digests)
}

// kernelPath is the path of a list as the kernel sees it.
func (p *prediction) kernelPath(list listdir.List) string {
	path := filepath.Join(p.lists.Path, list.File)
	if root := p.root(); root != "/" {
		if inside, ok := strings.CutPrefix(path, root+"/"); ok {
			return "/" + inside
		}
	}
	return path
}

// parser measures the program that the kernel starts.
func (p *prediction) parser() error {
	name := p.String("parser")
	if name == "" {
		return nil
	}
	root, err := inroot.Open(p.root())
	if err != nil {
		return err
	}
	defer root.Close()
	opener := inroot.Opener{Root: root}
	defer opener.Close()
	f, err := opener.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	digest, err := hashes.SumReader(p.algorithm, f)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return p.measure(p.algorithm, digest, name, nil)
}

// measure adds an entry, unless the digest is loaded as that of a file.
func (p *prediction) measure(a compact.Algorithm, digest []byte, name string, sig []byte) error {
	for _, known := range p.table.Lookup(a, digest) {
		if known.Type == compact.TypeFile {
			return nil
		}
	}
	fields := [][]byte{imalog.DigestField(a, digest), imalog.NameField(name)}
	if p.signed {
		fields = append(fields, sig)
	}
	m, err := imalog.NewMeasurement(p.pcr, p.String("template"), fields...)
	if err == nil {
		p.measured = append(p.measured, m)
	}
	return err
}
