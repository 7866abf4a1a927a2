// Package boot starts machines for tests: QEMU without hardware support, Debian's
// cloud kernel, a TPM 2.0 by swtpm, an initramfs that the test made.
//
// A [Guest] is one machine that runs. What its kernel and programs print on the
// first serial line, the console, is kept, and [Guest.Wait] waits for a line of
// it. Where the guest runs the init of [Minimal], [Guest.Run] runs commands in it
// over the second serial line, so that one boot serves many tests.
//
// Nothing here sleeps: all waiting ends with a line, with the machine, or with the
// time that a boot is given. The console and the image of a failed test stay below
// build/boot, in a folder that begins with the test's name.
//
// Needs the packages that test/setup installs, and the kernel that it unpacks. With
// KERNEL=path in the environment another kernel is booted; its configuration tells
// whether it has digest lists, trusted keys, and a keyring .ima that takes certificates of
// an authority only. For the latter, KERNEL_CA=path names a PEM file with the key and
// certificate of one that is built into it (CONFIG_SYSTEM_TRUSTED_KEYS).
package boot
