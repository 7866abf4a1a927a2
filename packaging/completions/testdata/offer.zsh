# Read by a zsh on a terminal: control-T writes what it offers for the line to the file
# $OFFERED, and forgets the line.
PS1=
autoload -Uz compinit
compinit -u -D
# What is added to the offers goes to the file as well, unless it is only looked up.
compadd() {
	local -a matches
	if [[ " $* " != *' -'[OAD]' '* ]]; then
		builtin compadd -A matches "$@"
		print -rl -- $matches >>$OFFERED
	fi
	builtin compadd "$@"
}
# They are not shown: zsh would first ask whether to show as many.
collect() {
	_main_complete
	compstate[list]=
}
zle -C offers list-choices collect
offer() {
	zle offers
	BUFFER=
	print OFFERED
}
zle -N offer
bindkey '^T' offer
print READ''Y
