package initramfs_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/internal/hosttest"
	"digestlists/internal/initramfs"

	"github.com/google/go-cmp/cmp"
)

const dir = "/etc/ima/digest_lists"

// signedRoot has all that an image should have.
func signedRoot(t *testing.T) string {
	t.Helper()
	root := newRoot(t)
	write(t, root, "usr/bin/upload_digest_lists", "uploader")
	write(t, root, "etc/ima/ima-policy", "policy")
	write(t, root, "etc/keys/x509_ima.der", "certificate")
	write(t, root, "etc/keys/privkey_ima.pem", "stays where it is")
	write(t, root, dir+"/0-key_list-x509_ima.der", "certificate")
	write(t, root, dir+"/1-file_list-compact-a\\b\nc", "odd")
	write(t, root, dir+".sig/1-file_list-compact-y.sig", "signature")
	hosttest.Shell(t, root, "for f in usr/bin/* etc/ima/digest_lists/*; do setfattr -n security.ima -v 0x0302 \"$f\"; done")
	return root
}

// pack makes an image, as the hooks do and the makers after them. The change is made to
// what goes into it.
func pack(t *testing.T, root, image, change, compress string) string {
	t.Helper()
	script, err := filepath.Abs("../../initramfs/build.sh")
	must(t, err)
	path := filepath.Join(root, image)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	hosttest.Shell(t, t.TempDir(), ". "+script+"; mkdir tree early; digestlists_collect "+root+" $PWD/tree; cd tree; "+change+`
		find . -print0 | cpio -0 -o -H newc --quiet | `+compress+" >"+path)
	return path
}

// Images are read whatever they are compressed with, and after an early part that is not.
func TestInspectReadsAllImages(t *testing.T) {
	root := signedRoot(t)
	want, err := initramfs.Want(root, dir)
	must(t, err)
	for _, compress := range []string{
		"cat", "gzip", "zstd -19", "xz --check=crc32", "xz --format=lzma", "lz4 -l", "bzip2",
		"{ echo microcode >early; echo early | cpio -o -H newc --quiet; head -c 100 /dev/zero; xz; }",
	} {
		image := pack(t, root, "image", ":", compress)
		in, err := want.Inspect(image)
		if err != nil {
			t.Fatalf("%s: %v", compress, err)
		}
		if diff := cmp.Diff(&initramfs.Contents{Image: image, Lists: 3}, in); diff != "" || !in.Current() || !in.Loads() {
			t.Errorf("%s (-want +got):\n%s", compress, diff)
		}
		// A part of it tells nothing.
		hosttest.Shell(t, root, "truncate -s $(($(stat -c %s image) * 3 / 4)) image")
		if in, err := want.Inspect(image); !errors.Is(err, compact.ErrTruncated) && !errors.Is(err, compact.ErrMalformed) || in != nil {
			t.Errorf("%s, cut: %+v, %v", compress, in, err)
		}
	}
}

