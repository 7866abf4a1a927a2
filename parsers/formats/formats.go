// Package formats is the registry of the formats that a digest list may have. It
// links parsers only, no database and no package reader, so that the program that
// loads lists at boot can use it.
package formats

import (
	"digestlists/parsers"
	"digestlists/parsers/ascii"
	"digestlists/parsers/compactlist"
	"digestlists/parsers/imalog"
	"digestlists/parsers/rpmlist"
	"digestlists/parsers/tlv"
)

// Lists returns the list formats. A new one is one more row.
func Lists() parsers.Registry {
	return parsers.Registry{
		{Name: compactlist.Format, Help: "the kernel's own format", Parser: compactlist.Parser{}},
		{Name: compactlist.TLVFormat, Help: "compact list with paths and attributes", Parser: compactlist.TLVParser{}},
		{Name: rpmlist.Format, Help: "header of an RPM package", Parser: rpmlist.Parser{}},
		{Name: imalog.Format, Help: "IMA measurement list", Parser: imalog.Parser{}},
		{Name: "ascii", Help: "checksum file", Parser: ascii.Parser{}},
		{Name: tlv.Format, Help: "list of the Integrity Digest Cache", Parser: tlv.Parser{}},
	}
}
