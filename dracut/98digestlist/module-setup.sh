#!/bin/bash
# dracut module: IMA digest lists, loaded before anything else runs.
# build.sh says what is put into the image, boot.sh what is done with it.
# shellcheck disable=SC2154 # moddir, initdir and do_strip are dracut's

# called by dracut
check() {
	# shellcheck source=initramfs/build.sh
	. "$moddir/build.sh"
	digestlists_wanted "${dracutsysrootdir-}" || return 1
}

# called by dracut
depends() {
	echo base # it runs the hooks
}

# called by dracut
install() {
	local report
	# shellcheck source=initramfs/build.sh
	. "$moddir/build.sh"
	# No image is better than one that cannot load what the kernel asks for: the
	# one of before stays in place.
	if ! report=$(digestlists_collect "${dracutsysrootdir-}" "$initdir" 2>&1); then
		dfatal "digest lists: $report"
		exit 1
	fi
	if [[ -e $initdir/$digestlists_attributes ]]; then
		inst_multiple getfattr setfattr
	fi
	inst_simple "$moddir/boot.sh" /lib/digestlists.sh
	inst_hook cmdline 00 "$moddir/digestlists-early.sh"
	inst_hook pre-pivot 90 "$moddir/digestlists-root.sh" # after keys and policy, 98integrity's
	# dracut strips programs when it has collected all: their digests would no longer be
	# those in the lists, the uploader's first of all.
	[[ $do_strip == no ]] || dinfo "digest lists: programs are not stripped, so that their digests stay known"
	do_strip=no
}
