// Package rpmdb reads RPM's database of installed packages as raw header blobs.
//
// Three backends are known, told apart by content and never by name:
//
//   - SQLite (rpmdb.sqlite), also while its write-ahead log holds packages that
//     are not in the main file yet;
//   - NDB (Packages.db), of SUSE;
//   - Berkeley DB hash files (Packages), of either byte order.
//
// The one promise is that no package is lost: whatever contradicts that all of
// them were found, complete and in one consistent state, is an error. These are
// the checks that each backend allows for; a caller that wants the content of the
// headers checked as well verifies their digests, as [Source] does.
//
//   - SQLite: a walk over all tables and indexes, in which every page of the file is
//     used once, cells and free space make up each page, and rows are in order; the
//     number of packages compared with that of the index of names; checksums of the log.
//   - NDB: slot and blob magics, sizes, Adler-32 checksums, no blob in two slots
//     and nothing between the blobs but zeros, so that a lost slot shows.
//   - Berkeley DB: page numbers, item bounds, number of keys, lengths and back
//     links of overflow chains.
//
// Nothing is ever written, created or locked against writers in the database's
// folder, which may be read-only. A database with a log or an unfinished
// transaction is copied to a private temporary folder and recovered there. One that
// changes while it is read is read again, a few times, and then refused.
package rpmdb
