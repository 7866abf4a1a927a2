package rpmhdr_test

import (
	"fmt"
	"log"
	"os"

	"digestlists/parsers/rpmhdr"
)

// The configuration files of a package, from the header at its front.
func ExampleFiles() {
	blob, err := os.ReadFile("testdata/g256-1.2-3.x86_64.header")
	if err != nil {
		log.Fatal(err)
	}
	header, err := rpmhdr.Parse(blob)
	if err != nil {
		log.Fatal(err)
	}
	name, _ := header.String(rpmhdr.Name)

	var files rpmhdr.Files
	if err := files.Load(header); err != nil {
		log.Fatal(err)
	}
	for files.Next() {
		if files.Flags()&rpmhdr.FileConfig == 0 {
			continue
		}
		fmt.Printf("%s: %s %o %v %x\n", name, files.Path(), files.Mode(), files.Algorithm(), files.Digest()[:4])
	}
	// Output:
	// g256: /etc/g256/g256.conf 100644 sha256 b5055bbc
	// g256: /etc/g256/noreplace.conf 100600 sha256 f352615d
	// g256: /etc/g256/secret.key 100400 sha256 b37e50ce
}
