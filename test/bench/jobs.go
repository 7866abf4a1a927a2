package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const mebibyte = 1 << 20

// bench is what the tools read, where they are and where they write.
type bench struct {
	inputs
	bin string // folder of the binaries
	out string // folder of what is made, new for each run
	old string // folder of what earlier runs have made
}

func newBench(dir, bin string) (bench, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return bench{}, err
	}
	bin, err = filepath.Abs(bin)
	if err != nil {
		return bench{}, err
	}
	b := bench{inputs: inputsIn(dir), bin: bin, out: filepath.Join(dir, "out"), old: filepath.Join(dir, "old")}
	if err := errors.Join(empty(b.out), empty(b.old)); err != nil {
		return bench{}, err
	}
	return b, spread(dir)
}

// clean deletes what the runs have made.
func (b bench) clean() error {
	return errors.Join(os.RemoveAll(b.out), os.RemoveAll(b.old))
}

// jobs are the lines of the table, in its order.
func (b bench) jobs() []job {
	return []job{
		b.compact(), b.database(), b.metadata(), b.signed(), b.packageFiles(), b.upload(), b.verify(), b.fileSignatures(),
		b.firstWrite(),
		b.attestOne(), b.attestMany(), b.attestFleet(), b.references(), b.referencesMemory(),
		b.dump("compact"), b.dump("compact_tlv"), b.dumpMemory(),
	}
}

func (b bench) compact() job {
	return job{
		name: "compact, 20,000 files, 2 GB",
		contenders: []contender{
			b.generate("-f", "compact", "-i", "I:"+b.tree()),
			onFiles(b.tree(), "openssl", "dgst", "-sha256"),
		},
		check:    func() error { return b.madeBlock(treeFiles) },
		baseline: "openssl dgst -sha256",
		figure:   ratio, target: 0.55, limit: 64 * mebibyte,
	}
}

func (b bench) database() job {
	return job{
		name: "rpm+db, 1,500 packages, 90,000 digests",
		contenders: []contender{
			b.generateFromDB(),
			command{argv: []string{
				"rpm", "--dbpath", b.inputs.database(),
				"-qa", "--qf", `[%{FILENAMES} %{FILEDIGESTS} %{FILEMODES}\n]`,
			}}.run,
		},
		check:    func() error { return b.madeLists(packages) },
		baseline: "rpm -qa --qf '[%{FILENAMES} %{FILEDIGESTS} %{FILEMODES}\\n]'",
		figure:   ratio, target: 0.6, limit: 48 * mebibyte,
	}
}

// signed is the same work and the signatures, so what is compared is the time
// that the signatures add with the time that they take.
func (b bench) signed() job {
	return job{
		name: "the same, signed with RSA-2048",
		contenders: []contender{
			b.generateFromDB("-s", "-k", b.key()),
			b.generateFromDB(),
			func() (sample, error) { return opensslSignatures(packages) },
		},
		check:    func() error { return b.madeLists(packages) },
		baseline: "unsigned, and 1,500 signatures at the rate of openssl speed rsa2048",
		figure:   signing, target: 1.2,
	}
}

func (b bench) packageFiles() job {
	return job{
		name: "rpm+pkg, 1,500 package files",
		contenders: []contender{
			b.generate("-f", "rpm+pkg", "-i", b.packages()),
			onFiles(b.packages(), "rpm", "-qp", "--qf", `[%{FILEDIGESTS}\n]`),
		},
		check:    func() error { return b.madeLists(packages) },
		baseline: "rpm -qp --qf '[%{FILEDIGESTS}\\n]'",
		figure:   ratio, target: 1.5,
	}
}

func (b bench) upload() job {
	const digests = packages * packageFiles * listVariants
	converted := filepath.Join(b.out, "converted")
	return job{
		name: "upload -o, 15,000 rpm lists, 900,000 digests",
		contenders: []contender{
			b.intoEmpty(command{argv: []string{b.tool("upload_digest_lists"), "-d", b.lists(), "-o", converted}}),
			onFiles(b.lists(), "cat"),
		},
		check:    func() error { return b.madeBlock(digests) },
		baseline: "cat",
		figure:   ratio, target: 1.6, limit: 64 * mebibyte,
	}
}

