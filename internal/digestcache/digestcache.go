// Package digestcache is the folder of lists that the kernel's Integrity Digest Cache reads.
//
// That was proposed upstream in its version 6 of November 2024 (security/integrity/digest_cache
// there). Lists are called
//
//	[<sequence number>-]<format>-<label>
//
// with the formats tlv and rpm. The attribute security.digest_list of a file is the name of
// the list that has the file's digest. security.dig_prefetch of the folder, the digit 1, has
// the kernel read all lists up to the one that it looks for, those with sequence numbers
// first and by them, so that they are always measured in the same order.
package digestcache

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"digestlists/compact"
	"digestlists/internal/atomicfile"
	"digestlists/internal/decode"
	"digestlists/internal/listdir"
	"digestlists/internal/regular"
	"digestlists/parsers"
	"digestlists/parsers/formats"
	"digestlists/parsers/rpmlist"
	"digestlists/parsers/tlv"

	"golang.org/x/sys/unix"
)

// Default is the folder on a system.
const Default = "/etc/digest_lists"

// The attributes.
const (
	ListAttribute     = "security.digest_list"  // of a file: the name of its list
	PrefetchAttribute = "security.dig_prefetch" // of the folder
)

// Prefetch is the value of PrefetchAttribute.
var Prefetch = []byte("1")

// Unnumbered is the sequence number of a list that has none.
const Unnumbered = -1

// A Name is the name of a list taken apart.
type Name struct {
	Sequence int
	Format   string
	Label    string
}

// ParseName takes a name apart. ok is false if it is not that of a list.
func ParseName(file string) (n Name, ok bool) {
	n.Sequence = Unnumbered
	number, rest, dash := strings.Cut(file, "-")
	if sequence, err := strconv.ParseUint(number, 10, 31); err == nil && dash {
		n.Sequence, file = int(sequence), rest
	}
	n.Format, n.Label, _ = strings.Cut(file, "-")
	return n, (n.Format == tlv.Format || n.Format == rpmlist.Format) && n.Label != ""
}

// String returns the file name.
func (n Name) String() string {
	name := n.Format + "-" + n.Label
	if n.Sequence != Unnumbered {
		name = strconv.Itoa(n.Sequence) + "-" + name
	}
	return name
}

// Same reports whether two names are those of one list, whatever their sequence numbers.
func (n Name) Same(other Name) bool { return n.Format == other.Format && n.Label == other.Label }

// A List is a file of the folder.
type List struct {
	Name
	Path string
}

// Read returns the lists of a folder in the order in which the kernel reads them, as far as
// sequence numbers say: those without by name.
func Read(folder string) ([]List, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var lists []List
	for _, f := range files {
		if name, ok := ParseName(f.Name()); ok {
			lists = append(lists, List{name, filepath.Join(folder, f.Name())})
		}
	}
	slices.SortStableFunc(lists, func(a, b List) int {
		return cmp.Compare(uint(a.Sequence), uint(b.Sequence)) // without one comes last
	})
	return lists, nil
}

// Entries yields the files of a list that have a path.
func (l List) Entries() iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		content, err := regular.ReadFile(l.Path, unix.O_NOFOLLOW, listdir.MaxListSize)
		if err != nil {
			yield(nil, err)
			return
		}
		name := listdir.Name{Type: compact.TypeFile, Format: l.Format, Label: l.Label}
		for e, err := range decode.Entries(formats.Lists(), name, content, parsers.Options{Want: parsers.FieldPath}) {
			if err != nil {
				yield(nil, fmt.Errorf("%s: %w", l.Path, err))
				return
			}
			if e.Known&parsers.FieldPath != 0 && !yield(e, nil) {
				return
			}
		}
	}
}

// ErrTwice is a folder with a list under two sequence numbers.
var ErrTwice = errors.New("the same list twice")

// Number gives the lists sequence numbers in their order, and renames their files: all of them, or after an error none.
func Number(lists []List, dryRun bool) error {
	at := make(map[Name]string)
	var renames [][2]string
	for i := range lists {
		l := &lists[i]
		l.Sequence = i
		to := filepath.Join(filepath.Dir(l.Path), l.String())
		list := Name{Unnumbered, l.Format, l.Label}
		if at[list] != "" {
			return fmt.Errorf("%s and %s: %w", at[list], l.Path, ErrTwice)
		}
		if at[list] = l.Path; to != l.Path {
			renames = append(renames, [2]string{l.Path, to})
		}
		if !dryRun {
			l.Path = to
		}
	}
	if dryRun || len(renames) == 0 {
		return nil
	}
	for i, r := range renames {
		if err := rename(r[0], r[1]); err != nil {
			for _, done := range slices.Backward(renames[:i]) {
				err = errors.Join(err, rename(done[1], done[0]))
			}
			return err
		}
	}
	if err := atomicfile.SyncDir(filepath.Dir(renames[0][0])); err != nil {
		return fmt.Errorf("changes are in place, but maybe not durable: %w", err)
	}
	return nil
}

func rename(from, to string) error {
	if err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE); err != nil {
		return fmt.Errorf("rename %s to %s: %w", from, to, err)
	}
	return nil
}
