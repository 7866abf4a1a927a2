package rpmhdr

import "fmt"

// A Tag names one value of a header: rpmTag_e of RPM's rpmtag.h.
type Tag uint32

// The tags that digest lists need. Signature headers of package files share the
// numbers of those below 1000; there, FileSignatures is SigFileSignatures.
const (
	HeaderImage      Tag = 61 // region of packages made before RPM 4
	HeaderSignatures Tag = 62 // region of signature headers
	HeaderImmutable  Tag = 63 // region that the vendor built and signed

	DSAHeader         Tag = 267 // OpenPGP signature over Magic and the immutable region
	RSAHeader         Tag = 268 // likewise
	SHA1Header        Tag = 269 // hex digest over the same
	SHA256Header      Tag = 273 // likewise
	SigFileSignatures Tag = 274 // FileSignatures in a signature header
	OpenPGP           Tag = 278 // base64 OpenPGP signatures over the same, RPM 6

	Name    Tag = 1000
	Version Tag = 1001
	Release Tag = 1002
	Arch    Tag = 1022

	OldFileNames  Tag = 1027 // whole paths, before RPM 4
	FileSizes     Tag = 1028 // u32, bytes
	FileModes     Tag = 1030 // u16, st_mode
	FileDigests   Tag = 1035 // hex, empty where a file has none
	FileFlags     Tag = 1037 // u32, rpmfileAttrs_e
	FileUserName  Tag = 1039
	FileGroupName Tag = 1040
	SourceRPM     Tag = 1044 // absent from source packages
	DirIndexes    Tag = 1116 // u32, into DirNames
	BaseNames     Tag = 1117
	DirNames      Tag = 1118 // each ends with a slash

	LongFileSizes       Tag = 5008 // u64, instead of FileSizes
	FileCaps            Tag = 5010 // text, as cap_to_text(3) makes it
	FileDigestAlgo      Tag = 5011 // u32, OpenPGP number; absent: MD5
	FileSignatures      Tag = 5090 // hex of security.ima, empty where a file has none
	FileSignatureLength Tag = 5091 // u32, bytes of the longest
)

var tagNames = map[Tag]string{
	HeaderImage:         "headerimage",
	HeaderSignatures:    "headersignatures",
	HeaderImmutable:     "headerimmutable",
	DSAHeader:           "dsaheader",
	RSAHeader:           "rsaheader",
	SHA1Header:          "sha1header",
	SHA256Header:        "sha256header",
	SigFileSignatures:   "filesignatures",
	OpenPGP:             "openpgp",
	Name:                "name",
	Version:             "version",
	Release:             "release",
	Arch:                "arch",
	OldFileNames:        "oldfilenames",
	FileSizes:           "filesizes",
	FileModes:           "filemodes",
	FileDigests:         "filedigests",
	FileFlags:           "fileflags",
	FileUserName:        "fileusername",
	FileGroupName:       "filegroupname",
	SourceRPM:           "sourcerpm",
	DirIndexes:          "dirindexes",
	BaseNames:           "basenames",
	DirNames:            "dirnames",
	LongFileSizes:       "longfilesizes",
	FileCaps:            "filecaps",
	FileDigestAlgo:      "filedigestalgo",
	FileSignatures:      "filesignatures",
	FileSignatureLength: "filesignaturelength",
}

// String returns RPM's name of the tag in lower case, or its number.
func (t Tag) String() string {
	if name, ok := tagNames[t]; ok {
		return name
	}
	return fmt.Sprintf("tag %d", uint32(t))
}

// kind is the type of a value: rpmTagType_e.
type kind uint32

const (
	kindChar kind = 1 + iota
	kindInt8
	kindInt16
	kindInt32
	kindInt64
	kindString
	kindBinary
	kindStrings
	kindI18N
)

var kindSizes = [...]uint32{kindChar: 1, kindInt8: 1, kindInt16: 2, kindInt32: 4, kindInt64: 8, kindBinary: 1}

var kindNames = [...]string{
	kindChar: "char", kindInt8: "int8", kindInt16: "int16", kindInt32: "int32", kindInt64: "int64",
	kindString: "string", kindBinary: "binary", kindStrings: "string array", kindI18N: "i18n string",
}

func (k kind) valid() bool { return k >= kindChar && k <= kindI18N }

// align returns what the offset of a value must be a multiple of.
func (k kind) align() uint32 {
	if k.text() {
		return 1
	}
	return kindSizes[k]
}

// text reports whether values of the type are NUL-terminated strings.
func (k kind) text() bool { return k == kindString || k == kindStrings || k == kindI18N }

func (k kind) String() string {
	if !k.valid() {
		return fmt.Sprintf("type %d", uint32(k))
	}
	return kindNames[k]
}
