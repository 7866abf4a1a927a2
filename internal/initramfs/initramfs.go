// Package initramfs makes the initramfs images of a machine anew, with the program that
// the machine has for it, and tells which images are older than the digest lists.
//
// With a root other than "/", programs run inside it (chroot(2)), as they would on a
// machine that is mounted there.
package initramfs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrNoGenerator: no program that makes such images was found.
var ErrNoGenerator = errors.New("nothing here makes an initramfs")

// A Generator is the program that makes the images.
type Generator struct {
	Name string

	root string
	path string // inside the root
	args func(g *Generator, kernels []string) [][]string
}

// generators are in the order in which they are looked for: the program that takes
// care of all that a distribution does with an image, then the more basic ones.
var generators = []Generator{
	{Name: "update-initramfs", args: updateInitramfs},
	{Name: "dracut", args: dracut},
	{Name: "mkinitramfs", args: mkinitramfs},
	{Name: "kernel-install", args: kernelInstall},
}

// defaultPath is where programs are on every machine.
const defaultPath = "/usr/sbin:/usr/bin:/sbin:/bin"

// Find finds the generator of the system at root; "" is the running one.
func Find(root string) (*Generator, error) {
	search := defaultPath
	if path := os.Getenv("PATH"); path != "" && running(root) {
		search = path + ":" + defaultPath
	}
	for _, g := range generators {
		for _, dir := range filepath.SplitList(search) {
			g.root, g.path = root, filepath.Join("/", dir, g.Name)
			if info, err := os.Stat(below(root, g.path)); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return &g, nil
			}
		}
	}
	return nil, ErrNoGenerator
}

// below returns where a file of the system at root is.
func below(root, name string) string { return filepath.Join(cmp.Or(root, "/"), name) }

func running(root string) bool { return root == "" || root == "/" }

// Command returns what Rebuild runs, for people to read.
func (g *Generator) Command(kernel string) (string, error) {
	commands, err := g.commands(kernel)
	lines := make([]string, len(commands))
	for i, c := range commands {
		lines[i] = strings.Join(c, " ")
	}
	return strings.Join(lines, " && "), err
}

// Rebuild makes the image of a kernel anew, or that of every kernel for "". After
// all were made, lists are no longer marked as newer. An error has the end of what the
// generator said.
func (g *Generator) Rebuild(ctx context.Context, kernel string) error {
	commands, err := g.commands(kernel)
	if err != nil {
		return err
	}
	for _, c := range commands {
		if err := g.run(ctx, c); err != nil {
			return err
		}
	}
	if kernel == "" {
		return unmark(g.root)
	}
	return nil
}

func (g *Generator) commands(kernel string) ([][]string, error) {
	kernels, err := Kernels(g.root)
	if err != nil {
		return nil, err
	}
	if kernel == "" {
		return g.args(g, kernels), nil
	}
	for _, k := range kernels {
		if k == kernel {
			return g.args(g, []string{kernel}), nil
		}
	}
	return nil, fmt.Errorf("kernel %q has no modules in /lib/modules: want one of %q", kernel, kernels)
}

// lastLines is how much of what a generator says goes into an error.
const lastLines = 5

func (g *Generator) run(ctx context.Context, command []string) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = "/"
	if !running(g.root) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: g.root}
		cmd.Env = append(os.Environ(), "PATH="+defaultPath)
	}
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	said := bytes.Join(lines[max(0, len(lines)-lastLines):], []byte("\n"))
	return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, said)
}

// updateInitramfs updates an image only if it is there: otherwise it is to make one.
func updateInitramfs(g *Generator, kernels []string) [][]string {
	return each(kernels, func(k string) []string {
		how := "-u"
		if _, err := os.Stat(below(g.root, "/boot/initrd.img-"+k)); err != nil {
			how = "-c"
		}
		return []string{g.path, how, "-k", k}
	})
}

func dracut(g *Generator, kernels []string) [][]string {
	return each(kernels, func(k string) []string { return []string{g.path, "--force", "--kver", k} })
}

// mkinitramfs writes its image in place: it gets another name until it is whole.
func mkinitramfs(g *Generator, kernels []string) [][]string {
	var all [][]string
	for _, k := range kernels {
		image := "/boot/initrd.img-" + k
		all = append(all, []string{g.path, "-o", image + ".new", k}, []string{"/bin/mv", image + ".new", image})
	}
	return all
}

func kernelInstall(g *Generator, kernels []string) [][]string {
	return each(kernels, func(k string) []string {
		return []string{g.path, "add", k, "/lib/modules/" + k + "/vmlinuz"}
	})
}

func each(kernels []string, command func(string) []string) [][]string {
	all := make([][]string, len(kernels))
	for i, k := range kernels {
		all[i] = command(k)
	}
	return all
}
