# complete.bash FOLDER: for each line of standard input, prints what bash offers at its
# end, and a line "--- end".
shopt -s nullglob
for file in "$1"/bash/*; do
	source "$file"
done
# It fails where bash does not complete anything itself.
compopt() { :; }

while IFS= read -r COMP_LINE; do
	# bash splits at these, too: see COMP_WORDBREAKS in bash(1).
	spaced=${COMP_LINE//=/ = }
	read -ra COMP_WORDS <<<"${spaced//:/ : }"
	[[ $COMP_LINE != *' ' ]] || COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
	read -r _ _ function _ < <(complete -p "${COMP_WORDS[0]}")
	"$function"
	[[ ${COMPREPLY[*]} == '' ]] || printf '%s\n' "${COMPREPLY[@]}"
	echo '--- end'
done
