// Package capability converts the capabilities of files between text, as
// cap_to_text(3) writes and cap_from_text(3) reads it and RPM keeps it, and the
// value of security.capability.
//
// The value is struct vfs_cap_data or vfs_ns_cap_data of the kernel's
// include/uapi/linux/capability.h, little-endian:
//
//	offset  size  field
//	     0     4  revision << 24, 2 or 3; bit 0: effective
//	     4     4  permitted, capabilities 0 to 31
//	     8     4  inheritable, capabilities 0 to 31
//	    12     4  permitted, capabilities 32 to 63
//	    16     4  inheritable, capabilities 32 to 63
//	    20     4  revision 3 only: user who is root in the file's namespace
//
// The text has no place for that user; here ` [rootid=N]` follows, as `getcap -n`
// prints it.
//
// Libcap's own package for Go is not used: a second clause with "=" makes it forget
// the first one, what it calls "all" depends on the kernel that it runs on, and it
// gives out no values. Here, "all" and a clause without names are the capabilities of
// Linux 5.9 and later, whatever the machine, so that the same text is always the
// same bytes.
package capability
