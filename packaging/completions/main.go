// Command completions makes the completions of the tools for bash, zsh and fish, from
// what their --help says.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: completions BIN_DIR OUTPUT_DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "completions: error:", err)
		os.Exit(3)
	}
}
