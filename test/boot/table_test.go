package boot_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"digestlists/internal/kerneltable"
	"digestlists/test/boot"

	"golang.org/x/sys/unix"
)

const tryLists = "/usr/bin/trylists"

// A step is one write to the kernel's table.
type step struct {
	name      string
	operation kerneltable.Operation
	data      []byte // a list
	path      string // or where it is in the guest
}

// The model of the kernel's table answers as the kernel does: to whole lists, to malformed
// ones, and to a thousand that chance made of them; and it holds as many digests
// after each of them.
func testTable(t *testing.T, kernel *boot.Kernel) {
	steps, files := tableSteps(t)
	for _, tt := range []struct {
		name   string
		table  *kerneltable.Table
		option string
	}{
		{"standard", kerneltable.New(kerneltable.Limits{}), ""},
		{"small", kerneltable.New(kerneltable.Limits{Budget: 1 << 10}), "ima_digest_db_size=1K"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := boot.Folder(t)
			program := build(t, dir, "./guest/trylists")
			all := append(files[:len(files):len(files)],
				boot.Program(tryLists, program), boot.Device("/dev/null", 1, 3), boot.Regular("/steps", records(steps)),
				boot.Regular("/parser", parserList(t, program)))
			g := boot.Boot(t, dir, boot.Machine{Kernel: kernel, Initrd: boot.Minimal(t, dir, all...), Options: append(measuringBoot, tt.option)})
			g.Must(t, "mount -t sysfs sysfs /sys && mount -t securityfs securityfs /sys/kernel/security")
			compareTables(t, g, tt.table, parserList(t, program), steps)
		})
	}
}

func compareTables(t *testing.T, g *boot.Guest, table *kerneltable.Table, parser []byte, steps []step) {
	_, code := g.Run(t, "echo /parser >/sys/kernel/security/ima/digest_list_data")
	if err := table.WriteFile(kerneltable.Add, int64(len(parser)), parser); (err == nil) != (code == 0) {
		t.Fatalf("the parser list: %v and exit %d", err, code)
	}
	answers := strings.Split(strings.TrimSuffix(g.Must(t, tryLists+" /steps"), "\n"), "\n")
	if len(answers) != len(steps) {
		t.Fatalf("%d answers to %d lists", len(answers), len(steps))
	}
	for i, s := range steps {
		err := s.on(table)
		var errno unix.Errno
		errors.As(err, &errno)
		if want := fmt.Sprint(int(errno), table.Count()); answers[i] != want {
			t.Fatalf("%s, operation %d: the kernel answers %q, the model %q (%v): %.200x", s.name, s.operation, answers[i], want, err, s.data)
		}
	}
}

// on does it to a model.
func (s *step) on(table *kerneltable.Table) error {
	if s.path != "" {
		return table.WriteFile(s.operation, int64(len(s.data)), s.data)
	}
	return table.Write(s.operation, s.data)
}

// records are steps as trylists reads them.
func records(steps []step) (all []byte) {
	for _, s := range steps {
		data := s.data
		if s.path != "" {
			data = []byte(s.path)
		}
		all = append(all, "ad"[s.operation])
		all = binary.BigEndian.AppendUint32(all, uint32(len(data)))
		all = append(all, data...)
	}
	return all
}

// changedLists is how many lists chance makes.
const changedLists = 1000

// tableSteps returns what to do with the lists of test/inputs, and the files of those
// that go by their path.
func tableSteps(t *testing.T) (steps []step, files []boot.File) {
	t.Helper()
	paths, err := filepath.Glob("../inputs/bad/compact-*")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d lists: %v", len(paths), err)
	}
	paths = append(paths, "../inputs/mix/1-file_list-compact-one", "../inputs/bad/tlv-ok", "../inputs/bad/rpm-trailing")
	const add, del = kerneltable.Add, kerneltable.Delete
	lists := [][]byte{{}}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lists = append(lists, content)
		name, at := filepath.Base(path), "/lists/"+filepath.Base(path)
		files = append(files, boot.Regular(at, content))
		steps = append(steps,
			step{name, add, content, ""}, step{name, add, content, ""}, step{name, del, content, ""},
			step{name, add, content, at}, step{name, del, content, at}, step{name, del, content, ""}, step{name, del, content, ""})
	}
	appended := slices.Concat(lists[1], []byte("PKCS7"), []byte{0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 5}, []byte("~Module signature appended~\n"))
	files = append(files, boot.Regular("/lists/appended", appended))
	steps = append(steps, step{"an empty list", add, nil, ""},
		step{"a missing file", add, []byte("/lists/missing"), ""},
		step{"a folder", add, []byte("/sys"), ""},
		step{"a control character", add, []byte("/lists/\x01"), ""},
		step{"an appended signature", add, appended, "/lists/appended"},
		step{"an appended signature", del, appended, "/lists/appended"})
	chance := rand.New(rand.NewPCG(1, 2))
	for i := range changedLists {
		list := change(chance, lists)
		if len(list) == 0 || list[0] == '/' {
			list = lists[1]
		}
		steps = append(steps, step{fmt.Sprint("changed list ", i), kerneltable.Operation(chance.IntN(2)), list, ""})
	}
	return steps, files
}

// change puts one or two lists together, and makes a few faults.
func change(chance *rand.Rand, lists [][]byte) []byte {
	list := bytes.Clone(lists[chance.IntN(len(lists))])
	if chance.IntN(2) == 0 {
		list = append(list, lists[chance.IntN(len(lists))]...)
	}
	for range chance.IntN(3) {
		if len(list) == 0 {
			break
		}
		switch at := chance.IntN(len(list)); chance.IntN(4) {
		case 0:
			list[at] ^= 1 << chance.IntN(8)
		case 1:
			list[at%16] = byte(chance.IntN(24)) // in the first header
		case 2:
			list = list[:at]
		default:
			list = append(list, list[at:]...)
		}
	}
	return list
}
