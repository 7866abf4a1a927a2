package imalog_test

import (
	"fmt"
	"io"
	"log"
	"os"

	"digestlists/parsers/imalog"
)

// The list of a machine, as its kernel has it in securityfs.
func ExampleReader() {
	f, err := os.Open("testdata/ima-ng.binary")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()

	r := imalog.NewReader(f)
	for range 2 {
		m, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		algorithm, digest, err := m.FileDigest()
		if err != nil {
			continue // of a buffer, for instance
		}
		fmt.Printf("PCR %d %s %v %x %s\n", m.PCR, m.Template, algorithm, digest[:4], m.Name())
	}
	// Output:
	// PCR 10 ima-ng sha256 143181f8 boot_aggregate
	// PCR 10 ima-ng sha256 3d9f2889 /bin/busybox
}
