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
	if state != Nothing {
		return atomicfile.WriteAs(temp, path, []byte(state+"\n"), 0o644)
	}
	if err := errors.Join(ignoreMissing(os.Remove(temp)), ignoreMissing(os.Remove(path))); err != nil {
		return err
	}
	return atomicfile.SyncDir(root.Path("/"))
}
