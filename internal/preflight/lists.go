package preflight

import (
	"errors"
	"fmt"
	"io/fs"
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
			return amiss(Error, err.Error(), "how many digests the kernel takes is not known", "boot with ima_digest_db_size=64M")
		}
	}
	dir, err := listdir.Open(m.path(m.Dir))
	if missing(err) {
		return fine("%s: there are no lists yet", m.Dir)
	}
	const unknown = "whether the lists fit into the kernel's table is not known"
	if err != nil {
		return m.unread(m.Dir, err, unknown)
	}
	defer dir.Close()
	cost, err := costOf(dir)
	if errors.Is(err, fs.ErrPermission) {
		return m.unread(m.Dir, err, unknown)
	}
	if err != nil {
		return amiss(Error, fmt.Sprintf("%s: %v", m.Dir, err), "what this list says, no kernel will know",
			"remove it, or make it again with gen_digest_lists; "+m.tool("check")+" names every such list")
	}
	text := fmt.Sprintf("%d lists take %d of %d bytes of the kernel's table", len(dir.Lists()), cost, limit)
	if cost > limit {
		return amiss(Error, text, "those that come last have no room", "boot with ima_digest_db_size=64M, or do without some lists")
	}
	return fine("%s", text)
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
