// Command setup_ima_digest_lists takes a machine from a stock system to digest
// lists, and back. Under the name setup_ima_digest_lists_demo, it runs sequences of its
// commands.
package main

import (
	"os"
	"path/filepath"
)

func main() {
	if filepath.Base(os.Args[0]) == demoName {
		newDemoApp().Main()
	}
	newApp().Main()
}
