gen_digest_lists -f rpm+db -t file -o append
mkdir -p /mnt/sysimage/etc/ima /mnt/sysimage/usr/bin
cp -a /etc/ima/digest_lists /mnt/sysimage/etc/ima/
cp /etc/passwd /etc/group /mnt/sysimage/etc/
cp -a /usr/bin/g256* /mnt/sysimage/usr/bin/
