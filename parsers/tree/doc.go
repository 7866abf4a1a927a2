// Package tree makes digest lists of files and directory trees: the generator
// called compact.
//
// Files are hashed by several workers while directories are still being read, and
// come out in the order of a walk in which the names of each directory are
// sorted by their bytes, whatever the number of workers. Memory does not grow with the tree,
// but for the names of the directory being read.
//
// Nothing is left out silently. Only regular files have digests: in a tree, links, fifos,
// sockets and devices are passed over, but what cannot be read or changes while it
// is read is an error, and so is naming one of those as an input.
package tree
