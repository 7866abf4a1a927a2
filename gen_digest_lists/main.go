// Command gen_digest_lists makes, signs and removes IMA digest lists.
package main

import "os"

func main() {
	os.Exit(newApp().Run(os.Args, os.Stdout, os.Stderr))
}
