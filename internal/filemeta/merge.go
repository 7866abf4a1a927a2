package filemeta

import (
	"slices"

	"digestlists/internal/evm"
	"digestlists/internal/imasig"
)

// merged is what several lists want of a file together. Where they contradict each other,
// those count that the kernel can find the metadata in; of these, one that the file agrees
// with, or the first.
func (t *target) merged(wants []Want) (Want, error) {
	found := slices.DeleteFunc(slices.Clone(wants), func(w Want) bool { return w.MetaDigest == nil })
	if len(found) == 0 {
		found = wants
	}
	all := found[0]
	if len(wants) == 1 {
		return all, nil
	}
	for _, want := range found {
		agrees, err := t.agrees(want)
		if err != nil {
			return all, err
		}
		if agrees {
			all = want
			break
		}
	}
	for _, want := range wants {
		all.add(&want)
	}
	return all, nil
}

// agrees reports whether the metadata of a file are as wanted, but for a security.evm.
func (t *target) agrees(want Want) (bool, error) {
	if err := t.read(&want); err != nil {
		return false, err
	}
	want, err := t.hashed(want)
	if err != nil {
		return false, err
	}
	if want, err = t.otherAlgorithm(want); err != nil {
		return false, err
	}
	t.note(&want)
	differs := slices.ContainsFunc(t.differences, func(d Difference) bool { return d.Attribute != evm.AttributeName })
	t.differences = nil
	off, err := t.offDigest(&want, false)
	return !differs && off == nil, err
}

// otherAlgorithm keeps a security.ima in another algorithm than that of the list, if it is
// the one that the list's digest of the metadata is over.
func (t *target) otherAlgorithm(want Want) (Want, error) {
	i := slices.IndexFunc(want.Attrs, func(a Attr) bool { return a.Name == imasig.AttributeName })
	if want.MetaDigest == nil || i < 0 || want.Attrs[i].does(t.attrs[imasig.AttributeName]) {
		return want, nil
	}
	kept := want
	kept.Attrs = slices.Clone(want.Attrs)
	kept.Attrs[i].Value = t.attrs[imasig.AttributeName]
	if off, err := t.offDigest(&kept, true); err != nil || off != nil {
		return want, err
	}
	return kept, nil
}

// add adds what another list wants, as far as nothing is wanted of it yet.
func (w *Want) add(other *Want) {
	w.Config = (w.Config || w.Ghost) && (other.Config || other.Ghost)
	w.Ghost = false
	if !w.HasMode {
		w.HasMode, w.Mode = other.HasMode, other.Mode
	}
	if !w.HasOwner {
		w.HasOwner, w.UID, w.GID = other.HasOwner, other.UID, other.GID
	}
	w.Attrs = slices.Clip(w.Attrs)
	for _, a := range other.Attrs {
		if !slices.ContainsFunc(w.Attrs, func(b Attr) bool { return b.Name == a.Name }) {
			w.Attrs = append(w.Attrs, a)
		}
	}
}
