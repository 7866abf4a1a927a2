#!/bin/sh
# Collects what an initramfs needs to load digest lists, when the initramfs is
# built. Read by the module of dracut and by the hook of initramfs-tools, which know
# how to add programs and hooks. boot.sh uses at boot what this has collected.
#
#   digestlists_wanted ROOT          is there anything to load?
#   digestlists_collect ROOT IMAGE   copies it from one tree to another
#
# ROOT is "" for the running system. Functions in parentheses are subshells: they
# leave nothing behind in the shell that called them.

# The kernel starts the program by this name and reads this directory: neither is
# for a configuration to change. Paths are relative to the root of a tree.
digestlists_uploader=usr/bin/upload_digest_lists
digestlists_dir=etc/ima/digest_lists
digestlists_attributes=etc/ima/digest_lists.attributes

digestlists_wanted() (
	[ -x "$1/$digestlists_uploader" ] || exit 1
	for list in "$1/$digestlists_dir"/*-*_list-*; do
		[ ! -f "$list" ] || exit 0
	done
	exit 1
)

digestlists_collect() (
	image=$2
	cd "${1:-/}" || exit 1
	for file in "$digestlists_uploader" "$digestlists_dir" "$digestlists_dir.sig" \
		etc/ima/digest_lists.conf etc/ima/ima-policy etc/keys/*.der; do
		[ -e "$file" ] || continue
		mkdir -p "$image/${file%/*}" && cp -a "$file" "$image/${file%/*}/" || exit 1
	done
	digestlists_devices "$image/dev"
	manifest=$(digestlists_manifest) || exit 1
	[ -n "$manifest" ] || exit 0
	printf '%s\n' "$manifest" >"$image/$digestlists_attributes" || exit 1
	# For a cpio that carries attributes: cp leaves some out, see xattr.conf(5). Where
	# the file system of the image's files keeps none, there is still the manifest.
	cd "$image" || exit 1
	setfattr -h --restore="$digestlists_attributes" 2>/dev/null || :
)

# digestlists_devices makes what the uploader needs where the kernel starts it itself,
# before there are other devices and with no open file: null, without which no Go
# program starts, and the kernel's log. A builder that may not make devices leaves
# the work to the hook, which runs later.
digestlists_devices() {
	mkdir -p "$1"
	{
		[ -e "$1/null" ] || mknod -m 666 "$1/null" c 1 3
		[ -e "$1/kmsg" ] || mknod -m 644 "$1/kmsg" c 1 11
	} 2>/dev/null || :
}

# digestlists_manifest prints the attributes of the lists and of the uploader in
# the current directory, in the form that setfattr --restore reads. Stock cpio
# carries none.
digestlists_manifest() (
	for tool in getfattr setfattr; do
		command -v "$tool" >/dev/null && continue
		echo "$tool (of the package attr) is not installed, and signatures in security.ima cannot be put into the image without it" >&2
		exit 1
	done
	digestlists_dump ima || exit 1
	# After security.ima, which an immutable security.evm would keep from changing.
	# Types 2 and 3, an HMAC and a signature, are bound to the inode that they
	# were made for and are wrong for its copy; portable signatures are not.
	evm=$(digestlists_dump evm) || exit 1
	[ -z "$evm" ] || printf '\n%s\n' "$evm" | sed '/^security\.evm=0x0[23]/d'
)

digestlists_dump() {
	getfattr -R -P -h -d -m "^security\.$1\$" -e hex "$digestlists_uploader" "$digestlists_dir"
}
