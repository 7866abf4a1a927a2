package main

import (
	"encoding/json"
	"fmt"
	"io"

	"digestlists/attest"
	"digestlists/internal/atomicfile"
	"digestlists/internal/regular"
)

// maxState bounds a state, in bytes: one of a machine with a million unknown files has half of it.
const maxState = 1 << 30

func readState(path string) (*attest.State, error) {
	data, err := regular.ReadFile(path, 0, maxState)
	if err != nil {
		return nil, err
	}
	state, err := attest.ParseState(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return state, nil
}

// writeState keeps others from reading what a machine has run, and from changing it.
func writeState(path string, state *attest.State) error {
	data, err := json.Marshal(state)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, 0o600, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}
