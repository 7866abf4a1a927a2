// Command manage_digest_lists shows what digest lists hold, compares them with each other
// and with files, and sets and repairs the attributes of files that they record.
package main

import "os"

func main() {
	os.Exit(newApp().Run(os.Args, os.Stdout, os.Stderr))
}
