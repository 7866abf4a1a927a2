package listdir

import (
	"path/filepath"
	"testing"
)

func manyLists(b *testing.B, n int) string {
	dir := filepath.Join(b.TempDir(), "lists")
	tx := begin(b, dir)
	content := make([]byte, 5000)
	for i := range n {
		s, err := tx.Stage(content)
		must(b, err)
		_, err = tx.Append(fileName(i, "package-1.0-1-x86_64"), s)
		must(b, err)
	}
	commit(b, tx)
	return dir
}

func BenchmarkAppend1500(b *testing.B) {
	for b.Loop() {
		manyLists(b, 1500)
	}
}

func BenchmarkRead15000(b *testing.B) {
	dir := manyLists(b, 15000)
	var buf []byte
	for b.Loop() {
		d, err := Open(dir)
		must(b, err)
		for _, l := range d.Lists() {
			buf, err = d.ReadInto(l.File, buf)
			must(b, err)
		}
		d.Close()
	}
}

func BenchmarkAppendTo15000(b *testing.B) {
	dir := manyLists(b, 15000)
	for b.Loop() {
		must(b, transaction(dir, addOne))
	}
}

func BenchmarkInsertInto15000(b *testing.B) {
	dir := manyLists(b, 15000)
	for b.Loop() {
		must(b, transaction(dir, func(tx *Tx) error {
			s, err := tx.Stage([]byte("new"))
			if err == nil {
				_, err = tx.Insert(fileName(0, "x"), s)
			}
			return err
		}))
	}
}

func BenchmarkDropHalfOf15000(b *testing.B) {
	dir := manyLists(b, 15000)
	for b.Loop() {
		tx, err := Begin(dir, Options{DryRun: true})
		must(b, err)
		for i, l := range tx.Dir().Lists() {
			if i%2 == 0 {
				must(b, tx.RemoveName(l.File))
			}
		}
		commit(b, tx)
	}
}
