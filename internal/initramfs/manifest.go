package initramfs

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
)

// readManifest returns the values of security.ima in the form that getfattr(1) prints with
// -e hex: a line with the name of a file, one for each attribute, and an empty one.
// Unprintable characters of names are in octal, after a backslash.
func readManifest(text []byte) (map[string][]byte, error) {
	all := make(map[string][]byte)
	name := ""
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		line := lines.Text()
		if file, ok := strings.CutPrefix(line, "# file: "); ok {
			name = unquote(file)
		}
		value, ok := strings.CutPrefix(line, "security.ima=0x")
		if !ok {
			continue
		}
		var err error
		if all[name], err = hex.DecodeString(value); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

// unquote is the reverse of what getfattr does to names: a backslash and three octal digits.
func unquote(name string) string {
	var out strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '\\' && i+3 < len(name) {
			var b byte
			if n, err := fmt.Sscanf(name[i+1:i+4], "%03o", &b); n == 1 && err == nil {
				out.WriteByte(b)
				i += 3
				continue
			}
		}
		out.WriteByte(name[i])
	}
	return out.String()
}
