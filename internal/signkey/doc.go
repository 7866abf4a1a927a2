// Package signkey loads private keys and signs digests with them, or has an
// outside command sign. It is apart from imasig so that what only verifies, such
// as the early-boot parser, does not link it.
package signkey
