gen_digest_lists -f rpm+db -t file -o append
gen_digest_lists -d lists -f compact -i /usr/local/bin -t file -o append
cp lists/0-file_list-compact-bin 4-file_list-compact-bin
