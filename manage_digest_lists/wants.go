package main

import (
	"bytes"
	"fmt"
	"strings"

	"digestlists/compact"
	"digestlists/internal/capability"
	"digestlists/internal/evm"
	"digestlists/internal/filemeta"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/selinux"
	"digestlists/parsers"
)

// A wanter says what an entry of a list wants of a file. ok is false where it wants nothing.
type wanter func(list listdir.List, e *parsers.Entry) (want filemeta.Want, ok bool, err error)

// metaWants wants all that the list says. The metadata of lists of that type are found by
// the kernel only with a digest in security.ima, and if security.evm sends it there.
func (d *describer) metaWants(list listdir.List, e *parsers.Entry) (want filemeta.Want, ok bool, err error) {
	if e.Known&parsers.FieldMode != 0 {
		want.HasMode, want.Mode = true, e.Mode
	}
	if e.Known&(parsers.FieldIDs|parsers.FieldNames) != 0 {
		want.HasOwner = true
		if want.UID, want.GID, err = d.ids(e); err != nil {
			return want, false, err
		}
	}
	if e.Known&parsers.FieldLabel != 0 {
		label, err := d.label(e)
		if err != nil {
			return want, false, err
		}
		want.Attrs = append(want.Attrs, filemeta.Attr{Name: selinux.AttributeName, Value: label})
	}
	// Lists that tell the mode tell capabilities, too, of the few files that have any.
	if want.HasMode || e.Caps != "" {
		caps, err := encodeCaps(e.Caps)
		if err != nil {
			return want, false, err
		}
		want.Attrs = append(want.Attrs, filemeta.Attr{Name: capability.AttributeName, Value: caps})
	}
	if list.Type == compact.TypeMetadata {
		want.Attrs = append(want.Attrs, d.digestAttr(e))
		digest, err := d.digest(e)
		if err != nil {
			return want, false, err
		}
		if digest != nil {
			want.Attrs = append(want.Attrs, listedAttr(e.Algorithm))
			want.MetaDigest = bytes.Clone(digest)
		}
	}
	want.Config, want.Ghost = e.Flags&parsers.FlagConfig != 0, e.Flags&parsers.FlagGhost != 0
	return want, want.HasMode || want.HasOwner || want.Attrs != nil, nil
}

// digestAttr is a security.ima with the digest of the content, in the algorithm of
// --algorithm or of the list.
func (d *describer) digestAttr(e *parsers.Entry) filemeta.Attr {
	if d.ima != nil && *d.ima != e.Algorithm {
		return filemeta.Attr{Name: imasig.AttributeName, Hash: d.ima, Content: true}
	}
	return filemeta.Attr{Name: imasig.AttributeName, Value: imasig.MarshalDigest(e.Algorithm, e.Digest), Content: true}
}

// listedAttr is a security.evm that sends the kernel to the lists. A signature, or the
// machine's own hash, are as good.
func listedAttr(a compact.Algorithm) filemeta.Attr {
	other := func(value []byte) bool {
		attribute, err := evm.Parse(value)
		return err == nil && attribute.Kind != evm.Listed
	}
	return filemeta.Attr{Name: evm.AttributeName, Value: evm.ListedValue(a), Content: true, Instead: other}
}

// imaWants wants a digest in security.ima, or a signature.
func (d *describer) imaWants(_ listdir.List, e *parsers.Entry) (want filemeta.Want, ok bool, err error) {
	attr := d.digestAttr(e)
	attr.Instead = isSignature
	want.Attrs = []filemeta.Attr{attr}
	return want, true, nil
}

// evmWants wants a security.evm of files whose metadata are those of the list.
func (d *describer) evmWants(_ listdir.List, e *parsers.Entry) (want filemeta.Want, ok bool, err error) {
	if want.MetaDigest, err = d.digest(e); err != nil || want.MetaDigest == nil {
		return want, false, err
	}
	want.MetaDigest = bytes.Clone(want.MetaDigest)
	want.Attrs = []filemeta.Attr{listedAttr(e.Algorithm)}
	return want, true, nil
}

// withoutAttr wants an attribute to be gone.
func withoutAttr(name string) wanter {
	return func(listdir.List, *parsers.Entry) (want filemeta.Want, ok bool, err error) {
		want.Attrs = []filemeta.Attr{{Name: name}}
		return want, true, nil
	}
}

// wants returns the files that the lists name, each once, in the order of the lists.
func (j *job) wants(l *lists, wanted wanter) []filemeta.File {
	var all []filemeta.File
	index := make(map[string]int)
	for _, list := range l.Lists {
		if list.Type == compact.TypeKey {
			continue
		}
		err := j.wantsOf(l, list, wanted, func(path string, want filemeta.Want) {
			at, ok := index[path]
			if !ok {
				at = len(all)
				index[path] = at
				all = append(all, filemeta.File{Path: path})
			}
			all[at].Wants = append(all[at].Wants, want)
		})
		if err != nil {
			j.Fail(list.File, err)
		}
	}
	return all
}

func (j *job) wantsOf(l *lists, list listdir.List, wanted wanter, take func(string, filemeta.Want)) error {
	nameless := 0
	for e, err := range l.entries(list, parsers.Options{Want: everything}) {
		if err != nil {
			return err
		}
		if e.Path == "" || onlyMetadata(list, e) {
			nameless++
			continue
		}
		want, ok, err := wanted(list, e)
		if err != nil {
			return fmt.Errorf("%q: %w", e.Path, err)
		}
		if ok {
			want.List, want.Algorithm, want.Digest = list.File, e.Algorithm, bytes.Clone(e.Digest)
			take(strings.Clone(e.Path), want)
		}
	}
	if nameless > 0 && j.Bool("verbose") {
		j.Warn("%s: %d records name no file", list.File, nameless)
	}
	return nil
}
