package preflight

import (
	"fmt"
	"os"

	"digestlists/compact"
	"digestlists/internal/decode"
	"digestlists/internal/kerneltable"
	"digestlists/internal/listdir"
	"digestlists/internal/securityfs"
	"digestlists/parsers"
	"digestlists/parsers/formats"
)

// budget compares what the lists cost with what the kernel has for them.
func budget(m *Machine) []Finding {
	limit := int64(kerneltable.DefaultBudget)
	if c, err := securityfs.ReadCommandLine(m.path(securityfs.ProcMountPoint)); err == nil {
		if limit, err = c.Budget(kerneltable.DefaultBudget, kerneltable.MaxBudget); err != nil {
			return one(Error, err.Error(), "boot with ima_digest_db_size=64M")
		}
	}
	dir, err := listdir.Open(m.path(m.Dir))
	if missing(err) {
		return one(OK, m.Dir+": there are no lists yet", "")
	}
	if err != nil {
		return one(Unknown, err.Error(), "")
	}
	defer dir.Close()
	cost, err := costOf(dir)
	if err != nil {
		return one(Error, fmt.Sprintf("%s: %v", m.Dir, err), "remove this list, or make it again: gen_digest_lists(8)")
	}
	text := fmt.Sprintf("%d lists take %d of %d bytes of the kernel's table", len(dir.Lists()), cost, limit)
	if cost > limit {
		return one(Error, text+": those that come last have no room", "boot with ima_digest_db_size=64M, or do without some lists")
	}
	return one(OK, text, "")
}

// costOf returns what all digests of a directory cost, each counted once.
func costOf(dir *listdir.Dir) (int64, error) {
	type digest struct {
		kind      compact.Type
		algorithm compact.Algorithm
		sum       string
	}
	seen := make(map[digest]bool)
	var cost int64
	for _, l := range dir.Lists() {
		if l.Type == compact.TypeKey {
			continue
		}
		content, err := dir.ReadInto(l.File, nil)
		if err != nil {
			return 0, err
		}
		for e, err := range decode.Entries(formats.Lists(), l.Name, content, parsers.Options{}) {
			if err != nil {
				return 0, fmt.Errorf("%s: %w", l.File, err)
			}
			if d := (digest{e.Type, e.Algorithm, string(e.Digest)}); !seen[d] {
				seen[d] = true
				cost += kerneltable.Cost(e.Algorithm)
			}
		}
	}
	return cost, nil
}

// root is never "".
func (m *Machine) root() string {
	if m.Root == "" {
		return string(os.PathSeparator)
	}
	return m.Root
}
