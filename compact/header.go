package compact

import (
	"encoding/binary"
	"fmt"
)

// HeaderSize is the size of a block header in bytes.
const HeaderSize = 16

const (
	versionDigests = 1
	versionTLV     = 2
)

// Block is what the digests of one block have in common.
type Block struct {
	Type      Type
	Modifiers Modifiers
	Algorithm Algorithm
}

// Header is a block header.
type Header struct {
	Block
	Version uint8
	Count   uint32 // digests, or records in compact_tlv
	DataLen uint32 // bytes that follow the header
}

// ParseHeader reads the header of a block of a compact list, the first [HeaderSize] bytes of
// b. It does not compare the data length with the count, as a [Reader] does. Errors are
// ErrTruncated, and those for version, type and algorithm.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, fmt.Errorf("%w: %d bytes, want %d", ErrTruncated, len(b), HeaderSize)
	}
	return decodeHeader(b, versionDigests, SHA3_512)
}

// decodeHeader reads the fields of HeaderSize bytes and checks those that do not depend on the
// version: both formats know the same types.
func decodeHeader(b []byte, version uint8, maxAlgorithm Algorithm) (Header, error) {
	h := Header{
		Version: b[0],
		Block: Block{
			Type:      Type(binary.LittleEndian.Uint16(b[2:])),
			Modifiers: Modifiers(binary.LittleEndian.Uint16(b[4:])),
			Algorithm: Algorithm(binary.LittleEndian.Uint16(b[6:])),
		},
		Count:   binary.LittleEndian.Uint32(b[8:]),
		DataLen: binary.LittleEndian.Uint32(b[12:]),
	}
	switch {
	case h.Version != version:
		return Header{}, fmt.Errorf("%w: %d, want %d", ErrUnsupportedVersion, h.Version, version)
	case !h.Type.Valid():
		return Header{}, fmt.Errorf("%w: %d, want 0 to %d", ErrUnsupportedType, h.Type, len(typeNames)-1)
	case h.Algorithm > maxAlgorithm:
		return Header{}, fmt.Errorf("%w: %d, want 0 to %d", ErrUnsupportedAlgorithm, h.Algorithm, maxAlgorithm)
	}
	return h, nil
}

func (h Header) append(b []byte) []byte {
	b = append(b, h.Version, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(h.Type))
	b = binary.LittleEndian.AppendUint16(b, uint16(h.Modifiers))
	b = binary.LittleEndian.AppendUint16(b, uint16(h.Algorithm))
	b = binary.LittleEndian.AppendUint32(b, h.Count)
	return binary.LittleEndian.AppendUint32(b, h.DataLen)
}
