package setup

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"digestlists/internal/command"
)

// A Step is a part of a plan that is done as a whole.
type Step struct {
	Name string // such as lists; also that of a command
	Text string // what it does, for people
	Mend string // what to do if it fails
	// ByHand: Do only says what people have to do.
	ByHand bool
	// Touches are the paths below the root that Do may change, make or remove; a
	// folder is all that is in it. They are saved before.
	Touches []string
	// Done reports that there is nothing to do, such as on a machine that was set up by
	// other means.
	Done func() (bool, error)
	// Do does it, and prints what is worth to be read.
	Do func(ctx context.Context, out io.Writer) error
	// Undo takes back what is in no file, or is nil. It is run before the files
	// are restored, also if Do was cut short or Undo was done already.
	Undo func(ctx context.Context) error
}

// A Setup is a plan in the making: what is decided, and where.
type Setup struct {
	Config
	Root  string // "" for the running system
	Force bool   // whether the kernel trusts the certificate does not matter
}

// Steps returns the steps to do, in their order.
func (s *Setup) Steps() ([]Step, error) {
	if err := s.trust(); err != nil {
		return nil, err
	}
	makers := []func() (*Step, error){s.gate, s.keyStep, s.listsStep, s.checkStep, s.updatesStep, s.initramfsStep, s.bootStep}
	var steps []Step
	for _, maker := range makers {
		step, err := maker()
		if err != nil {
			return nil, err
		}
		if step != nil {
			steps = append(steps, *step)
		}
	}
	return steps, nil
}

// path returns where a file of the system is.
func (s *Setup) path(name string) string { return Under(s.Root, name) }

// Under returns where a file of the system below root is; root is "" for the running
// one.
func Under(root, name string) string { return filepath.Join("/", root, name) }

// running reports whether it is the running system.
func (s *Setup) running() bool { return s.Root == "" || filepath.Clean(s.Root) == "/" }

// findTool finds another of our tools, beside this one or where programs are.
func findTool(name string) (string, error) {
	if self, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not installed: %w", name, err)
	}
	return path, nil
}

// run runs another of our tools. An error has the lines in which the tool says why, and what
// to do.
func run(ctx context.Context, out io.Writer, tool string, args ...string) error {
	path, err := findTool(tool)
	if err != nil {
		return err
	}
	var messages strings.Builder
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = out, &messages
	if err := cmd.Run(); err != nil {
		err = fmt.Errorf("%s %s: %w", tool, strings.Join(args, " "), err)
		if reason := first(messages.String(), ": error: "); reason != "" {
			err = fmt.Errorf("%w: %s", err, reason)
		}
		if hint := first(messages.String(), ": hint: "); hint != "" {
			err = command.WithHint(err, hint)
		}
		return err
	}
	return nil
}

// first returns what stands in the first line of such messages of our tools, or "".
func first(messages, kind string) string {
	for line := range strings.Lines(messages) {
		if _, text, ok := strings.Cut(strings.TrimSpace(line), kind); ok {
			return text
		}
	}
	return ""
}
