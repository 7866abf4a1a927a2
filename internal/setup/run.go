package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"digestlists/internal/journal"
)

// StateDir is where the journal is, below the root.
const StateDir = "/var/lib/digest_lists/setup"

// ErrBusy: a set-up is at work, or what one has started is.
var ErrBusy = journal.ErrBusy

// A plan is what the journal says of one.
type plan struct {
	Number int    `json:"number"` // from 1
	Ended  bool   `json:"ended"`
	Config Config `json:"config"`
}

const planNote = "plan"

// Unfinished returns the configuration of a run that was cut short in the system below
// root, and whether there is one.
func Unfinished(root string) (Config, bool, error) {
	j, err := journal.Open(root, StateDir, false)
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, false, nil
	}
	if err != nil {
		return Config{}, false, err
	}
	defer j.Close()
	var p plan
	found, err := j.LastNote(planNote, &p)
	return p.Config, found && !p.Ended, err
}

// A StepError says which step failed and what to do.
type StepError struct {
	Step Step
	Err  error
}

func (e *StepError) Error() string { return e.Step.Name + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *StepError) Unwrap() error { return e.Err }

// A State is how far a step is.
type State string

// The states.
const (
	Begins  State = "begins"
	Done    State = "done"
	Already State = "already done"
	Fails   State = "fails"
)

// A Progress is told what happens to each step.
type Progress func(step Step, n, of int, state State)

// Run does all steps, and stops at the first failure, whose step is taken back. A run of
// the same configuration that was cut short is continued.
func (s *Setup) Run(ctx context.Context, out io.Writer, tell Progress) error {
	steps, err := s.Steps()
	if err != nil {
		return err
	}
	j, err := journal.Open(s.Root, StateDir, true)
	if err != nil {
		return err
	}
	defer j.Close()
	return s.run(ctx, j, steps, out, tell)
}

func (s *Setup) run(ctx context.Context, j *journal.Journal, steps []Step, out io.Writer, tell Progress) error {
	p, err := s.begin(j)
	if err != nil {
		return err
	}
	for i, step := range steps {
		state := func(st State) { tell(step, i+1, len(steps), st) }
		if err := ctx.Err(); err != nil {
			return &StepError{step, err}
		}
		done, err := p.do(ctx, j, step, out, state)
		if err != nil {
			state(Fails)
			return &StepError{step, err}
		}
		if done {
			state(Done)
		} else {
			state(Already)
		}
	}
	p.Ended = true
	return j.AddNote(planNote, p)
}

// begin begins a plan, or goes on with the last one if it has not ended.
func (s *Setup) begin(j *journal.Journal) (*plan, error) {
	var p plan
	found, err := j.LastNote(planNote, &p)
	if err != nil {
		return nil, err
	}
	if found && !p.Ended && !s.Same(p.Config) {
		return nil, errors.New("a set-up with another configuration was cut short: go on with that one, or roll it back")
	}
	if found && !p.Ended {
		return &p, nil
	}
	p = plan{Number: p.Number + 1, Config: s.Config}
	return &p, j.AddNote(planNote, p)
}

// group is the name of a step's group in the journal.
func (p *plan) group(step Step) string { return strconv.Itoa(p.Number) + " " + step.Name }

// do does a step, and reports whether there was anything to do.
func (p *plan) do(ctx context.Context, j *journal.Journal, step Step, out io.Writer, state func(State)) (bool, error) {
	for _, g := range j.Groups() {
		if g.Name != p.group(step) {
			continue
		}
		if g.Ended() {
			return false, nil
		}
		if err := undo(ctx, j, step, g); err != nil {
			return false, err
		}
	}
	if step.Done != nil {
		if done, err := step.Done(); done || err != nil {
			return false, err
		}
	}
	state(Begins)
	g, err := j.Begin(p.group(step), step.Touches...)
	if err != nil {
		return false, err
	}
	if err := step.Do(ctx, out); err != nil {
		return false, errors.Join(err, undo(ctx, j, step, g))
	}
	return true, j.End(g)
}

func undo(ctx context.Context, j *journal.Journal, step Step, g *journal.Group) error {
	if step.Undo != nil {
		if err := step.Undo(context.WithoutCancel(ctx)); err != nil {
			return fmt.Errorf("undo: %w", err)
		}
	}
	return j.Undo(g)
}
