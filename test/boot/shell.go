package boot

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// A shell is the host's half of the second serial line; guest/init is the other.
type shell struct {
	w io.Writer
	r *bufio.Reader
}

// ready waits until the guest's init reads commands. UEFI prints on all serial lines before.
func (s *shell) ready() error {
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return fmt.Errorf("the guest's init did not start: %w after %q", err, line)
		}
		if line == "ready\n" {
			return nil
		}
	}
}

// run runs a command line and returns what it prints, and its exit code. The guest
// ends the output with a newline, which may not have been there, and a line of EOT
// and the code.
func (s *shell) run(command string) (output string, code int, err error) {
	if strings.Contains(command, "\n") {
		return "", 0, fmt.Errorf("command of several lines: %q", command)
	}
	if _, err := io.WriteString(s.w, command+"\n"); err != nil {
		return "", 0, err
	}
	var out strings.Builder
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return "", 0, fmt.Errorf("after %q of output: %w", out.String(), err)
		}
		if status, ok := strings.CutPrefix(line, "\x04"); ok {
			code, err = strconv.Atoi(strings.TrimSuffix(status, "\n"))
			return strings.TrimSuffix(out.String(), "\n"), code, err
		}
		out.WriteString(line)
	}
}

// end runs a command line that ends the machine, and waits for that.
func (s *shell) end(command string) error {
	if _, err := io.WriteString(s.w, command+"\n"); err != nil {
		return err
	}
	said, err := io.ReadAll(s.r)
	if errors.Is(err, os.ErrClosed) || errors.Is(err, syscall.ECONNRESET) {
		err = nil
	}
	if len(said) > 0 {
		err = errors.Join(err, fmt.Errorf("%s: %q", command, said))
	}
	return err
}
