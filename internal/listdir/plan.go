package listdir

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A Summary says what a transaction changed, by file names in loading order. A
// list that was both moved and changed is in both.
type Summary struct {
	Added     []string `json:"added"`
	Removed   []string `json:"removed"`
	Renamed   []Rename `json:"renamed"`
	Changed   []string `json:"changed"` // new content, attributes or signatures; the new names
	Unchanged int      `json:"unchanged"`
}

// A Rename is a list that was moved.
type Rename struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// A placement puts a file in place: one that was there, maybe under another
// name, or a staged one.
type placement struct {
	from, to string
	staged   bool
}

func (p placement) change() bool { return p.staged || p.from != p.to }

// A plan is what Commit has to do.
type plan struct {
	files   []placement // everything the new directory will hold, but the ParserLink
	gone    []string    // names that disappear and that nothing else is moved from
	link    string      // where the ParserLink leads; "" for nowhere
	relink  bool        // it does not do so now
	apart   []placement // what changes in the folder for signatures
	expired []string    // names there whose lists are gone
	summary Summary
}

// A final is a list with its name after the transaction.
type final struct {
	*item
	file string
}

// finals returns the lists in loading order, as they will be.
func (tx *Tx) finals() ([]final, error) {
	var all []final
	for _, items := range tx.items {
		for _, it := range items {
			if it.Position > MaxPosition {
				return nil, dirError(tx.path, fmt.Errorf("%w: list %q would move past %d", ErrPosition, it.old, MaxPosition))
			}
			all = append(all, final{it, it.Name.String()})
		}
	}
	slices.SortFunc(all, func(a, b final) int {
		return compareLists(List{Name: a.Name, File: a.file}, List{Name: b.Name, File: b.file})
	})
	return all, nil
}

// plan compares the model with the directory.
func (tx *Tx) plan() (*plan, error) {
	lists, err := tx.finals()
	if err != nil {
		return nil, err
	}
	p := &plan{}
	p.placeLists(lists, tx.dir)
	p.placeRest(tx.dir)
	p.summarize(lists, tx.dir)
	if i := slices.IndexFunc(lists, func(f final) bool { return f.isParser() }); i >= 0 {
		p.link = lists[i].file
	}
	p.relink = !tx.dir.linksTo(p.link)
	if err := tx.planApart(p, lists); err != nil {
		return nil, err
	}
	return p, nil
}

// keepsSignatures reports whether the detached signatures that the list had
// still fit: its content is the same.
func (it *item) keepsSignatures() bool {
	return it.old != "" && (it.staged == nil || it.staged.copyOf == it.old)
}

// signature returns the staged signature for a place. The last one counts.
func (it *item) signature(place Place, suffix string) (file string, ok bool) {
	fits := func(s stagedSignature) bool { return s.place == place && s.suffix == suffix }
	all := it.signatures
	if it.staged != nil {
		all = slices.Concat(it.staged.signatures, it.signatures)
	}
	for _, s := range slices.Backward(all) {
		if fits(s) {
			return s.file, true
		}
	}
	return "", false
}

// placeLists places the lists and the signatures beside them.
func (p *plan) placeLists(lists []final, dir *Dir) {
	signed := make(map[string]bool, len(dir.signatures))
	for _, s := range dir.signatures {
		signed[s] = true
	}
	for _, l := range lists {
		if l.staged != nil {
			p.files = append(p.files, placement{from: l.staged.file, to: l.file, staged: true})
		} else {
			p.files = append(p.files, placement{from: l.old, to: l.file})
		}
		if file, ok := l.signature(Beside, signatureSuffix); ok {
			p.files = append(p.files, placement{from: file, to: l.file + signatureSuffix, staged: true})
		} else if old := l.old + signatureSuffix; l.keepsSignatures() && signed[old] {
			p.files = append(p.files, placement{from: old, to: l.file + signatureSuffix})
		}
	}
}

