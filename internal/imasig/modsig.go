package imasig

import (
	"bytes"
	"encoding/binary"
	"io"
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
	start, end, err := findAppended(data, int64(len(data)))
	if err != nil {
		return nil, nil, false, err
	}
	if start == end {
		return data, nil, false, nil
	}
	return data[:start:start], data[start:end:end], true, nil
}

// ContentSize returns how many bytes of a list of size bytes come before the signature
// that is appended to it: all, where there is none. It reads no more than the end.
func ContentSize(list io.ReaderAt, size int64) (int64, error) {
	tail := make([]byte, min(size, appendedInfoSize+int64(len(appendedMarker))))
	if _, err := list.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return 0, err
	}
	start, _, err := findAppended(tail, size)
	return start, err
}

// findAppended returns where the PKCS#7 signature of a file starts and ends, from the
// last bytes of the file; both are the size of the file if there is none.
func findAppended(tail []byte, size int64) (start, end int64, err error) {
	rest, ok := bytes.CutSuffix(tail, []byte(appendedMarker))
	if !ok {
		return size, size, nil
	}
	if len(rest) < appendedInfoSize {
		return 0, 0, malformed("appended signature: %d bytes before the marker, want at least %d", len(rest), appendedInfoSize)
	}
	info := rest[len(rest)-appendedInfoSize:]
	end = size - int64(len(appendedMarker)) - appendedInfoSize
	switch {
	case info[2] == idTypePGP:
		return 0, 0, unsupported("appended signature: id type %d (OpenPGP), want %d (PKCS#7)", info[2], idTypePKCS7)
	case info[2] != idTypePKCS7:
		return 0, 0, malformed("appended signature: offset %d: id type %d, want %d", end+2, info[2], idTypePKCS7)
	case info[0]|info[1]|info[3]|info[4]|info[5]|info[6]|info[7] != 0:
		return 0, 0, malformed("appended signature: offset %d: fields % x that must be zero", end, info[:8])
	}
	length := int64(binary.BigEndian.Uint32(info[8:]))
	if length == 0 || length > end {
		return 0, 0, malformed("appended signature: offset %d: length %d, want 1 to %d", end+8, length, end)
	}
	return end - length, end, nil
}

// joinAppended is the opposite of SplitAppended.
func joinAppended(content, pkcs7 []byte) []byte {
	info := make([]byte, appendedInfoSize)
	info[2] = idTypePKCS7
	binary.BigEndian.PutUint32(info[8:], uint32(len(pkcs7)))
	return bytes.Join([][]byte{content, pkcs7, info, []byte(appendedMarker)}, nil)
}