// What an image lacks, each thing alone.
func TestInspectFindsWhatDiffers(t *testing.T) {
	root := signedRoot(t)
	want, err := initramfs.Want(root, dir)
	must(t, err)
	for change, differs := range map[string]initramfs.Contents{
		"rm usr/bin/upload_digest_lists":                                     {Missing: []string{"usr/bin/upload_digest_lists"}, Lists: 3},
		"echo x >>usr/bin/upload_digest_lists":                               {Other: []string{"usr/bin/upload_digest_lists"}, Lists: 3},
		"rm etc/ima/ima-policy":                                              {Missing: []string{"etc/ima/ima-policy"}, Lists: 3},
		"echo x >etc/keys/x509_ima.der":                                      {Other: []string{"etc/keys/x509_ima.der"}, Lists: 3},
		"rm etc/ima/digest_lists/0-k*":                                       {Missing: []string{"etc/ima/digest_lists/0-key_list-x509_ima.der"}, Lists: 2},
		"rm etc/ima/digest_lists.sig/*":                                      {Missing: []string{"etc/ima/digest_lists.sig/1-file_list-compact-y.sig"}, Lists: 3},
		"echo x >etc/ima/digest_lists/9-file_list-compact-old":               {Extra: []string{"etc/ima/digest_lists/9-file_list-compact-old"}, Lists: 3},
		`sed -i '/a.134b.012c/{n;d}' etc/ima/*.attributes`:                   {Unsigned: []string{"etc/ima/digest_lists/1-file_list-compact-a\\b\nc"}, Lists: 3},
		"sed -i '/list-compact-x/{n;s/0302/0303/}' etc/ima/*.attributes":     {Unsigned: []string{"etc/ima/digest_lists/0-file_list-compact-x"}, Lists: 3},
		"rm etc/ima/digest_lists.attributes etc/ima/digest_lists/[01]-file*": {Missing: []string{"etc/ima/digest_lists/0-file_list-compact-x", "etc/ima/digest_lists/1-file_list-compact-a\\b\nc"}, Unsigned: []string{"etc/ima/digest_lists/0-key_list-x509_ima.der", "usr/bin/upload_digest_lists"}, Lists: 1},
		"ln etc/keys/x509_ima.der z; ln -f z etc/ima/digest_lists/0-key*":    {Lists: 3},
	} {
		differs.Image = pack(t, root, "image", change, "cat")
		in, err := want.Inspect(differs.Image)
		must(t, err)
		if diff := cmp.Diff(&differs, in); diff != "" {
			t.Errorf("%s (-want +got):\n%s", change, diff)
		}
	}
	image := pack(t, root, "image", "rm -r etc/ima/digest_lists etc/ima/digest_lists.attributes", "cat")
	if in, err := want.Inspect(image); err != nil || in.Loads() {
		t.Errorf("an image without lists: %+v, %v", in, err)
	}
	image = pack(t, root, "image", "echo 'security.ima=0xq' >>etc/ima/digest_lists.attributes", "cat")
	if _, err := want.Inspect(image); err == nil || !strings.Contains(err.Error(), "etc/ima/digest_lists.attributes") {
		t.Errorf("damaged attributes: %v", err)
	}
	write(t, root, "image", strings.Repeat("\x00", 512))
	if _, err := want.Inspect(filepath.Join(root, "image")); !errors.Is(err, compact.ErrTruncated) {
		t.Errorf("an empty image: %v", err)
	}
	write(t, root, "image", "no image at all")
	if _, err := want.Inspect(filepath.Join(root, "image")); !errors.Is(err, compact.ErrMalformed) {
		t.Errorf("no image: %v", err)
	}
}

// Without the program that unpacks it, an image is not taken for a good one.
func TestNoProgram(t *testing.T) {
	root := signedRoot(t)
	want, err := initramfs.Want(root, dir)
	must(t, err)
	image := pack(t, root, "image", ":", "xz")
	t.Setenv("PATH", root)
	if _, err := want.Inspect(image); !errors.Is(err, initramfs.ErrNoProgram) {
		t.Error(err)
	}
}

func TestStale(t *testing.T) {
	root := signedRoot(t)
	first, entry := pack(t, root, "boot/initrd.img-5.10.1", ":", "gzip"), pack(t, root, "boot/efi/0123/5.10.2/initrd", ":", "cat")
	for _, none := range []string{"boot/initramfs-0-rescue-0123.img", "boot/initramfs-5.10.1kdump.img", "boot/initrd.img-5.10.2.new"} {
		write(t, root, none, "no image")
	}
	check := func(want ...string) {
		t.Helper()
		got, err := initramfs.Stale(root, dir)
		if !slices.Equal(got, want) || err != nil {
			t.Errorf("stale: %q, %v, want %q", got, err, want)
		}
	}
	check()
	write(t, root, dir+"/2-file_list-compact-new", "list")
	check(first, entry)
	pack(t, root, "boot/initrd.img-5.10.1", ":", "gzip")
	check(entry)
	must(t, os.RemoveAll(filepath.Join(root, dir)))
	check() // there is nothing to have
	write(t, root, dir+"/2-file_list-compact-new", "list")
	write(t, root, "boot/initrd.img-5.10.1", "damaged")
	if _, err := initramfs.Stale(root, dir); !errors.Is(err, compact.ErrMalformed) {
		t.Errorf("a damaged image: %v", err)
	}
}

// The mark of newer lists goes when all images were made.
func TestMark(t *testing.T) {
	root := newRoot(t)
	mark := write(t, root, "var/lib/digest_lists/initramfs-stale", "")
	stand(t, root, "dracut", "")
	g, err := initramfs.Find(root)
	must(t, err)
	must(t, g.Rebuild(context.Background(), "5.10.1"))
	if _, err := os.Stat(mark); err != nil {
		t.Errorf("the other image was not made: %v", err)
	}
	must(t, g.Rebuild(context.Background(), ""))
	if _, err := os.Stat(mark); !os.IsNotExist(err) {
		t.Errorf("marked after all images were made: %v", err)
	}
}
