package attest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"digestlists/compact"
	"digestlists/internal/regular"
)

// maxPCRFile bounds a file of PCR values, in bytes: 24 values of 16 banks as text are
// far smaller.
const maxPCRFile = 1 << 20

// A PCRHint says what a file of PCR values may not say itself.
type PCRHint struct {
	Bank      compact.Algorithm // of files that name none; 0 means SHA-1 where there is an index
	PCR       int               // of a file that is a single value
	Selection []SelectedBank    // of a file that is nothing but values, see ParsePCRs
}

// ReadPCRs reads a file of PCR values, or the folder of a bank in sysfs such as
// /sys/class/tpm/tpm0/pcr-sha256. Bank and number of a file in such a folder are taken
// from its path. A device such as /dev/tpmrm0, or the socket of a software TPM, is asked for
// all its PCRs. "ALGORITHM,FILE", as evmctl has it, names the bank of a file that does not.
func ReadPCRs(path string, selection []SelectedBank) (*PCRs, error) {
	hint := PCRHint{PCR: -1, Selection: selection}
	if name, rest, ok := strings.Cut(path, ","); ok {
		if bank, err := parseBank(name); err == nil {
			hint.Bank, path = bank, rest
		}
	}
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil, err
	case info.IsDir():
		return readPCRFolder(path)
	case isTPM(info.Mode()):
		return readTPM(path, info.Mode())
	}
	return readPCRFile(path, hint)
}

func readPCRFile(path string, hint PCRHint) (*PCRs, error) {
	if bank, pcr, ok := sysfsPCR(path); ok {
		hint.Bank, hint.PCR = bank, pcr
	}
	data, err := regular.ReadFile(path, 0, maxPCRFile)
	if errors.Is(err, regular.ErrTooLarge) {
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err != nil {
		return nil, err
	}
	pcrs, err := ParsePCRs(data, hint)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return pcrs, nil
}

// readPCRFolder reads the files of a folder that are named after PCRs.
func readPCRFolder(dir string) (*PCRs, error) {
	all := new(PCRs)
	for pcr := range NumPCRs {
		path := filepath.Join(dir, strconv.Itoa(pcr))
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			continue
		}
		if _, _, ok := sysfsPCR(path); !ok {
			return nil, fmt.Errorf("%s: %w: a folder of PCR values, want a name such as pcr-sha256", dir, ErrMalformed)
		}
		values, err := readPCRFile(path, PCRHint{})
		if err != nil {
			return nil, err
		}
		if err := all.Merge(values); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if len(all.banks) == 0 {
		return nil, fmt.Errorf("%s: %w: a folder without PCR values", dir, ErrMalformed)
	}
	return all, nil
}

// sysfsPCR takes .../pcr-sha256/10 apart.
func sysfsPCR(path string) (bank compact.Algorithm, pcr int, ok bool) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return 0, 0, false
	}
	name, ok := strings.CutPrefix(filepath.Base(filepath.Dir(abs)), "pcr-")
	if !ok {
		return 0, 0, false
	}
	if bank, err = parseBank(name); err != nil {
		return 0, 0, false
	}
	pcr, ok = parsePCR(filepath.Base(abs))
	return bank, pcr, ok
}

// parseBank takes the names of the kernel and, with underscores, of tpm2-tools.
func parseBank(name string) (compact.Algorithm, error) {
	return compact.ParseAlgorithm(strings.ReplaceAll(name, "_", "-"))
}

func parsePCR(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 8)
	return int(n), err == nil && n < NumPCRs
}

// ParsePCRs reads PCR values in one of these forms, told apart by content:
//
//   - the text of tpm2_pcrread, or of tpm2_quote with its part "pcrs";
//   - lines of `bank:index:hex`;
//   - lines of `PCR-00: 3A 3F …`, as older kernels list them and evmctl reads them, of
//     the bank of the hint;
//   - lines of `sha256: TPM PCR-10: hex`, among others, as `evmctl ima_measurement -v` prints them;
//   - a single value in hex, as in sysfs, of the PCR of the hint;
//   - what tpm2_quote -o writes: a TPML_PCR_SELECTION and TPML_DIGEST structures, in C
//     layout and little-endian; or with -F values the bare values, in the order of the
//     selection of the hint.
//
// An input without values is ErrMalformed.
func ParsePCRs(data []byte, hint PCRHint) (*PCRs, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: an empty file, want PCR values", ErrTruncated)
	}
	if isText(data) {
		return parsePCRText(string(data), hint)
	}
	if looksSerialized(data) {
		return parseSerialized(data)
	}
	if hint.Selection == nil {
		return nil, fmt.Errorf("%w: neither text nor the serialized output of tpm2_quote", ErrMalformed)
	}
	return parseValues(data, hint.Selection)
}

