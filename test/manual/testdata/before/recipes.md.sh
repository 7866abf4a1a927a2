# A tree in the making, with packages in its database and a program that is in none.
mkdir -p image/etc image/usr/bin image/opt/app image/var/lib/rpm
cp /etc/passwd /etc/group image/etc/
cp /usr/bin/upload_digest_lists image/usr/bin/
cp /usr/local/bin/own image/opt/app/
rpm --root "$PWD/image" --dbpath /var/lib/rpm -U --nodeps --nosignature --noscripts --ignorearch packages/*.rpm

# One for OSTree.
mkdir -p tree/usr/bin
cp -a image/usr/bin/g256* tree/usr/bin/

# The machine of the kickstart, and the stages of a container.
cp "$SOURCE/packaging/digest_lists.conf" /etc/ima/
mkdir -p /build /run/secrets
gen_digest_lists -d rootfs/usr/share/digest_lists -f compact -i /usr/local/bin -t file -m immutable -o append -s -k key.pem --cert cert.der --detached
cp key.pem /run/secrets/key
cp /usr/bin/gen_digest_lists cert.der /build/
