// Package kernel is where lists are loaded: the running kernel or, without one, a model of
// its table; and how many digests that should make known.
package kernel

import (
	"errors"
	"time"

	"digestlists/internal/command"
	"digestlists/internal/securityfs"
)

// A Target takes one list at a time, as data or as a path, and knows how many
// digests are known: the kernel, or its model.
type Target interface {
	Upload(data []byte) error
	Count() (n int, ok bool)
}

// A Kernel is where the running kernel is talked to.
type Kernel struct {
	Root  string                // of securityfs
	Proc  string                // of proc; "" for a stand-in, which tells nothing about itself
	Sleep func(d time.Duration) // while another program uploads
}

// Connect finds the kernel's files: root is where securityfs is mounted, "" to mount it
// if need be, and then proc too. The kernel has digest lists where there is no error.
func Connect(root, proc string) (k *Kernel, disconnect func() error, err error) {
	k = &Kernel{Root: root, Proc: proc, Sleep: time.Sleep}
	disconnect = func() error { return nil }
	if k.Root == "" {
		if disconnect, err = securityfs.Mount(); err != nil {
			return nil, nil, err
		}
		k.Root = securityfs.MountPoint
		if k.Proc == "" {
			k.Proc = securityfs.ProcMountPoint
		}
	}
	if err := securityfs.Check(k.Root); err != nil {
		return nil, nil, errors.Join(unsupported(err), disconnect())
	}
	return k, disconnect, nil
}

func unsupported(err error) error {
	if errors.Is(err, securityfs.ErrUnsupported) {
		return command.WithCode(command.ExitUnsupported, err)
	}
	return err
}

// Setup returns how the kernel is set up, or why it takes no lists of the directory.
func (k *Kernel) Setup(directory string) (setup securityfs.Setup, err error) {
	if k.Proc != "" {
		setup = securityfs.ReadSetup(k.Root, k.Proc)
	}
	if err := setup.Check(directory); err != nil {
		var refusal *securityfs.Refusal
		errors.As(err, &refusal)
		return setup, command.WithHint(err, refusal.Change)
	}
	return setup, nil
}

// Open opens a window, in which nothing may be opened but lists: see securityfs.Window.
func (k *Kernel) Open(op securityfs.Operation) (to Target, end func() error, err error) {
	window, err := securityfs.Open(k.Root, op, k.Sleep)
	if err != nil {
		return nil, nil, unsupported(err)
	}
	if k.Proc == "" {
		return uncounted{window}, window.Close, nil
	}
	return window, window.Close, nil
}

// uncounted is a stand-in for a kernel, whose count nobody keeps.
type uncounted struct{ *securityfs.Window }

func (uncounted) Count() (int, bool) { return 0, false }