func isText(data []byte) bool {
	return bytes.IndexFunc(data, func(c rune) bool { return c > '~' || c < ' ' && c != '\n' && c != '\t' && c != '\r' }) < 0
}

// parseValues splits bare values.
func parseValues(data []byte, selection []SelectedBank) (*PCRs, error) {
	pcrs := new(PCRs)
	rest := data
	for _, selected := range selection {
		size := selected.Bank.Size()
		for _, pcr := range selected.PCRs {
			if len(rest) < size {
				return nil, fmt.Errorf("%w: %d bytes of PCR values, fewer than were quoted", ErrTruncated, len(data))
			}
			if err := pcrs.Set(selected.Bank, pcr, rest[:size]); err != nil {
				return nil, err
			}
			rest = rest[size:]
		}
	}
	if len(pcrs.banks) == 0 {
		return nil, fmt.Errorf("%w: no PCR values", ErrMalformed)
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: %d bytes after the PCR values that were quoted", ErrMalformed, len(rest))
	}
	return pcrs, nil
}

// Layout of the C structures TPML_PCR_SELECTION (u32 count and 16 times u16
// algorithm, u8 size, 4 bytes of bits and one of padding) and TPML_DIGEST (u32 count and 8
// times u16 size and 64 bytes) of the TPM software stack, in bytes.
const (
	maxSelections   = 16
	selectionSize   = 8
	selectionsSize  = 4 + maxSelections*selectionSize
	digestsInList   = 8
	digestSize      = 2 + compact.MaxDigestSize
	digestListSize  = 4 + digestsInList*digestSize
	maxDigestLists  = maxSelections * NumPCRs / digestsInList
	maxSelectedByte = 4
)

func looksSerialized(data []byte) bool {
	if len(data) < selectionsSize+4 || (len(data)-selectionsSize-4)%digestListSize != 0 {
		return false
	}
	count := binary.LittleEndian.Uint32(data)
	lists := binary.LittleEndian.Uint32(data[selectionsSize:])
	return count <= maxSelections && int64(lists) == int64((len(data)-selectionsSize-4)/digestListSize)
}

// parseSerialized reads both structures; looksSerialized has checked the sizes.
func parseSerialized(data []byte) (*PCRs, error) {
	selection, err := parseCSelection(data[:selectionsSize])
	if err != nil {
		return nil, err
	}
	lists := data[selectionsSize+4:]
	if len(lists)/digestListSize > maxDigestLists {
		return nil, fmt.Errorf("%w: %d lists of digests, want at most %d", ErrMalformed, len(lists)/digestListSize, maxDigestLists)
	}
	var values []byte
	for ; len(lists) > 0; lists = lists[digestListSize:] {
		count := binary.LittleEndian.Uint32(lists)
		if count > digestsInList {
			return nil, fmt.Errorf("%w: %d digests in a list, want at most %d", ErrMalformed, count, digestsInList)
		}
		for i := range int(count) {
			digest := lists[4+i*digestSize:]
			size := binary.LittleEndian.Uint16(digest)
			if size > compact.MaxDigestSize {
				return nil, fmt.Errorf("%w: a digest of %d bytes, want at most %d", ErrMalformed, size, compact.MaxDigestSize)
			}
			values = append(values, digest[2:2+size]...)
		}
	}
	return parseValues(values, selection)
}

func parseCSelection(data []byte) ([]SelectedBank, error) {
	count := int(binary.LittleEndian.Uint32(data))
	selection := make([]SelectedBank, 0, count)
	for i := range count {
		item := data[4+i*selectionSize:]
		bits := int(item[2])
		if bits > maxSelectedByte {
			return nil, fmt.Errorf("%w: a selection of %d bytes, want at most %d", ErrMalformed, bits, maxSelectedByte)
		}
		selected, err := selectBank(binary.LittleEndian.Uint16(item), item[3:3+bits])
		if err != nil {
			return nil, err
		}
		selection = append(selection, selected)
	}
	return selection, nil
}