// placeRest keeps what is neither a list nor the signature of one, and finds
// what is gone.
func (p *plan) placeRest(dir *Dir) {
	used := make(map[string]bool, 2*len(p.files))
	for _, f := range p.files {
		used[f.to] = true
	}
	for _, name := range dir.signatures {
		// One that was there before its list must not pass for the list's own.
		list := strings.TrimSuffix(name, signatureSuffix)
		if !used[name] && !used[list] && !dir.knows(list) {
			p.files = append(p.files, placement{from: name, to: name})
		}
	}
	for _, f := range p.files {
		used[f.to] = true
		if !f.staged {
			used[f.from] = true
		}
	}
	for _, l := range dir.lists {
		if !used[l.File] {
			p.gone = append(p.gone, l.File)
		}
	}
	for _, name := range dir.signatures {
		if !used[name] {
			p.gone = append(p.gone, name)
		}
	}
	p.files = slices.Grow(p.files, len(dir.others))
	for _, name := range dir.others {
		if name != ParserLink {
			p.files = append(p.files, placement{from: name, to: name})
		}
	}
}

func (p *plan) summarize(lists []final, dir *Dir) {
	s := Summary{Added: []string{}, Removed: []string{}, Renamed: []Rename{}, Changed: []string{}}
	kept := make(map[string]bool, len(lists))
	for _, l := range lists {
		if l.old == "" {
			s.Added = append(s.Added, l.file)
			continue
		}
		kept[l.old] = true
		moved, changed := l.old != l.file, l.staged != nil || len(l.signatures) > 0
		if moved {
			s.Renamed = append(s.Renamed, Rename{From: l.old, To: l.file})
		}
		if changed {
			s.Changed = append(s.Changed, l.file)
		}
		if !moved && !changed {
			s.Unchanged++
		}
	}
	for _, l := range dir.lists {
		if !kept[l.File] {
			s.Removed = append(s.Removed, l.File)
		}
	}
	p.summary = s
}

// linksTo reports whether the ParserLink leads to a file, or for "" is absent.
func (d *Dir) linksTo(file string) bool {
	if _, found := slices.BinarySearch(d.others, ParserLink); !found {
		return file == ""
	}
	buf := make([]byte, maxFileName+1)
	n, err := unix.Readlinkat(d.fd, ParserLink, buf)
	return err == nil && string(buf[:n]) == file && file != ""
}

// planApart does for the folder of signatures what placeLists does beside the
// lists.
func (tx *Tx) planApart(p *plan, lists []final) error {
	have, err := tx.readApart()
	if err != nil {
		return err
	}
	current := make(map[string]bool, len(have)) // names that belong to a list
	for _, l := range lists {
		for _, suffix := range apartSuffixes {
			to := l.file + suffix
			if file, ok := l.signature(Apart, suffix); ok {
				p.apart = append(p.apart, placement{from: file, to: to, staged: true})
				current[to] = true
			} else if old := l.old + suffix; have[old] && l.keepsSignatures() {
				current[to] = true
				if old != to {
					p.apart = append(p.apart, placement{from: old, to: to})
				}
			}
		}
	}
	for name := range have {
		list := apartList(name)
		_, listed := slices.BinarySearchFunc(lists, list, compareFile)
		if !current[name] && (listed || tx.dir.knows(list)) {
			p.expired = append(p.expired, name)
		}
	}
	slices.Sort(p.expired)
	return nil
}

// apartList returns the list that a file of the folder is the signature of.
func apartList(name string) string {
	for _, suffix := range slices.Backward(apartSuffixes) {
		if list, ok := strings.CutSuffix(name, suffix); ok {
			return list
		}
	}
	return name
}

// compareFile searches lists in loading order for a file name.
func compareFile(l final, file string) int {
	n, ok := ParseName(file)
	if !ok {
		return -1
	}
	return compareLists(List{Name: l.Name, File: l.file}, List{Name: n, File: file})
}
