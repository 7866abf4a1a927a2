// Package journal keeps what a set-up changes, so that all of it can be taken back to
// the byte, also after a run that was killed at any point.
//
// A journal is a folder: the file journal has one record on a line, in JSON, each written
// and synced before what it announces is done; files holds the content that
// changed files had. Work is done in groups. A group begins, names the files that it
// may touch, each of which is saved with its attributes before anything is changed, and
// ends:
//
//	g, err := j.Begin("bootloader", "/etc/grub.d/41_digest_lists", "/boot/grub/grub.cfg")
//	…                    // change these files, in any way
//	err = j.End(g)
//
// Undo takes a group back, whether it has ended or was cut short. Groups are taken back
// last first. A path may be a folder, which is then saved with all that is in it, and may be
// absent, along with folders above it.
//
// What is restored: kind, content, owner, mode, time of modification and extended
// attributes of files, folders and symbolic links, and the time of the folders
// that they are in.
package journal
