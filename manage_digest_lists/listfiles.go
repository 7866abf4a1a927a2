package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"digestlists/internal/capability"
	"digestlists/internal/command"
	"digestlists/internal/evm"
	"digestlists/internal/filemeta"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/listdir"
	"digestlists/internal/regular"
	"digestlists/internal/selinux"

	"golang.org/x/sys/unix"
)

// listMode is that of the files of lists.
const listMode = unix.S_IFREG | 0o644

// repairMetaDigestLists makes the files of the lists themselves as they should be, which
// copying a directory may have changed: owner, mode, label, and the signature that is
// kept beside a list.
func repairMetaDigestLists(j *job) error {
	l, err := j.openLists()
	if err != nil {
		return err
	}
	defer l.Close()
	dir, err := inroot.Open(l.Path)
	if err != nil {
		return err
	}
	defer dir.Close()
	policy, err := selinux.Load(j.root())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var files []filemeta.File
	for _, list := range l.Lists {
		want, err := listWant(l, list, policy)
		if err != nil {
			j.Fail(list.File, err)
			continue
		}
		files = append(files, filemeta.File{Path: list.File, Wants: []filemeta.Want{want}})
	}
	if len(l.Lists) == 0 {
		return command.WithCode(command.ExitNothing, fmt.Errorf("%s: no list", l.Path))
	}
	return j.runFiles(&filemeta.Runner{Open: filemeta.InRoot(dir), Repair: true, Touch: true}, files)
}

func listWant(l *lists, list listdir.List, policy *selinux.Policy) (filemeta.Want, error) {
	want := filemeta.Want{HasMode: true, Mode: listMode, HasOwner: true}
	want.Attrs = []filemeta.Attr{{Name: capability.AttributeName}}
	if policy != nil {
		if label := policy.Label(path.Join(listdir.Default, list.File), listMode); label != "" {
			want.Attrs = append(want.Attrs, filemeta.Attr{Name: selinux.AttributeName, Value: evm.Label(label)})
		}
	}
	signature, err := detached(filepath.Join(l.Path, list.File))
	if signature != nil {
		want.Attrs = append(want.Attrs, filemeta.Attr{Name: imasig.AttributeName, Value: signature, Instead: isSignature})
	}
	return want, err
}

// detached returns the signature that is kept in a file of its own, nil if there is none.
func detached(list string) ([]byte, error) {
	for _, name := range imasig.DetachedNames(list) {
		signature, err := regular.ReadFile(name, unix.O_NOFOLLOW, imasig.MaxSize)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			continue
		}
		if err == nil {
			_, err = imasig.Parse(signature)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return signature, nil
	}
	return nil, nil
}

// isSignature reports whether security.ima holds a signature, of whatever version.
func isSignature(value []byte) bool {
	_, err := imasig.Parse(value)
	return err == nil || errors.Is(err, imasig.ErrUnsupported)
}
