// Package rpmpkg makes `rpm` digest lists from package files.
//
// A package file is a lead of 96 bytes, a signature header padded to 8 bytes, the
// header of the package, and its files in an archive. Only what comes before the
// archive is read.
package rpmpkg
