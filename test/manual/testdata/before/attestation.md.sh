# The audit log of the command line tests.
mkdir -p /var/log/audit
part() { sed -n "/^-- $1 --\$/,/^-- /p" "$SOURCE/verify_digest_lists/testdata/script/audit.txtar" | grep -v '^-- '; }
part more.log | gzip >/var/log/audit/audit.log.1.gz
part known.log >/var/log/audit/audit.log
