package main

import (
	"bufio"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	knownFiles     = 100_000
	manyEntries    = 1_000_000
	fleet          = 1_000
	machineEntries = 5_000
)

// evidence is the folder of measurement lists, of which all entries are known.
func (in inputs) evidence() string { return filepath.Join(string(in), "evidence") }

func (in inputs) knownList() string { return filepath.Join(in.evidence(), "0-file_list-compact-known") }
func (in inputs) fleet() string     { return filepath.Join(in.evidence(), "fleet") }

// measured is the list with so many entries, and what it makes of PCR 10.
func (in inputs) measured(entries int) string {
	return filepath.Join(in.evidence(), fmt.Sprint(entries))
}

// makeEvidence makes lists of several sizes, and a fleet of machines with the same list.
func makeEvidence(into string) error {
	in := inputs(filepath.Dir(into))
	at := func(path string) string { return filepath.Join(into, filepath.Base(path)) }
	if err := errors.Join(makeKnown(at(in.knownList())), os.WriteFile(filepath.Join(into, "everything"), []byte("**\n"), 0o644)); err != nil {
		return err
	}
	for _, entries := range []int{machineEntries, knownFiles, manyEntries} {
		if err := makeMachine(at(in.measured(entries)), entries); err != nil {
			return err
		}
	}
	// Each machine has a folder of its own, with links to the same files.
	for i := range fleet {
		folder := filepath.Join(at(in.fleet()), fmt.Sprintf("machine%04d", i))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		for _, name := range []string{"measurements", "pcrs"} {
			if err := os.Link(filepath.Join(at(in.measured(machineEntries)), name), filepath.Join(folder, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeKnown writes the digest list.
func makeKnown(path string) error {
	return create(path, func(w io.Writer) error { return writeDigests(w, 0, knownFiles) })
}

func knownFile(i int) (digest [sha256.Size]byte, path string) {
	return sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i))), fmt.Sprintf("/usr/lib/x86_64/dir%d/file-number-%d", i%100, i)
}

// makeMachine writes a list of the template ima-ng, and the value of PCR 10 in two banks: as
// bank:index:hex, and of each bank as evmctl reads it.
func makeMachine(folder string, entries int) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	list, err := os.Create(filepath.Join(folder, "measurements"))
	if err != nil {
		return err
	}
	defer list.Close()
	w := bufio.NewWriter(list)
	var pcr1 [sha1.Size]byte
	var pcr256 [sha256.Size]byte
	for i := range entries {
		digest, path := knownFile(i % knownFiles)
		data := appendSized(appendSized(nil, append([]byte("sha256:\x00"), digest[:]...)), append([]byte(path), 0))
		sum1, sum256 := sha1.Sum(data), sha256.Sum256(data)
		entry := append(binary.LittleEndian.AppendUint32(nil, 10), sum1[:]...)
		w.Write(appendSized(appendSized(entry, []byte("ima-ng")), data))
		pcr1, pcr256 = sha1.Sum(append(pcr1[:], sum1[:]...)), sha256.Sum256(append(pcr256[:], sum256[:]...))
	}
	return errors.Join(w.Flush(), list.Close(),
		os.WriteFile(filepath.Join(folder, "pcrs"), fmt.Appendf(nil, "sha1:10:%x\nsha256:10:%x\n", pcr1, pcr256), 0o644),
		writeBank(filepath.Join(folder, "sha1"), pcr1[:]), writeBank(filepath.Join(folder, "sha256"), pcr256[:]))
}

func appendSized(dst, data []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(data))), data...)
}

// writeBank writes the PCRs of a bank as lines of "PCR-00: 3A 3F …", all but 10 being zero.
func writeBank(path string, pcr10 []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for pcr := range 24 {
		value := make([]byte, len(pcr10))
		if pcr == 10 {
			value = pcr10
		}
		if _, err := io.WriteString(f, fmt.Sprintf("PCR-%02d: % X\n", pcr, value)); err != nil {
			return err
		}
	}
	return f.Close()
}
