package bootloader

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"digestlists/internal/atomicfile"
)

// grub is GRUB whose menu is made by the scripts of /etc/grub.d. An entry is one
// script more there, which runs the one for Linux again with more arguments: each
// kernel, also one that is installed later, gets its entry.
type grub struct {
	root   string
	make   string   // the program that makes the menu, below root
	check  string   // the one that checks it
	config []string // menus that were made, below root and without links
}

const (
	scripts     = "/etc/grub.d"
	linuxScript = scripts + "/10_linux"
	ourScript   = scripts + "/41_digestlists_"
	defaults    = "/etc/default/grub"
	// unfinished ends the names of our scripts that are not whole: grub-mkconfig runs none
	// with a tilde at its end.
	unfinished = atomicfile.Unfinished + "~"
)

//go:embed grub.sh
var script string

// made is in each menu that the scripts have made: grub-mkconfig writes it before the
// output of a script.
var made = []byte("### BEGIN " + scripts + "/")

// findGRUB returns nil if there is no such GRUB.
func findGRUB(root string) (*grub, error) {
	g := &grub{
		root:  root,
		make:  firstProgram(root, "grub2-mkconfig", "grub-mkconfig"),
		check: firstProgram(root, "grub2-script-check", "grub-script-check"),
	}
	if _, err := os.Stat(filepath.Join(root, linuxScript)); err != nil || g.make == "" {
		return nil, notThere(err)
	}
	if err := g.findMenus(); err != nil || len(g.config) == 0 {
		return nil, err
	}
	return g, nil
}

// notThere leaves the errors that do not say that a file is not there.
func notThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

var blscfg = regexp.MustCompile(`(?m)^\s*(?:export\s+)?GRUB_ENABLE_BLSCFG=["']?true\b`)

// readsEntries reports whether the menu is made from files with entries instead.
func (g *grub) readsEntries() bool {
	text, err := os.ReadFile(filepath.Join(g.root, defaults))
	return err == nil && blscfg.Match(text)
}

func (g *grub) Name() string {
	return "GRUB with scripts in " + scripts + " (" + strings.Join(g.config, ", ") + ")"
}

func (g *grub) Entries() ([]Entry, error) {
	paths, err := filepath.Glob(filepath.Join(g.root, ourScript+"*"))
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, p := range paths {
		_, name, _ := strings.Cut(filepath.Base(p), filepath.Base(ourScript))
		if strings.HasSuffix(name, unfinished) {
			continue
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		args, err := readRemark(p, string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, Entry{name, args})
	}
	return sortEntries(all), nil
}

func (g *grub) Touches(name string) ([]string, error) {
	paths := []string{ourScript + name, ourScript + name + unfinished}
	for _, c := range g.config {
		paths = append(paths, c, c+atomicfile.Unfinished)
	}
	return paths, nil
}

func (g *grub) Add(e Entry) error {
	if err := e.check(); err != nil {
		return err
	}
	path := filepath.Join(g.root, ourScript+e.Name)
	return g.change(path, strings.Join(e.Args, " "), func() error {
		return atomicfile.WriteAs(path+unfinished, path, []byte(fill(e)), 0o755)
	})
}

// fill makes the script of an entry. Arguments have no character that a shell would
// read differently.
func fill(e Entry) string {
	var keys []string
	for _, a := range e.Args {
		if key, _, _ := strings.Cut(a, "="); !slices.Contains(keys, key) {
			keys = append(keys, key, key+"=*")
		}
	}
	return strings.NewReplacer(
		"@REMARK@", strings.TrimPrefix(remark, "# ")+strings.Join(e.Args, " "),
		"@ARGS@", strings.Join(e.Args, " "),
		"@KEYS@", strings.Join(keys, " | "),
		"@TITLE@", e.title(),
		"@NAME@", e.Name,
	).Replace(script)
}

func (g *grub) Remove(name string) error {
	path := filepath.Join(g.root, ourScript+name)
	err := g.change(path, "", func() error { return os.Remove(path) })
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", name, ErrAbsent)
	}
	return err
}

// below returns a command that runs in the system below root.
func below(root, program string, args ...string) *exec.Cmd {
	if root == "/" {
		return exec.Command(program, args...)
	}
	return exec.Command("chroot", append([]string{root, program}, args...)...)
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
