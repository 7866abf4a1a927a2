package bootloader

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/internal/inroot"
)

// findMenus finds the menus that grub-mkconfig has made.
func (g *grub) findMenus() error {
	root, err := inroot.Open(g.root)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, pattern := range []string{"/boot/grub2/grub.cfg", "/boot/grub/grub.cfg", "/boot/efi/EFI/*/grub.cfg"} {
		paths, _ := filepath.Glob(filepath.Join(g.root, pattern))
		for _, p := range paths {
			menu, err := root.Real(strings.TrimPrefix(p, strings.TrimSuffix(g.root, "/")))
			if err != nil {
				return err
			}
			text, err := os.ReadFile(filepath.Join(g.root, menu))
			if err != nil {
				return err
			}
			if bytes.Contains(text, made) && !slices.Contains(g.config, menu) {
				g.config = append(g.config, menu)
			}
		}
	}
	return nil
}

// change changes one of our scripts and makes the menus again, or leaves all of them as they were.
// With arguments, those are to be in an entry of the script.
func (g *grub) change(path, args string, do func() error) error {
	paths := []string{path}
	for _, c := range g.config {
		paths = append(paths, filepath.Join(g.root, c))
	}
	before, err := keep(paths)
	if err != nil {
		return err
	}
	if err = do(); err == nil {
		err = g.update(filepath.Base(path), args)
	}
	if err != nil {
		return errors.Join(err, restore(before))
	}
	return nil
}

// update makes the menus again. With -o, grub-mkconfig would write over one: a machine that stops
// meanwhile does not boot again.
func (g *grub) update(script, args string) error {
	menu, err := g.menu()
	if err != nil {
		return err
	}
	if args != "" && !bytes.Contains(output(menu, script), []byte(args)) {
		return fmt.Errorf("%s: the menu has no entry of %s/%s", g.make, scripts, script)
	}
	for _, c := range g.config {
		path := filepath.Join(g.root, c)
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if err := write(path, string(menu), info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

// menu makes a menu, and checks it as grub-mkconfig does with -o.
func (g *grub) menu() ([]byte, error) {
	menu, err := run(below(g.root, g.make))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.make, err)
	}
	if len(output(menu, filepath.Base(linuxScript))) == 0 {
		return nil, fmt.Errorf("%s: the menu has nothing of %s", g.make, linuxScript)
	}
	if g.check == "" {
		return nil, errors.New("no grub-script-check, which checks the menu that grub-mkconfig makes")
	}
	check := below(g.root, g.check)
	check.Stdin = bytes.NewReader(menu)
	if _, err := run(check); err != nil {
		return nil, fmt.Errorf("%s: %w", g.check, err)
	}
	return menu, nil
}

// output returns what a script has printed to a menu: grub-mkconfig has a line before and after.
func output(menu []byte, script string) []byte {
	name := scripts + "/" + script + " ###\n"
	_, rest, _ := bytes.Cut(menu, []byte("### BEGIN "+name))
	part, _, _ := bytes.Cut(rest, []byte("### END "+name))
	return part
}

// run returns what a program prints; what it says last, as a part of its error.
func run(cmd *exec.Cmd) ([]byte, error) {
	var says bytes.Buffer
	cmd.Stderr = &says
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, lastLine(says.Bytes()))
	}
	return out, nil
}
