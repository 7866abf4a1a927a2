package signkey_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"digestlists/internal/ptytest"
	"digestlists/internal/signkey"

	"golang.org/x/sys/unix"
)

func TestPasswordSources(t *testing.T) {
	dir := t.TempDir()
	file := func(content string) signkey.Password {
		path := filepath.Join(dir, "password")
		write(t, path, []byte(content))
		return signkey.FromFile(path)
	}
	t.Setenv("DIGESTLISTS_TEST_PASSWORD", "from env")
	t.Setenv("DIGESTLISTS_TEST_EMPTY", "")
	for name, c := range map[string]struct {
		password func() signkey.Password
		want     string
		text     string // of the error
	}{
		"literal":      {func() signkey.Password { return signkey.Literal("-literal ") }, "-literal ", ""},
		"environment":  {func() signkey.Password { return signkey.FromEnv("DIGESTLISTS_TEST_PASSWORD") }, "from env", ""},
		"empty":        {func() signkey.Password { return signkey.FromEnv("DIGESTLISTS_TEST_EMPTY") }, "", ""},
		"unset":        {func() signkey.Password { return signkey.FromEnv("DIGESTLISTS_TEST_UNSET") }, "", "DIGESTLISTS_TEST_UNSET is not set"},
		"file":         {func() signkey.Password { return file("from file\n") }, "from file", ""},
		"no newline":   {func() signkey.Password { return file("from file") }, "from file", ""},
		"CRLF":         {func() signkey.Password { return file("from file\r\n") }, "from file", ""},
		"kept spaces":  {func() signkey.Password { return file(" a b \r\r\n") }, " a b \r", ""},
		"empty file":   {func() signkey.Password { return file("") }, "", ""},
		"two lines":    {func() signkey.Password { return file("a\nb\n") }, "", "more than one line"},
		"large file":   {func() signkey.Password { return file(strings.Repeat("x", 1<<20)) }, "", "longer than 4096 bytes"},
		"longest":      {func() signkey.Password { return file(strings.Repeat("x", 4096) + "\r\n") }, strings.Repeat("x", 4096), ""},
		"missing file": {func() signkey.Password { return signkey.FromFile(filepath.Join(dir, "missing")) }, "", "missing: no such file"},
		"folder":       {func() signkey.Password { return signkey.FromFile(dir) }, "", "is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.password()()
			switch {
			case c.text == "" && (err != nil || string(got) != c.want):
				t.Errorf("%q, %v, want %q", got, err, c.want)
			case c.text != "" && (err == nil || !strings.Contains(err.Error(), c.text) || got != nil):
				t.Errorf("%q, %v, want %q", got, err, c.text)
			}
		})
	}
}

// TestPrompt types a password on a real terminal, which must not show it.
func TestPrompt(t *testing.T) {
	person, tty := ptytest.Open(t)
	password := signkey.Prompt(signkey.FileTerminal{File: tty}, "key.pem")

	typed := make(chan error, 1)
	var shown bytes.Buffer
	go func() {
		buf := make([]byte, 100)
		n, err := person.Read(buf) // the prompt: echo is about to be turned off
		shown.Write(buf[:n])
		if err == nil {
			err = waitNoEcho(person)
		}
		if err == nil {
			_, err = person.WriteString("hunter2\n")
		}
		typed <- err
	}()
	got, err := password()
	if err := <-typed; err != nil {
		t.Fatal(err)
	}
	if err != nil || string(got) != "hunter2" {
		t.Errorf("%q, %v", got, err)
	}
	buf := make([]byte, 100)
	n, err := person.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(buf[:n])
	if want := "Password for key.pem: \r\n"; shown.String() != want {
		t.Errorf("the terminal shows %q, want %q", shown.String(), want)
	}
	if state, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS); err != nil || state.Lflag&unix.ECHO == 0 {
		t.Errorf("echo is not on again: %v", err)
	}
}

// waitNoEcho returns when the terminal does not show what is typed.
func waitNoEcho(person *os.File) error {
	for {
		state, err := unix.IoctlGetTermios(int(person.Fd()), unix.TCGETS)
		if err != nil || state.Lflag&unix.ECHO == 0 {
			return err
		}
	}
}

func TestNoTerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	got, err := signkey.Prompt(signkey.FileTerminal{File: null}, "key.pem")()
	if !errors.Is(err, signkey.ErrNoTerminal) || got != nil {
		t.Errorf("/dev/null: %q, %v", got, err)
	}

	// Without a controlling terminal, as under a service manager: a session of its own.
	if os.Getenv("DIGESTLISTS_TEST_SESSION") != "" {
		_, err := signkey.Prompt(signkey.ControllingTerminal{}, "key.pem")()
		fmt.Println("no terminal:", errors.Is(err, signkey.ErrNoTerminal))
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestNoTerminal$")
	cmd.Env = append(os.Environ(), "DIGESTLISTS_TEST_SESSION=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "no terminal: true") {
		t.Errorf("%v\n%s", err, out)
	}
}
