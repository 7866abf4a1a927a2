// Command pcr prints a register of the SHA-256 bank of the guest's TPM. Kernels before
// 5.12 show none in sysfs: pcr REGISTER
package main

import (
	"fmt"
	"os"
	"strconv"

	"digestlists/attest"
	"digestlists/compact"
)

func main() {
	value, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "pcr:", err)
		os.Exit(1)
	}
	fmt.Printf("%x\n", value)
}

func read(register string) ([]byte, error) {
	number, err := strconv.Atoi(register)
	if err != nil {
		return nil, err
	}
	pcrs, err := attest.ReadPCRs("/dev/tpm0", nil)
	if err != nil {
		return nil, err
	}
	value := pcrs.Value(compact.SHA256, number)
	if value == nil {
		return nil, fmt.Errorf("the TPM has no register %d of SHA-256", number)
	}
	return value, nil
}
