package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/internal/command"
	"digestlists/internal/preflight"
	"digestlists/internal/setup"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

func wizardFlags() []cli.Flag {
	return []cli.Flag{
		rootFlag(),
		&cli.StringFlag{Name: "config", Usage: "take the answers from `FILE` and ask none"},
		&cli.BoolFlag{Name: "yes", Usage: "do not ask before the plan is done; without --config, take the defaults", DisableDefaultText: true},
		&cli.BoolFlag{Name: "dry-run", Usage: "print the findings and the plan, and change nothing", DisableDefaultText: true},
		&cli.BoolFlag{Name: "force", Usage: "go on in spite of errors that the first look finds, and of a kernel that does not trust the key", DisableDefaultText: true},
	}
}

// A wizard leads through a set-up.
type wizard struct {
	c      *cli.Context
	root   string // absolute, or ""
	out    io.Writer
	ask    *prompter
	asks   bool // there is somebody to answer
	config setup.Config
}

func runWizard(c *cli.Context) error {
	if err := command.NoArguments(c); err != nil {
		return err
	}
	w := &wizard{c: c, out: c.App.Writer, ask: newPrompter(os.Stdin, c.App.Writer)}
	w.asks = !c.Bool("yes") && !c.Bool("dry-run")
	if w.asks && !term.IsTerminal(int(os.Stdin.Fd())) {
		return command.WithHint(command.Usagef("no terminal to ask questions on"),
			"--yes and --config FILE take the place of answers; setup_ima_digest_lists --help lists the commands")
	}
	var err error
	if w.root, err = absoluteRoot(c); err == nil && !c.Bool("dry-run") {
		err = mustBeRoot(w.root)
	}
	if err != nil {
		return err
	}
	return w.run()
}

func absoluteRoot(c *cli.Context) (string, error) {
	if c.String("root") == "" {
		return "", nil
	}
	return filepath.Abs(c.String("root"))
}

// run asks what is to be asked, shows the plan and does it.
func (w *wizard) run() error {
	if err := w.configure(); err != nil {
		return err
	}
	unfinished, cut, err := setup.Unfinished(w.root)
	if err != nil {
		return err
	}
	if cut {
		return w.resume(unfinished)
	}
	if err := w.look(); err != nil {
		return err
	}
	if w.asks && w.c.String("config") == "" {
		if err := w.questions(); err != nil {
			return err
		}
	}
	return w.do("Do this? ")
}

// configure takes the answers that need no asking.
func (w *wizard) configure() (err error) {
	path := w.c.String("config")
	if path == "" {
		w.config = setup.Default(w.root)
		return nil
	}
	w.config, err = setup.ReadConfig(path, w.root)
	if errors.Is(err, setup.ErrConfig) {
		return command.WithCode(command.ExitUsage, err)
	}
	return err
}

// resume goes on with a run that was cut short, with its configuration.
func (w *wizard) resume(config setup.Config) error {
	if w.c.String("config") != "" && !w.config.Same(config) {
		return command.WithHint(fmt.Errorf("a set-up (mode %s) was cut short, and %s says something else", config.Mode, w.c.String("config")),
			"go on with that one, without --config; or take it back: "+w.rollbackLine())
	}
	fmt.Fprintf(w.out, "A set-up (mode %s) was cut short. It goes on where it stopped; to take it back instead: %s\n", config.Mode, w.rollbackLine())
	w.config = config
	return w.do("Go on? ")
}

func (w *wizard) rollbackLine() string {
	line := "setup_ima_digest_lists rollback"
	if w.root != "" {
		line += " --root " + w.root
	}
	return line
}

// look prints what preflight finds, and stops at an error unless told to go on.
func (w *wizard) look() error {
	findings := preflight.Look(&preflight.Machine{Root: w.root, Dir: w.config.Dir, Cert: w.config.Cert})
	fmt.Fprintln(w.out, "What is here:")
	if err := printFindings(w.out, findings, false); err != nil {
		return err
	}
	fmt.Fprintln(w.out)
	if !w.stops(findings) || w.c.Bool("force") || w.c.Bool("dry-run") {
		return nil
	}
	if w.asks {
		if yes, err := w.ask.yesNo("There are errors, as said above. Go on all the same? ", false); yes || err != nil {
			return err
		}
	}
	return command.WithHint(command.WithCode(command.ExitFailed, errors.New("errors above: nothing was changed")), "mend them, or use --force")
}

// stops reports whether there are errors. What is wrong with images, the set-up mends.
func (w *wizard) stops(findings []preflight.Finding) bool {
	return slices.ContainsFunc(findings, func(f preflight.Finding) bool {
		return f.Verdict == preflight.Error && !(f.Check == "initramfs" && w.config.Initramfs)
	})
}

// do shows the plan, and does it if it is agreed to.
func (w *wizard) do(question string) error {
	s := &setup.Setup{Config: w.config, Root: w.root, Force: w.c.Bool("force")}
	steps, err := s.Steps()
	if err != nil {
		return command.WithHint(err, "nothing was changed: "+cmp.Or(command.Hint(err), "mend it, or give another answer (--config FILE)"))
	}
	fmt.Fprintln(w.out, "The plan:")
	for i, step := range steps {
		fmt.Fprintf(w.out, "%3d. %-10s %s\n", i+1, step.Name, step.Text)
	}
	if w.c.Bool("dry-run") {
		return nil
	}
	if w.asks {
		if yes, err := w.ask.yesNo(question, false); !yes || err != nil {
			return command.WithHint(errors.Join(err, command.WithCode(command.ExitFailed, errors.New("not agreed to: nothing was changed"))),
				"answer yes, or use --yes; --dry-run only shows the plan")
		}
	}
	// Between two steps, an interrupted run stops; the next one goes on there.
	ctx, stop := signal.NotifyContext(w.c.Context, os.Interrupt, unix.SIGTERM)
	defer stop()
	if err := s.Run(ctx, w.out, w.progress); err != nil {
		return w.failed(err)
	}
	fmt.Fprintln(w.out, w.after(s, steps))
	return nil
}

func (w *wizard) progress(step setup.Step, n, of int, state setup.State) {
	fmt.Fprintf(w.out, "[%d/%d] %s: %s\n", n, of, step.Name, state)
}

// failed says what to do about a step that failed.
func (w *wizard) failed(err error) error {
	var failed *setup.StepError
	if !errors.As(err, &failed) {
		return err
	}
	mend := cmp.Or(command.Cause(err), command.Hint(err), failed.Step.Mend)
	return command.WithHint(command.WithCode(command.ExitFailed, err), mend+
		"; then run setup_ima_digest_lists again, which goes on with this step; "+w.rollbackLine()+" takes all back")
}

// after says what comes next.
func (w *wizard) after(s *setup.Setup, steps []setup.Step) string {
	boot := fmt.Sprintf("Choose the entry (digest lists, %s) at the next boot", s.Mode)
	added := slices.ContainsFunc(steps, func(step setup.Step) bool { return step.Name == "bootloader" && !step.ByHand })
	if !added {
		boot = "Copy the boot entry by hand, add " + strings.Join(s.Arguments(), " ") + " to the kernel arguments of the copy, and choose it at the next boot"
	}
	next := map[setup.Mode]string{
		setup.Measure: ". setup_ima_digest_lists status says then what was loaded.",
		setup.Log: ", and use the machine. setup_ima_digest_lists status lists files that are unknown; " +
			"when there are none, run this again with mode enforce.",
		setup.Enforce: ". The entries of before still boot without it.",
	}[s.Mode]
	return "Done. " + boot + next + " To take all back: " + w.rollbackLine()
}
