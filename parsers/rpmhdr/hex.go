package rpmhdr

// nibbles has the value of each hex digit, notHex for other bytes.
var nibbles = func() (table [256]byte) {
	for i := range table {
		table[i] = notHex
	}
	for i := range byte(16) {
		table["0123456789abcdef"[i]] = i
		table["0123456789ABCDEF"[i]] = i
	}
	return table
}()

const notHex = 0xf0

// decodeHex decodes 2×len(dst) hex digits of either case. It is encoding/hex
// without its branches for the byte that is wrong, which nobody asks for, and
// half its time: lists are mostly digests.
func decodeHex(dst, src []byte) bool {
	src = src[:2*len(dst)]
	var bad byte
	for i := range dst {
		high, low := nibbles[src[2*i]], nibbles[src[2*i+1]]
		dst[i] = high<<4 | low
		bad |= high | low
	}
	return bad&notHex == 0
}
