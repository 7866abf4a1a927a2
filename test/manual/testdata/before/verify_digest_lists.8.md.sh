# Signed lists, and those of packages with their vendor's signature.
cp cert.der /etc/keys/x509_ima.der
gen_digest_lists -f rpm+db -t file -o append
gen_digest_lists -t file -o sign -k key.pem --cert cert.der
gen_digest_lists -f copy -i cert.der -t key -o append -s -k key.pem --cert cert.der
gen_digest_lists -d vendor -f rpm+pkg -i packages/g256-1.2-3.x86_64.rpm -t file -o append
rm -r /srv/evidence/web2
