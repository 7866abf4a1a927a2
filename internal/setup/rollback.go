package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"digestlists/internal/journal"
)

// ErrNothing: no set-up is there to be rolled back.
var ErrNothing = errors.New("there is no set-up to roll back")

// A ChangedError names files that somebody else has changed since the set-up.
type ChangedError struct{ Files []string }

func (e *ChangedError) Error() string {
	return "changed since the set-up, and to be lost: " + strings.Join(e.Files, ", ")
}

// Rollback takes all back that was ever set up in the system below root. Files that
// somebody else has changed since are a [*ChangedError], and nothing is done, unless
// force is given.
func Rollback(ctx context.Context, root string, force bool, tell func(group string)) error {
	j, err := journal.Open(root, StateDir, false)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNothing
	}
	if err != nil {
		return err
	}
	defer j.Close()
	changed, err := j.Changed()
	if err != nil {
		return err
	}
	if len(changed) > 0 && !force {
		return &ChangedError{changed}
	}
	undos, err := undosOf(j, root)
	if err != nil {
		return err
	}
	for _, g := range slices.Backward(j.Groups()) {
		_, step, _ := strings.Cut(g.Name, " ")
		tell(step)
		if do := undos[step]; do != nil {
			if err := do(ctx); err != nil {
				return fmt.Errorf("%s: %w", step, err)
			}
		}
		if err := j.Undo(g); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	return j.Remove()
}

// undosOf returns what steps undo besides files, by their names.
func undosOf(j *journal.Journal, root string) (map[string]func(context.Context) error, error) {
	var p plan
	if _, err := j.LastNote(planNote, &p); err != nil {
		return nil, err
	}
	s := &Setup{Config: p.Config, Root: root}
	return map[string]func(context.Context) error{"lists": s.clearStaging, "updates": s.stopUpdates}, nil
}
