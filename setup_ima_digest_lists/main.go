// Command setup_ima_digest_lists takes a machine from a stock system to digest
// lists, and back.
package main

func main() {
	newApp().Main()
}
