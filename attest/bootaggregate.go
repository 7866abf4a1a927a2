package attest

import (
	"bytes"
	"fmt"

	"digestlists/compact"
	"digestlists/internal/hashes"
)

// BootAggregateName is the name of the entry that a list begins with: the digest over the
// PCRs of the boot before the kernel.
const BootAggregateName = "boot_aggregate"

// BootAggregate returns over which PCRs the digest of a boot_aggregate is: "0-7" or
// "0-9". It is "" if neither is, and known is false if the values are not there to tell.
//
// SHA-1 is over PCRs 0 to 7. Other algorithms are over 0 to 9 since Linux 5.8, and over 0
// to 7 before, always of the bank of the same algorithm.
func BootAggregate(bank compact.Algorithm, digest []byte, values *PCRs) (over string, known bool, err error) {
	last := 9
	if bank == compact.SHA1 {
		last = 7
	}
	h, err := hashes.New(bank)
	if err != nil {
		return "", false, err
	}
	for pcr := 0; pcr <= last; pcr++ {
		value := values.Value(bank, pcr)
		if value == nil {
			return "", known, nil
		}
		h.Write(value)
		if pcr != 7 && pcr != 9 {
			continue
		}
		known = known || pcr == last
		if bytes.Equal(h.Sum(nil), digest) {
			return fmt.Sprintf("0-%d", pcr), true, nil
		}
	}
	return "", known, nil
}

// MakeBootAggregate returns the digest of a boot_aggregate of Linux 5.8 and later: over PCRs
// 0 to 9 of the bank, for SHA-1 over 0 to 7. The values have to be those of the boot, and a
// missing one is an error.
func MakeBootAggregate(bank compact.Algorithm, values *PCRs) ([]byte, error) {
	last := 9
	if bank == compact.SHA1 {
		last = 7
	}
	h, err := hashes.New(bank)
	if err != nil {
		return nil, err
	}
	for pcr := 0; pcr <= last; pcr++ {
		value := values.Value(bank, pcr)
		if value == nil {
			return nil, fmt.Errorf("no value of PCR %d in bank %s, which boot_aggregate covers", pcr, bank)
		}
		h.Write(value)
	}
	return h.Sum(nil), nil
}
