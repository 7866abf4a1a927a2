// Command verify_digest_lists checks the signatures of digest lists.
package main

import "os"

func main() {
	os.Exit(newApp().Run(os.Args, os.Stdout, os.Stderr))
}
