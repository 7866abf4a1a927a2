#!/bin/sh
# dracut's shell reads this: only a subshell keeps it from being ended or changed.
(
	# shellcheck source=initramfs/boot.sh
	. /lib/digestlists.sh
	digestlists_early
) || :
