package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/internal/command"
	"digestlists/internal/regular"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// maxFilesFile bounds the file of paths, in bytes.
const maxFilesFile = 256 << 20

// chooseFiles returns the files that a list is to be made of: those of --files, or
// those that were found and that the user, on a terminal, has left in. There are none
// where there is nothing to do: what there was to say was said.
func (w *work) chooseFiles(c *cli.Context, kind string) ([]string, error) {
	if path := c.String("files"); path != "" {
		for _, name := range []string{"measured", "search", "exclude"} {
			if c.IsSet(name) {
				return nil, command.Usagef("--files: --%s finds other files", name)
			}
		}
		return w.readFiles(path)
	}
	found, err := w.findUnknown(c)
	if err != nil {
		return nil, err
	}
	if c.Bool("dry-run") {
		for _, name := range found {
			fmt.Fprintln(w.out, name)
		}
		return nil, nil
	}
	if len(found) == 0 {
		fmt.Fprintln(w.out, "no unknown file: no list is needed")
		return nil, nil
	}
	for _, name := range found {
		if strings.ContainsAny(name, "\n") {
			return nil, command.WithHint(fmt.Errorf("%q: a name of more than one line", name), "-E leaves the folder out")
		}
	}
	if c.Bool("no-edit") || !onTerminal() {
		return found, nil
	}
	return w.editFiles(found, kind)
}

// onTerminal reports whether there is a terminal that a person can edit on.
func onTerminal() bool {
	return term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
}

const editorHelp = `# The files of the new list of %s files, one a line.
# Delete the lines of those that are not to be in it. Without any, no list is made.
`

// editorEnd is the last line for the editor: of a file that an editor could not write whole, and yet
// ended as if it had, it is not there.
const editorEnd = "# The end. Leave this line the last one: it shows that none is missing."

// editFiles opens the files in the user's editor.
func (w *work) editFiles(found []string, kind string) ([]string, error) {
	file, err := os.CreateTemp("", "digest-list-files-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	_, err = fmt.Fprintf(file, editorHelp+"%s\n%s\n", kind, strings.Join(found, "\n"), editorEnd)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	if err := runEditor(file.Name()); err != nil {
		return nil, err
	}
	content, err := regular.ReadFile(file.Name(), 0, maxFilesFile)
	if err != nil {
		return nil, err
	}
	if !bytes.HasSuffix(bytes.TrimSpace(content), []byte("\n"+editorEnd)) {
		return nil, command.WithHint(fmt.Errorf("no list is made: what the editor has left is not whole: its last line is not %q", editorEnd),
			"is the disk full? --no-edit takes all files, --files those of a file")
	}
	return w.parseFiles(file.Name(), content)
}

// runEditor runs the editor of the environment, which may be a command with options. It
// decides what is done when somebody interrupts it, or the terminal is gone.
func runEditor(path string) error {
	editor := os.Getenv("VISUAL")
	if editor == "" {
		editor = os.Getenv("EDITOR")
	}
	if editor == "" {
		editor = "vi"
	}
	// Caught, and not ignored: what is ignored would be so in the editor, too.
	typed := make(chan os.Signal, 1)
	signal.Notify(typed, unix.SIGINT, unix.SIGQUIT, unix.SIGHUP)
	defer signal.Stop(typed)
	cmd := exec.Command("/bin/sh", "-c", `trap : INT QUIT HUP; `+editor+` "$1"`, "sh", path)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return command.WithHint(fmt.Errorf("no list is made: editor %q: %w", editor, err), "EDITOR names another one; --no-edit takes all files")
	}
	return nil
}

// readFiles reads a file of paths.
func (w *work) readFiles(path string) ([]string, error) {
	content, err := regular.ReadFile(path, 0, maxFilesFile)
	if err != nil {
		return nil, err
	}
	return w.parseFiles(path, content)
}

// parseFiles returns the paths that a file has, sorted. Each must be the name of a regular
// file, without links in it.
func (w *work) parseFiles(path string, content []byte) ([]string, error) {
	var files []string
	lines := bufio.NewScanner(bytes.NewReader(content))
	for number := 1; lines.Scan(); number++ {
		name := lines.Text()
		if name == "" || strings.HasPrefix(name, "#") {
			continue
		}
		if err := w.checkFile(name); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, number, err)
		}
		files = append(files, name)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(files) == 0 {
		return nil, command.WithCode(command.ExitNothing, errors.New("no file was chosen: no list is made"))
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

func (w *work) checkFile(name string) error {
	if !filepath.IsAbs(name) || filepath.Clean(name) != name {
		return fmt.Errorf("%q: want an absolute path, in its shortest form", name)
	}
	f, err := w.root.Open(name)
	if err != nil {
		return err
	}
	return f.Close()
}
