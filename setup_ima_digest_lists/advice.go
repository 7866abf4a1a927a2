package main

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"

	"digestlists/compact"
	"digestlists/internal/bootloader"
	"digestlists/internal/command"
	"digestlists/internal/initramfs"
	"digestlists/internal/inroot"
	"digestlists/internal/journal"
	"digestlists/internal/keyctl"
	"digestlists/internal/listdir"
	"digestlists/internal/mutable"
	"digestlists/internal/securityfs"
	"digestlists/internal/setup"
	"digestlists/internal/signkey"
	"digestlists/internal/xattr"
	"digestlists/parsers/rpmdb"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// advice is what to do about errors that do not say it themselves. The first row that an error
// matches holds: those of ours come before those of the system.
var advice = []struct {
	about error
	hint  string
}{
	{setup.ErrBusy, "wait until it has ended: it may still write files"},
	{setup.ErrNoMetadata, "make such lists, or leave out --metadata (metadata = no in the answers)"},
	{setup.ErrConfig, "man setup_ima_digest_lists has all keys of the file, with what they take"},
	{bootloader.ErrUnknown, "bootloader = no in the answers leaves it out; by hand: copy the boot entry and add the kernel arguments of docs/setup.md"},
	{bootloader.ErrAbsent, "setup_ima_digest_lists bootloader show prints those that are there"},
	{bootloader.ErrArgument, "give another value, without quotes, spaces and signs that shells know"},
	{initramfs.ErrNoGenerator, "install dracut or initramfs-tools; or make it by the means of this system, with initramfs = no in the answers"},
	{journal.ErrDamaged, "restore /var/lib/digest_lists/setup from a backup; without it nothing can be taken back: remove by hand what status and bootloader show print"},
	{journal.ErrKind, "move what has this name away: only files, folders and symbolic links can be taken back"},
	{rpmdb.ErrNoDatabase, "where there are no packages, make lists of folders: packages = no and immutable = FOLDER in the answers; or immutable -D FOLDER"},
	{rpmdb.ErrDamaged, "rpmdb --rebuilddb, and run it again"},
	{rpmdb.ErrBusy, "wait until the package manager has ended, and run it again"},
	{rpmdb.ErrChanged, "wait until the package manager has ended, and run it again"},
	{rpmdb.ErrAmbiguous, "remove the one that rpm does not use: rpm --eval %_dbpath"},
	{keyctl.ErrNoType, "load the kernel module for it: modprobe trusted, or encrypted-keys"},
	{keyctl.ErrAbsent, "load it: setup_ima_digest_lists keys load"},
	{signkey.ErrWrongPassword, "give the right password: --password-file FILE has it on its only line"},
	{signkey.ErrNeedPassword, "give the password: --password-file FILE has it on its only line"},
	{signkey.ErrNoTerminal, "give the password: --password-file FILE has it on its only line"},
	{signkey.ErrKeyMismatch, "name the certificate of this key, or make both anew: setup_ima_digest_lists keys make"},
	{signkey.ErrNotPrivateKey, "name a private key in PEM, or make one: setup_ima_digest_lists keys make"},
	{signkey.ErrUnsupportedKey, "name another key, or make one: setup_ima_digest_lists keys make"},
	{securityfs.ErrUnsupported, "boot a kernel with the digest list extension; setup_ima_digest_lists preflight tells what this one has"},
	{mutable.ErrChanging, "stop the program that writes to it, or leave the file out, and run it again"},
	{mutable.ErrNotListed, "setup_ima_digest_lists mutable -u makes list and copies the same"},
	{listdir.ErrInUse, "wait until the other run has ended, and run it again"},
	{listdir.ErrChanged, "run it again"},
	{listdir.ErrWritable, "chmod go-w, and see who has changed what is in it"},
	{listdir.ErrOwner, "chown root, and see who has changed what is in it"},
	{listdir.ErrLink, "name what the link points to"},
	{listdir.ErrNotDirectory, "name the directory of the lists: -d DIR (dir = DIR in the answers)"},
	{listdir.ErrName, "names of lists are POSITION-TYPE_list-FORMAT-LABEL: move other files away"},
	{inroot.ErrLink, "replace the link by what it points to"},
	{compact.ErrMalformed, "restore the file from a backup, or make it again; setup_ima_digest_lists check names damaged lists"},
	{compact.ErrTruncated, "restore the file from a backup, or make it again; setup_ima_digest_lists check names damaged lists"},
	{compact.ErrTooLarge, "see whether the file is what it should be; or make it again"},
	{xattr.ErrUnsupported, "use a file system that keeps security attributes, such as ext4 or xfs"},
	{context.Canceled, "run it again: it goes on where it stopped"},
	{exec.ErrNotFound, "install that program, or add its folder to PATH"},
	{unix.EBUSY, "wait until nobody else uses it, and run it again"},
	{fs.ErrPermission, "run it as root; where it was, ausearch -m AVC -ts recent says what SELinux or AppArmor has refused"},
	{fs.ErrExist, "move away what has this name, or name another one"},
	{fs.ErrNotExist, "see whether that name is right (namei -l shows how far it goes), and whether /proc and /sys are mounted"},
}

// advise gives a hint to an error of a command that has none: nobody is to be left alone with
// one. name is how the command is called.
func advise(name string, err error) error {
	if err == nil || command.Hint(err) != "" || command.Reported(err) {
		return err
	}
	if command.Code(err) == command.ExitUsage && !errors.Is(err, setup.ErrConfig) {
		return command.WithHint(err, name+" --help lists what it takes")
	}
	for _, a := range advice {
		if errors.Is(err, a.about) {
			return command.WithHint(err, a.hint)
		}
	}
	if cause := command.Cause(err); cause != "" {
		return command.WithHint(err, cause+", and run it again")
	}
	return command.WithHint(err, "setup_ima_digest_lists preflight looks for what is amiss on this machine; "+name+" --help says what this needs")
}

// advised has what a command and those below it end with advised.
func advised(name string, action cli.ActionFunc, below []*cli.Command) cli.ActionFunc {
	for _, c := range below {
		c.Action = advised(name+" "+c.Name, c.Action, c.Subcommands)
	}
	if action == nil {
		return nil
	}
	return func(c *cli.Context) error { return advise(name, action(c)) }
}
