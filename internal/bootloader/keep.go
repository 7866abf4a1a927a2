package bootloader

import (
	"bytes"
	"errors"
	"os"
)

// A kept file is one as it was before a change.
type kept struct {
	path    string
	content []byte // nil if there was none
	mode    os.FileMode
}

func keep(paths []string) (all []kept, err error) {
	for _, path := range paths {
		k := kept{path: path}
		info, err := os.Stat(path)
		if err == nil {
			k.mode = info.Mode().Perm()
			k.content, err = os.ReadFile(path)
		}
		if notThere(err) != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

// restore makes those files again what they were that have changed.
func restore(all []kept) error {
	var failed error
	for _, k := range all {
		now, err := os.ReadFile(k.path)
		switch {
		case notThere(err) != nil:
		case k.content == nil:
			err = notThere(os.Remove(k.path))
		case err != nil || !bytes.Equal(now, k.content):
			err = write(k.path, string(k.content), k.mode)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}
