// Command upload_digest_lists loads digest lists into the kernel, or converts
// them to one compact list.
package main

import "os"

func main() {
	log := &messages{stderr: os.Stderr}
	// The kernel starts its parser without an environment, and without anybody to
	// read what it prints.
	if len(os.Environ()) == 0 {
		log.openKernelLog()
	}
	os.Exit(newApp(log).Run(os.Args, os.Stdout, log))
}
