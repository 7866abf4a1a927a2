package directories

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"digestlists/internal/hosttest"

	"golang.org/x/sys/unix"
)

// atOnce runs commands that all wait for a lock on the list directory, which is then released. Each has to succeed.
func atOnce(t *testing.T, dir string, commands []string) {
	t.Helper()
	lists, err := os.Open(filepath.Join(dir, "lists"))
	check(t, err)
	check(t, unix.Flock(int(lists.Fd()), unix.LOCK_EX))
	var all sync.WaitGroup
	results := make([]result, len(commands))
	for i, words := range commands {
		all.Go(func() { results[i] = run(t, dir, words) })
	}
	check(t, lists.Close())
	all.Wait()
	for i, r := range results {
		if r.code != 0 {
			t.Errorf("%s: exit %d\n%s", commands[i], r.code, r.stderr)
		}
	}
}

// Whoever changes a directory at the same time waits: nothing that one of them did is lost, and no position is given
// twice.
func TestWriters(t *testing.T) {
	const start = prepared + `
		mkdir tree; for i in 1 2 3 4 5 6 7 8; do echo $i >file$i; done; cp "$DATA"/rpms/g256-1.2-3.x86_64.pgpsigned.rpm "$DATA"/keys/RPM-GPG-KEY-golden .
		gen_digest_lists -d lists -f rpm+pkg -i g256-1.2-3.x86_64.pgpsigned.rpm -t file -o append
	`
	appending := make([]string, 8)
	for i := range appending {
		appending[i] = fmt.Sprintf("gen_digest_lists -d lists -f compact -i file%d -t file -o append", i+1)
	}
	for name, others := range map[string][]string{
		"gen":            nil,
		"gen and sign":   {signing},
		"gen and manage": {"manage_digest_lists -d lists -p convert-rpm on-disk --rpm-keys RPM-GPG-KEY-golden"},
		"gen and setup":  {"setup_ima_digest_lists immutable -d lists -D TREE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := hosttest.MemoryFolder(t)
			shell(t, dir, start)
			for i, words := range others {
				others[i] = strings.ReplaceAll(words, "TREE", filepath.Join(dir, "tree"))
			}
			atOnce(t, dir, append(slices.Clone(appending), others...))
			positions := make(map[string]bool)
			for _, n := range names(t, dir) {
				position, _, _ := strings.Cut(strings.TrimLeft(n, "- "), "-")
				if positions[position] {
					t.Errorf("two lists at %s: %q", position, names(t, dir))
				}
				positions[position] = true
			}
			for i := range appending {
				found, err := filepath.Glob(filepath.Join(dir, "lists", fmt.Sprintf("*-compact-file%d", i+1)))
				if len(found) != 1 || err != nil {
					t.Errorf("lists of file%d: %q, %v", i+1, found, err)
				}
			}
			if left, err := filepath.Glob(filepath.Join(dir, ".lists.new-*")); len(left) > 0 || err != nil {
				t.Errorf("left: %q, %v", left, err)
			}
			if r := run(t, dir, "manage_digest_lists -d lists -p dump"); r.code != 0 {
				t.Errorf("%s", r.stderr)
			}
		})
	}
}

// Readers see the directory before a change or after it, at any time.
func TestReaderDuringChanges(t *testing.T) {
	dir := hosttest.MemoryFolder(t)
	shell(t, dir, prepared)
	var change sync.WaitGroup
	done := make(chan struct{})
	change.Go(func() {
		defer close(done)
		for range 10 {
			for _, words := range []string{adding, "gen_digest_lists -d lists -o remove -t file -p 1"} {
				if r := run(t, dir, words); r.code != 0 {
					t.Errorf("%s: exit %d\n%s", words, r.code, r.stderr)
				}
			}
		}
	})
	for reads := 0; ; reads++ {
		r := run(t, dir, "manage_digest_lists -d lists -p dump")
		if r.code != 0 && !strings.Contains(r.stderr, "was changed by somebody else meanwhile") {
			t.Errorf("exit %d\n%s", r.code, r.stderr)
		}
		select {
		case <-done:
			change.Wait()
			t.Logf("%d reads", reads)
			return
		default:
		}
	}
}
