package compact

import (
	"fmt"
	"strings"
)

// Algorithm is a hash algorithm as the kernel numbers it: enum hash_algo of
// include/uapi/linux/hash_info.h. The number is what compact lists and
// security.ima carry.
type Algorithm uint16

// The algorithms, in kernel order. Kernels with the digest-list extension know
// the ids up to SM3 (Linux 4.19) or Streebog512 (5.10) and refuse the others.
const (
	MD4 Algorithm = iota
	MD5
	SHA1
	RMD160
	SHA256
	SHA384
	SHA512
	SHA224
	RMD128
	RMD256
	RMD320
	WP256
	WP384
	WP512
	TGR128
	TGR160
	TGR192
	SM3
	Streebog256
	Streebog512
	SHA3_256
	SHA3_384
	SHA3_512
)

// MaxDigestSize is the size in bytes of the longest digest of any Algorithm.
const MaxDigestSize = 64

type algorithmInfo struct {
	name    string
	size    int
	openPGP uint8 // RFC 4880 section 9.4 and RFC 9580 section 9.5; 0: none
}

var algorithms = [...]algorithmInfo{
	MD4:         {"md4", 16, 0},
	MD5:         {"md5", 16, 1},
	SHA1:        {"sha1", 20, 2},
	RMD160:      {"rmd160", 20, 3},
	SHA256:      {"sha256", 32, 8},
	SHA384:      {"sha384", 48, 9},
	SHA512:      {"sha512", 64, 10},
	SHA224:      {"sha224", 28, 11},
	RMD128:      {"rmd128", 16, 0},
	RMD256:      {"rmd256", 32, 0},
	RMD320:      {"rmd320", 40, 0},
	WP256:       {"wp256", 32, 0},
	WP384:       {"wp384", 48, 0},
	WP512:       {"wp512", 64, 0},
	TGR128:      {"tgr128", 16, 0},
	TGR160:      {"tgr160", 20, 0},
	TGR192:      {"tgr192", 24, 0},
	SM3:         {"sm3", 32, 0},
	Streebog256: {"streebog256", 32, 0},
	Streebog512: {"streebog512", 64, 0},
	SHA3_256:    {"sha3-256", 32, 12},
	SHA3_384:    {"sha3-384", 48, 0},
	SHA3_512:    {"sha3-512", 64, 14},
}

// Algorithms returns all known algorithms in kernel order.
func Algorithms() []Algorithm {
	all := make([]Algorithm, len(algorithms))
	for i := range all {
		all[i] = Algorithm(i)
	}
	return all
}

// Valid reports whether a is one of the known algorithms.
func (a Algorithm) Valid() bool { return int(a) < len(algorithms) }

// Size returns the length of a digest in bytes, 0 for an unknown algorithm.
func (a Algorithm) Size() int {
	if !a.Valid() {
		return 0
	}
	return algorithms[a].size
}

// String returns the kernel's name of the algorithm, such as "sha256".
func (a Algorithm) String() string {
	if !a.Valid() {
		return fmt.Sprintf("algorithm(%d)", uint16(a))
	}
	return algorithms[a].name
}

// OpenPGP returns the number that OpenPGP, and with it RPM's FILEDIGESTALGO,
// gives the algorithm. ok is false where OpenPGP has none.
func (a Algorithm) OpenPGP() (id uint8, ok bool) {
	if !a.Valid() {
		return 0, false
	}
	id = algorithms[a].openPGP
	return id, id != 0
}

// ParseAlgorithm returns the algorithm of that name, in lower or upper case.
// "sm3-256" is accepted for SM3. An unknown name, also one that only starts
// like a known one, is ErrUnsupportedAlgorithm.
func ParseAlgorithm(name string) (Algorithm, error) {
	lower := strings.ToLower(name)
	if lower == "sm3-256" {
		return SM3, nil
	}
	for i, info := range algorithms {
		if info.name == lower {
			return Algorithm(i), nil
		}
	}
	return 0, fmt.Errorf("%w: %q", ErrUnsupportedAlgorithm, name)
}

// AlgorithmFromOpenPGP returns the algorithm with that OpenPGP number. One that is unknown
// or that the kernel has no number for is ErrUnsupportedAlgorithm.
func AlgorithmFromOpenPGP(id uint32) (Algorithm, error) {
	for i, info := range algorithms {
		if id != 0 && uint32(info.openPGP) == id {
			return Algorithm(i), nil
		}
	}
	return 0, fmt.Errorf("%w: OpenPGP hash %d", ErrUnsupportedAlgorithm, id)
}
