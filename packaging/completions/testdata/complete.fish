# complete.fish FOLDER: for each line of standard input, prints what fish offers at its
# end, and a line "--- end".
for file in $argv[1]/fish/*.fish
    source $file
end
while read -l line
    complete -C "$line" | string replace -r '\t.*' ''
    echo '--- end'
end
