package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"digestlists/compact"
)

// How many records there are to print.
const (
	dumpRecords = 1_000_000
	fewRecords  = 100_000
)

func (in inputs) records(format string) string {
	return filepath.Join(string(in), "records", format)
}

func (in inputs) fewRecords() string { return filepath.Join(string(in), "few-records") }

var recordBlock = compact.Block{Type: compact.TypeFile, Modifiers: compact.Immutable, Algorithm: compact.SHA256}

// makeRecords makes a list of each of the formats that grow with a system, in folders of
// their own: digests alone, and records of files as packages have them.
func makeRecords(dir string) error {
	return errors.Join(
		makeRecordList(filepath.Join(dir, "compact"), "compact", func(w io.Writer) error {
			list := compact.NewWriter(w)
			for i := range dumpRecords {
				if err := list.Add(recordBlock, recordDigest(i)); err != nil {
					return err
				}
			}
			return list.Close()
		}),
		makeRecordList(filepath.Join(dir, "compact_tlv"), "compact_tlv", tlvRecords(dumpRecords)))
}

func makeFewRecords(dir string) error {
	return makeRecordList(dir, "compact_tlv", tlvRecords(fewRecords))
}

func tlvRecords(n int) func(io.Writer) error {
	return func(w io.Writer) error {
		list := compact.NewTLVWriter(w)
		for i := range n {
			if err := list.Add(recordBlock, newRecord(i)); err != nil {
				return err
			}
		}
		return list.Close()
	}
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

func makeRecordList(folder, format string, fill func(io.Writer) error) error {
	return create(filepath.Join(folder, "0-file_list-"+format+"-records"), fill)
}

// dump prints a list; the limit is far less than what the list itself has.
func (b bench) dump(format string) job {
	return job{
		name:       "dump --json, a million records, " + format,
		contenders: []contender{b.dumpOf(b.records(format))},
		check:      done,
		figure:     rate(dumpRecords),
		unit:       "records/s", atLeast: true, target: 1_000_000, limit: 24 * mebibyte,
	}
}

// dumpMemory compares ten times the records, which may take no more memory.
func (b bench) dumpMemory() job {
	return job{
		name:       "dump --json, memory of a million records",
		contenders: []contender{b.dumpOf(b.records("compact_tlv")), b.dumpOf(b.fewRecords())},
		check:      done,
		baseline:   "the same with 100,000",
		figure:     func(s []sample) float64 { return float64(s[0].peak) / float64(s[1].peak) },
		target:     1.2,
	}
}

func (b bench) dumpOf(folder string) contender {
	return command{argv: []string{b.tool("manage_digest_lists"), "-d", folder, "-p", "dump", "--json"}}.run
}
