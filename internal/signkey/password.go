package signkey

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// A Password gets the password of a key. It is called at most once for each key
// that is loaded, and only if that is encrypted.
type Password func() ([]byte, error)

// Literal is a password that is known already, such as a command line's.
func Literal(password string) Password {
	return func() ([]byte, error) { return []byte(password), nil }
}

// FromEnv takes the password from an environment variable, which must be set.
func FromEnv(name string) Password {
	return func() ([]byte, error) {
		password, ok := os.LookupEnv(name)
		if !ok {
			return nil, fmt.Errorf("password: environment variable %s is not set", name)
		}
		return []byte(password), nil
	}
}

// maxPassword is the longest password that a file may hold, in bytes.
const maxPassword = 4096

// FromFile takes the password from the first line of a file, which must be its only one.
func FromFile(path string) Password {
	return func() ([]byte, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("password: %w", err)
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxPassword+3))
		if err != nil {
			return nil, fmt.Errorf("password: %w", err)
		}
		line, ok := bytes.CutSuffix(data, []byte("\n"))
		if ok {
			line = bytes.TrimSuffix(line, []byte("\r"))
		}
		switch {
		case len(line) > maxPassword:
			return nil, fmt.Errorf("password: %s: longer than %d bytes", path, maxPassword)
		case bytes.ContainsRune(line, '\n'):
			return nil, fmt.Errorf("password: %s: more than one line", path)
		}
		return line, nil
	}
}

// A Terminal asks a person for a password, without showing it.
type Terminal interface {
	ReadPassword(prompt string) ([]byte, error)
}

// Prompt asks for the password of the key at path.
func Prompt(terminal Terminal, path string) Password {
	return func() ([]byte, error) {
		return terminal.ReadPassword(fmt.Sprintf("Password for %s: ", path))
	}
}

// ControllingTerminal is the terminal that the program was started from, even if its
// standard input is something else. Without one, which includes every start from a service
// or a package manager, asking is ErrNoTerminal at once.
type ControllingTerminal struct{}

// ReadPassword implements Terminal.
func (ControllingTerminal) ReadPassword(prompt string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTerminal, err)
	}
	defer tty.Close()
	return FileTerminal{tty}.ReadPassword(prompt)
}

// FileTerminal is a terminal that is open already. A file that is no terminal
// is ErrNoTerminal.
type FileTerminal struct{ File *os.File }

// ReadPassword implements Terminal.
func (t FileTerminal) ReadPassword(prompt string) ([]byte, error) {
	fd := int(t.File.Fd())
	if !term.IsTerminal(fd) {
		return nil, fmt.Errorf("%w: %s is none", ErrNoTerminal, t.File.Name())
	}
	if _, err := io.WriteString(t.File, prompt); err != nil {
		return nil, err
	}
	password, err := term.ReadPassword(fd)
	// The newline that was typed was not shown either.
	_, echo := io.WriteString(t.File, "\n")
	if errors.Is(err, io.EOF) {
		return nil, errors.New("password: end of input")
	}
	if err != nil {
		return nil, fmt.Errorf("password: %w", err)
	}
	return password, echo
}
