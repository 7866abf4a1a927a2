# complete.zsh FOLDER: for each line of standard input, prints what zsh offers at its
# end, and a line "--- end". Completions need a line editor, and that a terminal.
zmodload zsh/zpty
export OFFERED=$(mktemp)
zpty inner zsh -f -i
zpty -w inner "fpath=(${(q)1}/zsh \$fpath)"
zpty -w inner ". ${(q)0:A:h}/offer.zsh"
zpty -r inner seen '*READY*'
while IFS= read -r line; do
	zpty -w -n inner "$line"$'\C-t'
	zpty -r inner seen '*OFFERED*'
	sort -u $OFFERED
	: >$OFFERED
	print -r -- '--- end'
done
zpty -d inner
rm -f $OFFERED
