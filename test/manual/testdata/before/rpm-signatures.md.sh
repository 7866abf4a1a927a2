mkdir -p /etc/keys/ima
cp cert.der /etc/keys/ima/ima.cer
