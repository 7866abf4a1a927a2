package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"digestlists/internal/bootloader"
)

// Arguments returns what the kernel's command line says as it was decided.
func (s *Setup) Arguments() []string { return Arguments(s.Mode, s.PCR, s.Hash, s.Metadata) }

// bootStep adds entries to the menu of the boot loader. It is the last one: nothing
// points to what is not there.
func (s *Setup) bootStep() (*Step, error) {
	if !s.Bootloader {
		return nil, nil
	}
	args := s.Arguments()
	l, err := bootloader.Detect(s.path("/"))
	if errors.Is(err, bootloader.ErrUnknown) {
		return s.byHand(args), nil
	}
	if err != nil {
		return nil, err
	}
	touches, err := l.Touches(string(s.Mode))
	if err != nil {
		return nil, err
	}
	return &Step{
		Name:    "bootloader",
		Text:    fmt.Sprintf("add boot entries %q to %s, with %s; the others stay as they are", s.Mode, l.Name(), strings.Join(args, " ")),
		Mend:    "setup_ima_digest_lists bootloader add " + string(s.Mode) + " tries it alone",
		Touches: touches,
		Do: func(context.Context, io.Writer) error {
			return l.Add(bootloader.Entry{Name: string(s.Mode), Args: args})
		},
	}, nil
}

// byHand says what to do about a boot loader that is not known.
func (s *Setup) byHand(args []string) *Step {
	text := "the boot loader is not known: copy its entry by hand, and add to the kernel arguments of the copy: " + strings.Join(args, " ")
	return &Step{
		Name:   "bootloader",
		Text:   text,
		Mend:   "the arguments are " + strings.Join(args, " "),
		ByHand: true,
		Do: func(_ context.Context, out io.Writer) error {
			_, err := fmt.Fprintln(out, text)
			return err
		},
	}
}
