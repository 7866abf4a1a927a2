package kernel

import (
	"errors"
	"fmt"
	"io/fs"

	"digestlists/internal/kerneltable"
	"digestlists/internal/securityfs"
)

// A Model is a Target that no kernel sees: a model of its table, kept in a file.
type Model struct {
	*kerneltable.Table
	path      string
	operation kerneltable.Operation
	before    int
}

// OpenModel reads the table of a file. Where there is no file, the table is empty.
func OpenModel(path string, op securityfs.Operation) (*Model, error) {
	table, err := kerneltable.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		table, err = kerneltable.New(kerneltable.Limits{}), nil
	}
	if err != nil {
		return nil, err
	}
	m := &Model{Table: table, path: path, before: table.Count()}
	if op == securityfs.Delete {
		m.operation = kerneltable.Delete
	}
	return m, nil
}

// Upload does what one write to the kernel does.
func (m *Model) Upload(data []byte) error { return m.Write(m.operation, data) }

// Count returns digests_count.
func (m *Model) Count() (int, bool) { return m.Table.Count(), true }

// Save writes the file.
func (m *Model) Save() error { return m.Table.Save(m.path) }

// Summary says in a line what became of the table.
func (m *Model) Summary() string {
	return fmt.Sprintf("digests_count %d, was %d; %d of %d bytes used", m.Table.Count(), m.before, m.Used(), m.Budget())
}
