package bootloader

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// grubby is a system whose menu is changed by the program of that name.
type grubby struct {
	root    string
	program string
}

// findGrubby returns nil if there is no grubby.
func findGrubby(root string) *grubby {
	program := firstProgram(root, "grubby")
	if program == "" {
		return nil
	}
	return &grubby{root, program}
}

func (g *grubby) Name() string { return "grubby" }

// An item is an entry of the menu as grubby --info prints it: lines of KEY=VALUE,
// values in quotes, the first of them index.
type item map[string]string

func (g *grubby) items(which string) ([]item, error) {
	out, err := below(g.root, g.program, "--info="+which).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s --info=%s: %w: %s", g.program, which, err, lastLine(out))
	}
	items := parseItems(string(out))
	if len(items) == 0 {
		return nil, fmt.Errorf("%s --info=%s: no entry", g.program, which)
	}
	return items, nil
}

func parseItems(out string) (all []item) {
	for line := range strings.Lines(out) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		if key == "index" {
			all = append(all, item{})
		}
		if len(all) > 0 {
			all[len(all)-1][key] = strings.Trim(value, `"`)
		}
	}
	return all
}

func (g *grubby) Entries() ([]Entry, error) {
	items, err := g.items("ALL")
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, i := range items {
		_, rest, ok := strings.Cut(i["title"], titleStart)
		name, closed := strings.CutSuffix(rest, ")")
		if ok && closed && !slices.ContainsFunc(all, func(e Entry) bool { return e.Name == name }) {
			all = append(all, Entry{name, digestListArgs(i["args"])})
		}
	}
	return sortEntries(all), nil
}

// ours is how arguments begin that are about digest lists, or about what is logged of them.
var ours = []string{"ima_", "initramtmpfs", "log_buf_len=", "audit_backlog_limit=", "sysctl.kernel.printk_ratelimit="}

// digestListArgs picks the arguments that are about digest lists.
func digestListArgs(line string) []string {
	return slices.DeleteFunc(strings.Fields(line), func(a string) bool {
		return !slices.ContainsFunc(ours, func(start string) bool { return strings.HasPrefix(a, start) })
	})
}

// Touches names all that grubby may change.
func (g *grubby) Touches(string) ([]string, error) {
	var paths []string
	for _, pattern := range []string{
		"/boot/grub2/grub.cfg", "/boot/grub/grub.cfg", "/boot/efi/EFI/*/grub.cfg", "/boot/grub2/grubenv",
		"/boot/extlinux/extlinux.conf", "/etc/zipl.conf", "/boot/loader/entries",
	} {
		found, err := filepath.Glob(filepath.Join(g.root, pattern))
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			paths = append(paths, strings.TrimPrefix(p, strings.TrimSuffix(g.root, "/")))
		}
	}
	return paths, nil
}

// Add removes the entry of before only when the new one is there.
func (g *grubby) Add(e Entry) error {
	if err := e.check(); err != nil {
		return err
	}
	before, err := g.added(e.Name)
	if err != nil {
		return err
	}
	items, err := g.items("DEFAULT")
	if err != nil {
		return err
	}
	if items[0]["kernel"] == "" {
		return fmt.Errorf("%s --info=DEFAULT: no kernel", g.program)
	}
	base := items[0]
	if strings.Contains(base["title"], titleStart) {
		return fmt.Errorf("the default entry %q is one for digest lists: make another one the default first", base["title"])
	}
	args := []string{
		"--add-kernel=" + base["kernel"], "--title=" + base["title"] + e.title(),
		"--args=" + strings.TrimSpace("root="+base["root"]+" "+e.without(base["args"])+" "+strings.Join(e.Args, " ")),
	}
	if base["initrd"] != "" {
		args = append(args, "--initrd="+base["initrd"])
	}
	if out, err := below(g.root, g.program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", g.program, err, lastLine(out))
	}
	after, err := g.added(e.Name)
	if err != nil {
		return err
	}
	if len(after) <= len(before) {
		return fmt.Errorf("%s %s: there is no new entry", g.program, args[0])
	}
	return g.remove(before)
}

func (g *grubby) Remove(name string) error {
	items, err := g.added(name)
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return fmt.Errorf("%s: %w", name, ErrAbsent)
	}
	if err := g.remove(items); err != nil {
		return err
	}
	if left, err := g.added(name); err != nil || len(left) > 0 {
		return errors.Join(err, fmt.Errorf("%s: %d entries %s are still there", g.program, len(left), name))
	}
	return nil
}

// added returns the entries of a name that were added.
func (g *grubby) added(name string) ([]item, error) {
	items, err := g.items("ALL")
	return slices.DeleteFunc(items, func(i item) bool { return !strings.HasSuffix(i["title"], Entry{Name: name}.title()) }), err
}

// remove removes entries, wherever in the menu they are now.
func (g *grubby) remove(unwanted []item) error {
	items, err := g.items("ALL")
	if err != nil {
		return err
	}
	// From the end: the numbers of those before stay the same.
	for _, i := range slices.Backward(items) {
		at := slices.IndexFunc(unwanted, i.same)
		if at < 0 {
			continue
		}
		if out, err := below(g.root, g.program, "--remove-kernel="+i["index"]).CombinedOutput(); err != nil {
			return fmt.Errorf("%s --remove-kernel=%s: %w: %s", g.program, i["index"], err, lastLine(out))
		}
		unwanted = slices.Delete(unwanted, at, at+1)
	}
	return nil
}

// same reports whether two items are the same but for their numbers.
func (i item) same(other item) bool {
	rest := func(m item) item {
		m = maps.Clone(m)
		delete(m, "index")
		return m
	}
	return maps.Equal(rest(i), rest(other))
}
