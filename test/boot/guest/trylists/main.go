// trylists plays a program that may upload lists: it writes those of a file to the
// kernel's table of digests, and prints for each how the kernel answers, and how many
// digests it knows then.
//
//	trylists FILE
//
// The file is a sequence of records: the operation, a or d, the size of the list in four
// bytes, the most significant first, and the list or its path. A line that is printed has the
// number of the error, 0 for none, and digests_count.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"digestlists/internal/securityfs"

	"golang.org/x/sys/unix"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path string) error {
	records, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for len(records) > 0 {
		end := 5 + binary.BigEndian.Uint32(records[1:])
		op := securityfs.Add
		if records[0] == 'd' {
			op = securityfs.Delete
		}
		if err := try(op, records[5:end]); err != nil {
			return err
		}
		records = records[end:]
	}
	return nil
}

func try(op securityfs.Operation, list []byte) error {
	window, err := securityfs.Open(securityfs.MountPoint, op, time.Sleep)
	if err != nil {
		return err
	}
	var errno unix.Errno
	if err := window.Upload(list); err != nil && !errors.As(err, &errno) {
		return err
	}
	count, ok := window.Count()
	if !ok {
		return errors.New("no digests_count")
	}
	fmt.Println(int(errno), count)
	return window.Close()
}
