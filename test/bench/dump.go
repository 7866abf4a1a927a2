package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"digestlists/compact"
)

// dumpRecords is how many records there are to print.
const dumpRecords = 1_000_000

func (in inputs) records(format string) string {
	return filepath.Join(string(in), "records", format)
}

// makeRecords makes a list of each of the formats that grow with a system, in folders of
// their own: digests alone, and records of files as packages have them.
func makeRecords(dir string) error {
	block := compact.Block{Type: compact.TypeFile, Modifiers: compact.Immutable, Algorithm: compact.SHA256}
	return errors.Join(
		makeRecordList(dir, "compact", func(w io.Writer) error {
			list := compact.NewWriter(w)
			for i := range dumpRecords {
				if err := list.Add(block, recordDigest(i)); err != nil {
					return err
				}
			}
			return list.Close()
		}),
		makeRecordList(dir, "compact_tlv", func(w io.Writer) error {
			list := compact.NewTLVWriter(w)
			for i := range dumpRecords {
				if err := list.Add(block, newRecord(i)); err != nil {
					return err
				}
			}
			return list.Close()
		}))
}

func newRecord(i int) *compact.Record {
	r := &compact.Record{Digest: recordDigest(i), Path: fmt.Sprintf("/usr/lib/python3/dist-packages/module%d/file%d.py", i/100, i)}
	r.SetOwner(0, 0)
	r.SetMode(0o100644)
	r.SetSize(int64(i))
	return r
}

func recordDigest(i int) []byte {
	digest := make([]byte, compact.SHA256.Size())
	binary.LittleEndian.PutUint64(digest, uint64(i)*0x9e3779b97f4a7c15)
	return digest
}

func makeRecordList(dir, format string, fill func(io.Writer) error) error {
	folder := filepath.Join(dir, format)
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(folder, "0-file_list-"+format+"-records"))
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	return errors.Join(fill(w), w.Flush(), f.Close())
}

// dump prints a list; the limit is far less than what the list itself has.
func (b bench) dump(format string) job {
	return job{
		name: "dump --json, a million records, " + format,
		contenders: []contender{
			command{argv: []string{b.tool("manage_digest_lists"), "-d", b.records(format), "-p", "dump", "--json"}}.run,
		},
		check:  func() error { return nil }, // it has exited 0
		figure: func(s []float64) float64 { return dumpRecords / s[0] },
		unit:   "records/s", atLeast: true, target: 1_000_000, limit: 24 * mebibyte,
	}
}
