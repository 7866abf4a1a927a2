// Package parsers is what readers of digests have in common, whatever they read them from:
// the [Entry], which is one file as a source knows it, and two interfaces that yield entries.
//
//   - A [Parser] reads one format of digest list. Package formats has those there are, by
//     the names that the formats have in the names of lists.
//   - A [Source] makes digest lists from what a system has. Each is a package below this
//     one: RPM databases (rpmdb) and packages (rpmpkg), measurement lists (imalog), audit
//     logs (audit), checksum files (ascii), policies of Keylime (keylime), directory trees
//     (tree) and programs (plugin).
//
// Both check their input fully. An error is yielded once, as the last element, and says
// that nothing of that list may be used; its class, for errors.Is, is one of package compact
// or of the package that reads the format.
package parsers