// verify reads lists that our generator signs first, with the certificate as a key list among them.
func (b bench) verify() job {
	signed := filepath.Join(filepath.Dir(b.out), "signed")
	sign := []string{"-d", signed, "-o", "append", "-s", "-k", b.key()}
	return job{
		name: "verify, 1,500 lists signed with RSA-2048",
		prepare: func() error {
			if err := empty(signed); err != nil {
				return err
			}
			gen := b.tool("gen_digest_lists")
			if err := tool(gen, append(sign, "-t", "key", "-f", "copy", "-i", b.cert())...); err != nil {
				return err
			}
			return tool(gen, append(sign, "-t", "file", "-f", "rpm+db", "--db", b.inputs.database())...)
		},
		contenders: []contender{command{argv: []string{b.tool("verify_digest_lists"), "-d", signed}}.run},
		check:      done,
		figure:     rate(packages),
		unit:       "lists/s", atLeast: true, target: 15_000,
	}
}

// fileSignatures is compared with the fastest hashing of the same files that there is here.
func (b bench) fileSignatures() job {
	return job{
		name: "check-signatures, 20,000 files, 2 GB, RSA-2048",
		contenders: []contender{
			command{argv: []string{
				b.tool("manage_digest_lists"), "-p", "check-signatures", "-i", b.tree(), "--cert", b.cert(),
			}}.run,
			b.generate("-f", "compact", "-i", "I:"+b.tree()),
		},
		check:    done,
		baseline: "gen_digest_lists -f compact",
		figure:   ratio, target: 1.3, limit: 64 * mebibyte,
	}
}

func (b bench) tool(name string) string { return filepath.Join(b.bin, name) }

// generate appends file lists to an empty directory.
func (b bench) generate(args ...string) contender {
	argv := []string{b.tool("gen_digest_lists"), "-d", b.out, "-t", "file", "-o", "append"}
	return b.intoEmpty(command{argv: append(argv, args...)})
}

func (b bench) generateFromDB(args ...string) contender {
	return b.generate(append([]string{"-f", "rpm+db", "--db", b.inputs.database()}, args...)...)
}

// intoEmpty is a contender that begins with an empty folder for what is made,
// outside of the measured time. What the run before has made is moved away and
// deleted at the end of all: ext4 does not use inodes again that were freed a
// moment ago, and looks for others so long that little else would be measured.
func (b bench) intoEmpty(c command) contender {
	return func() (sample, error) {
		old, err := os.MkdirTemp(b.old, "")
		if err != nil {
			return sample{}, err
		}
		if err := os.Rename(b.out, filepath.Join(old, "out")); err != nil {
			return sample{}, err
		}
		if err := os.Mkdir(b.out, 0o755); err != nil {
			return sample{}, err
		}
		unix.Sync() // what others have written is not ours to wait for
		return c.run()
	}
}

// spread has ext4 give each new folder in dir a part of the disk of its own, by chattr +T:
// where somebody else has deleted thousands of files in the last minutes, it would look
// for inodes as long as after our own (see intoEmpty). Other file systems have no such flag.
func spread(dir string) error {
	const topDir = 0x20000 // FS_TOPDIR_FL of linux/fs.h
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return nil
	}
	unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags|topDir) // figures vary without it, no more
	return nil
}

func empty(folder string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	return os.MkdirAll(folder, 0o755)
}

// onFiles is a contender that gets every file below a folder as an argument.
// It runs in that folder: short names fit in one command line, so that it starts once.
func onFiles(folder string, argv ...string) contender {
	return func() (sample, error) {
		c := command{dir: folder, argv: argv}
		err := fs.WalkDir(os.DirFS(folder), ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				c.argv = append(c.argv, path)
			}
			return err
		})
		if err != nil {
			return sample{}, err
		}
		return c.run()
	}
}

// madeLists checks that n lists have been made.
func (b bench) madeLists(n int) error {
	made, err := os.ReadDir(b.out)
	if err == nil && len(made) != n {
		err = fmt.Errorf("%d lists were made, want %d", len(made), n)
	}
	return err
}

// madeBlock checks that one compact list of SHA-256 digests, n of them in at
// most two blocks (immutable or not), has been made.
func (b bench) madeBlock(n int) error {
	const digest, header = 32, 16
	if err := b.madeLists(1); err != nil {
		return err
	}
	made, err := os.ReadDir(b.out)
	if err != nil {
		return err
	}
	info, err := made[0].Info()
	if err != nil {
		return err
	}
	if extra := info.Size() - int64(n)*digest; extra != header && extra != 2*header {
		return fmt.Errorf("%s has %d bytes, want those of %d digests in one or two blocks", info.Name(), info.Size(), n)
	}
	return nil
}
