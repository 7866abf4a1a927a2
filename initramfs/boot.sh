#!/bin/sh
# Loads digest lists while the initramfs runs, from what build.sh has collected.
# Read by hooks of dracut and by scripts of initramfs-tools, in POSIX sh with
# the few programs of an initramfs.
#
#   digestlists_early       the lists of the image, as early as possible
#   digestlists_root ROOT   the lists of the real root that the image lacks, or all
#                           of them if none of the image was taken
#
# Whatever fails, the boot goes on: each failure is one line in the kernel's log, and
# functions in parentheses are subshells, which cannot end the shell that called them.

digestlists_uploader=/usr/bin/upload_digest_lists
digestlists_dir=/etc/ima/digest_lists
digestlists_attributes=/etc/ima/digest_lists.attributes
digestlists_policy=/etc/ima/ima-policy
digestlists_ima=/sys/kernel/security/ima

digestlists_early() (
	# initramfs-tools puts its scripts into every image.
	[ -e "$digestlists_uploader" ] || [ -e "$digestlists_dir" ] || exit 0
	if ! digestlists_enabled; then
		digestlists_info "switched off on the kernel command line, no lists are loaded"
		exit 0
	fi
	if [ ! -x "$digestlists_uploader" ]; then
		digestlists_warn "no lists are loaded: $digestlists_uploader is missing"
		exit 0
	fi
	[ -d "$digestlists_ima" ] || mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
	if digestlists_loaded; then
		digestlists_info "the kernel has loaded the lists itself"
		exit 0
	fi
	digestlists_restore
	digestlists_load_policy
	digestlists_upload "$digestlists_dir" &&
		digestlists_info "the lists of $digestlists_dir are loaded"
	exit 0
)

digestlists_root() (
	# Without either, digestlists_early has said so.
	[ -x "$digestlists_uploader" ] && [ -e "$digestlists_ima/digest_list_data" ] || exit 0
	digestlists_enabled || exit 0
	if digestlists_none && [ -x "$1$digestlists_uploader" ] && [ -d "$1$digestlists_dir" ]; then
		# A policy that leaves tmpfs out takes neither the lists nor the uploader of
		# the image, but those of the root.
		digestlists_upload "$1$digestlists_dir" "$1$digestlists_uploader" &&
			digestlists_info "the lists of $1$digestlists_dir are loaded"
		exit 0
	fi
	loaded=0
	for type in key parser file metadata; do
		for list in "$1$digestlists_dir"/*-"${type}"_list-*; do
			digestlists_missing "$list" || continue
			digestlists_upload "$list" && loaded=$((loaded + 1))
		done
	done
	[ "$loaded" -eq 0 ] ||
		digestlists_info "$loaded lists of the root file system are loaded that the initramfs does not have: it is out of date"
	exit 0
)

# digestlists_missing tells a list that the image does not have, by its name, from
# others and from what is no list: detached signatures, links.
digestlists_missing() {
	case $1 in *.sig) return 1 ;; esac
	[ -f "$1" ] && [ ! -L "$1" ] && [ ! -e "$digestlists_dir/${1##*/}" ]
}

# digestlists_enabled obeys the last rd.digestlists= of the command line. dracut has
# a function that also asks the command line stored in the image.
digestlists_enabled() (
	if command -v getargbool >/dev/null 2>&1; then
		getargbool 1 rd.digestlists
		exit
	fi
	set -f # words of the command line are no patterns
	enabled=1
	read -r line </proc/cmdline || :
	for word in $line; do
		case $word in rd.digestlists=*) enabled=${word#*=} ;; esac
	done
	case $enabled in 0 | no | off) exit 1 ;; esac
)

# digestlists_loaded tells whether the kernel has loaded all before it ran the first
# program: it can where a cpio has carried attributes. Loading the lists again would
# count each digest twice, and unloading them once would then remove nothing.
# Without attributes the kernel knows no parser at that time, and what it has loaded
# is compact lists at most.
digestlists_loaded() {
	[ -f "$digestlists_attributes" ] && digestlists_carried && ! digestlists_none
}

# digestlists_none tells whether the kernel knows no digest.
digestlists_none() {
	count=0
	{ read -r count <"$digestlists_ima/digests_count"; } 2>/dev/null || :
	[ "${count:-0}" = 0 ]
}

# digestlists_carried tells whether the lists have attributes: none was to be
# carried, or a cpio that keeps them has carried all, hence those of the first file.
digestlists_carried() {
	[ -f "$digestlists_attributes" ] || return 0
	read -r line <"$digestlists_attributes"
	getfattr -h --absolute-names -n security.ima "/${line#'# file: '}" >/dev/null 2>&1
}

digestlists_restore() {
	digestlists_carried && return
	report=$(cd / && setfattr -h --restore="$digestlists_attributes" 2>&1) ||
		digestlists_warn "security attributes of lists were not restored: $(digestlists_first "$report")"
}

# digestlists_load_policy loads a custom policy before the lists, as the kernel
# wants it. systemd, as process 1 of an initramfs, has done so by itself; a kernel
# without digest lists gets its policy later, from the real root.
digestlists_load_policy() {
	[ -f "$digestlists_policy" ] && [ -e "$digestlists_ima/digest_list_data" ] || return 0
	[ -e "$digestlists_ima/policy" ] && [ ! -d /run/systemd/system ] || return 0
	{
		echo "$digestlists_policy" >"$digestlists_ima/policy" ||
			cat "$digestlists_policy" >"$digestlists_ima/policy"
	} 2>/dev/null || digestlists_warn "the kernel refuses the policy $digestlists_policy"
}

# digestlists_upload loads a list or a directory, with another uploader than the image's
# if one is given. What fails, it reports.
digestlists_upload() {
	report=$("${2:-$digestlists_uploader}" add "$1" 2>&1)
	status=$?
	[ -z "$report" ] || printf '%s\n' "$report" >&2
	case $status in
	0) return 0 ;;
	1) digestlists_warn "not all of $1 is loaded: $(digestlists_first "$report")" ;;
	4) digestlists_info "this kernel has no digest lists, $1 is not loaded" ;;
	*) digestlists_warn "$1 is not loaded, ${digestlists_uploader##*/} has exit code $status${report:+: $(digestlists_first "$report")}" ;;
	esac
	return 1
}

# digestlists_first prints the first line of a text, the first error if it has one.
digestlists_first() {
	printf '%s\n' "$1" | {
		read -r first || :
		line=$first
		while :; do
			case $line in *error:*) first=$line && break ;; esac
			read -r line || break
		done
		printf '%s\n' "$first"
	}
}

digestlists_info() { digestlists_log 6 "$1"; }
digestlists_warn() { digestlists_log 4 "$1"; }

# digestlists_log writes a line to the kernel's log, from where it reaches the
# console and the journal. The number is a level of syslog(3).
digestlists_log() {
	{ [ -e /dev/kmsg ] && echo "<$1>digestlists: $2" >>/dev/kmsg; } 2>/dev/null || echo "digestlists: $2" >&2
}
