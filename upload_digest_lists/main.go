// Command upload_digest_lists loads digest lists into the kernel, or converts
// them to one compact list.
package main

import "os"

func main() {
	os.Exit(newApp().Run(os.Args, os.Stdout, os.Stderr))
}
