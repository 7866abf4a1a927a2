package plugin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"digestlists/compact"
)

// The limits that hold where none are set.
const (
	DefaultTimeout   = 5 * time.Minute
	DefaultMaxOutput = 256 << 20 // bytes; four full blocks of the kernel's limit
)

// maxMessage is how many bytes of standard error are kept.
const maxMessage = 4096

// killDelay is how long pipes may stay open after the plug-in has ended, by children
// that left its process group.
const killDelay = 2 * time.Second

// Limits bound a run of a plug-in. Zero means the default.
type Limits struct {
	Timeout   time.Duration
	MaxOutput int64 // bytes
}

func (l Limits) timeout() time.Duration {
	if l.Timeout > 0 {
		return l.Timeout
	}
	return DefaultTimeout
}

func (l Limits) maxOutput() int64 {
	if l.MaxOutput > 0 {
		return l.MaxOutput
	}
	return DefaultMaxOutput
}

// A command is one run of a plug-in.
type command struct {
	path   string
	args   []string
	env    []string
	stdin  []byte
	limits Limits
}

// run checks the plug-in, runs it and returns its output, unchecked.
func (c *command) run(ctx context.Context) ([]byte, error) {
	path, err := filepath.Abs(c.path)
	if err == nil {
		err = checkExecutable(path)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.timeout(),
		fmt.Errorf("no end after %v: %w", c.limits.timeout(), context.DeadlineExceeded))
	defer cancel()
	cmd := exec.CommandContext(ctx, path, c.args...)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, c.env...)
	out := limited{left: c.limits.maxOutput(), stop: cancel}
	message := tail{}
	// Not files: exec makes a pipe for each.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(c.stdin), &out, &message
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killDelay
	err = cmd.Run()
	switch {
	case out.over:
		err = fmt.Errorf("%w: output of more than %d bytes", compact.ErrTooLarge, c.limits.maxOutput())
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w%s", c.path, err, message.suffix())
	}
	return out.buf.Bytes(), nil
}

// limited collects output, and stops the plug-in when it gets too much.
type limited struct {
	buf  bytes.Buffer
	left int64
	over bool
	stop func()
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		l.over = true
		l.stop()
		return 0, io.ErrShortWrite
	}
	return l.buf.Write(p)
}

// tail keeps the end of what is written to it.
type tail struct{ buf []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p[max(0, len(p)-maxMessage):]...)
	t.buf = t.buf[max(0, len(t.buf)-maxMessage):]
	return len(p), nil
}

// suffix returns the message for the end of an error.
func (t *tail) suffix() string {
	if text := strings.TrimSpace(string(t.buf)); text != "" {
		return fmt.Sprintf(": %q", text)
	}
	return ""
}
