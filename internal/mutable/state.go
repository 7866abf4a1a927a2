package mutable

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"digestlists/internal/atomicfile"
	"digestlists/internal/inroot"
	"digestlists/internal/regular"

	"golang.org/x/sys/unix"
)

// StateFile says what is to be done at the next boot.
const StateFile = "/.digestlist_state"

// A State is the content of the state file.
type State string

// The states.
const (
	Nothing State = "" // there is no state file
	Update  State = "update"
	Replace State = "replace"
)

// maxState bounds the state file, in bytes.
const maxState = 64

// ReadState reads the state of a system.
func ReadState(root *inroot.Root) (State, error) {
	path := root.Path(StateFile)
	content, err := regular.ReadFile(path, unix.O_NOFOLLOW, maxState)
	if errors.Is(err, fs.ErrNotExist) {
		return Nothing, nil
	}
	if err != nil {
		return Nothing, err
	}
	switch state := State(bytes.TrimSpace(content)); state {
	case Update, Replace:
		return state, nil
	default:
		return Nothing, fmt.Errorf("%s: %q, want %s or %s", path, state, Update, Replace)
	}
}

// stateTemp is where a new state is written. It always has the same name, so that what a
// killed run left is used up.
const stateTemp = StateFile + ".new"

// WriteState changes the state of a system, for good when it returns.
func WriteState(root *inroot.Root, state State) error {
	path, temp := root.Path(StateFile), root.Path(stateTemp)
	if err := ignoreMissing(os.Remove(temp)); err != nil {
		return err
	}
	var err error
	if state == Nothing {
		err = ignoreMissing(os.Remove(path))
	} else if err = writeSynced(temp, string(state)+"\n"); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(os.Remove(temp)))
	}
	return atomicfile.SyncDir(root.Path("/"))
}

func writeSynced(path, content string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
