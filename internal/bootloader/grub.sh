#!/bin/sh
# Boot entries for IMA digest lists. Made by setup_ima_digest_lists; to remove them:
# setup_ima_digest_lists bootloader remove @NAME@
# @REMARK@
set -ef

without() {
	kept=
	for word; do
		case $word in @KEYS@) ;; *) kept="$kept $word" ;; esac
	done
	printf '%s' "${kept# }"
}

# shellcheck disable=SC2086 # these are words
GRUB_CMDLINE_LINUX="$(without ${GRUB_CMDLINE_LINUX-}) @ARGS@"
# shellcheck disable=SC2086
GRUB_CMDLINE_LINUX_DEFAULT=$(without ${GRUB_CMDLINE_LINUX_DEFAULT-})
GRUB_DISTRIBUTOR="${GRUB_DISTRIBUTOR:-Linux}@TITLE@"
export GRUB_CMDLINE_LINUX GRUB_CMDLINE_LINUX_DEFAULT GRUB_DISTRIBUTOR
# Names of entries must not be those of the entries of before: the default may be one.
entries=$("${0%/*}/10_linux")
sed "s/'gnulinux-/'digestlists-@NAME@-/g" <<END
$entries
END
