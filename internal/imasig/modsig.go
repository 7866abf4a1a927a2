package imasig

import (
	"bytes"
	"encoding/binary"
)

// The end of a file with an appended signature: struct module_signature of the
// kernel's include/linux/module_signature.h, and the marker.
const (
	appendedMarker   = "~Module signature appended~\n"
	appendedInfoSize = 12 // u8 algo, u8 hash, u8 id_type, u8 signer_len, u8 key_id_len, 3 × u8 pad, be32 sig_len
	idTypePGP        = 0
	idTypePKCS7      = 2
)

// SplitAppended separates a list from the PKCS#7 signature appended to it. Both are
// parts of data; neither is verified. ok is false, and content all of data, where the
// marker is not there. A marker without a proper structure before it is ErrMalformed.
func SplitAppended(data []byte) (content, pkcs7 []byte, ok bool, err error) {
	rest, ok := bytes.CutSuffix(data, []byte(appendedMarker))
	if !ok {
		return data, nil, false, nil
	}
	if len(rest) < appendedInfoSize {
		return nil, nil, false, malformed("appended signature: %d bytes before the marker, want at least %d", len(rest), appendedInfoSize)
	}
	end := len(rest) - appendedInfoSize
	info := rest[end:]
	switch {
	case info[2] == idTypePGP:
		return nil, nil, false, unsupported("appended signature: id type %d (OpenPGP), want %d (PKCS#7)", info[2], idTypePKCS7)
	case info[2] != idTypePKCS7:
		return nil, nil, false, malformed("appended signature: offset %d: id type %d, want %d", end+2, info[2], idTypePKCS7)
	case info[0]|info[1]|info[3]|info[4]|info[5]|info[6]|info[7] != 0:
		return nil, nil, false, malformed("appended signature: offset %d: fields % x that must be zero", end, info[:8])
	}
	size := binary.BigEndian.Uint32(info[8:])
	if size == 0 || uint64(size) > uint64(end) {
		return nil, nil, false, malformed("appended signature: offset %d: length %d, want 1 to %d", end+8, size, end)
	}
	start := end - int(size)
	return data[:start:start], data[start:end:end], true, nil
}

// joinAppended is the opposite of SplitAppended.
func joinAppended(content, pkcs7 []byte) []byte {
	info := make([]byte, appendedInfoSize)
	info[2] = idTypePKCS7
	binary.BigEndian.PutUint32(info[8:], uint32(len(pkcs7)))
	return bytes.Join([][]byte{content, pkcs7, info, []byte(appendedMarker)}, nil)
}
