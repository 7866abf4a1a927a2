gen_digest_lists -f rpm+db -t file -o append
