// Package stock tests the way from a stock machine to digest lists and back: what an
// administrator who has never done this types, on a machine that is made of this one's
// Debian packages, with a real maker of its initramfs, a real kernel and its boot.
package stock
