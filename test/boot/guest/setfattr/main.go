// Command setfattr gives files a security attribute in a guest, whose busybox cannot,
// and whose initramfs has none: setfattr NAME VALUE-FILE FILE...
package main

import (
	"fmt"
	"os"

	"digestlists/internal/xattr"
)

func main() {
	value, err := os.ReadFile(os.Args[2])
	for _, file := range os.Args[3:] {
		if err == nil {
			err = xattr.Set(file, os.Args[1], value)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "setfattr:", err)
		os.Exit(1)
	}
}
