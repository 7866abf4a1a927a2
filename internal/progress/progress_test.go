package progress_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"digestlists/internal/progress"
	"digestlists/internal/ptytest"
)

// TestTerminal waits for the line of long work, and for its end.
func TestTerminal(t *testing.T) {
	person, tty := ptytest.Open(t)
	line := progress.Start(tty, "packages")
	line.Set(7)
	line.Add(5)
	if got := readUntil(t, person, "packages"); got != "\r\x1b[K12 packages" {
		t.Errorf("the terminal shows %q", got)
	}
	line.Stop()
	if _, err := tty.WriteString("done"); err != nil {
		t.Fatal(err)
	}
	if got := readUntil(t, person, "done"); !strings.HasSuffix(got, "\r\x1b[Kdone") {
		t.Errorf("the line is left behind: %q", got)
	}
}

// TestShortWork writes nothing for work that is done at once.
func TestShortWork(t *testing.T) {
	person, tty := ptytest.Open(t)
	line := progress.Start(tty, "packages")
	line.Set(1500)
	line.Stop()
	if _, err := tty.WriteString("done"); err != nil {
		t.Fatal(err)
	}
	if got := readUntil(t, person, "done"); got != "done" {
		t.Errorf("the terminal shows %q", got)
	}
}

// TestPipe writes nothing where nobody looks.
func TestPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	line := progress.Start(w, "packages")
	line.Stop()
	w.Close()
	if got, err := io.ReadAll(r); err != nil || len(got) > 0 {
		t.Errorf("%q, %v", got, err)
	}
	var buf bytes.Buffer
	progress.Start(&buf, "packages").Stop()
	if buf.Len() > 0 {
		t.Errorf("%q", buf.String())
	}
}

// readUntil reads what the terminal shows, up to and with a word.
func readUntil(t *testing.T, person *os.File, word string) string {
	t.Helper()
	var shown strings.Builder
	buf := make([]byte, 256)
	for !strings.Contains(shown.String(), word) {
		n, err := person.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, shown.String())
		}
		shown.Write(buf[:n])
	}
	return shown.String()
}
