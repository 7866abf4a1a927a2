package mutable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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

// WriteState changes the state of a system, for good when it returns.
func WriteState(root *inroot.Root, state State) error {
	path := root.Path(StateFile)
	var err error
	if state == Nothing {
		if err = os.Remove(path); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	} else {
		err = atomicfile.Write(path, 0o644, func(w io.Writer) error {
			_, err := fmt.Fprintln(w, state)
			return err
		})
	}
	if err != nil {
		return err
	}
	return syncDir(root.Path("/"))
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
