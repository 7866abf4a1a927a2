cp key.pem /etc/keys/privkey_ima.pem
cp cert.der /etc/keys/x509_ima.der
sed -n '/^update = /,/^```/p' "$PAGE" | sed '$d' >/etc/ima/digest_lists.conf
