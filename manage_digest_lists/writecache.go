package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"digestlists/compact"
	"digestlists/internal/atomicfile"
	"digestlists/internal/command"
	"digestlists/internal/digestcache"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/xattr"
	"digestlists/parsers"
	"digestlists/parsers/rpmlist"
	"digestlists/parsers/tlv"
)

// writeCache writes the lists of files of a directory to the folder of the Integrity Digest
// Cache.
func writeCache(j *job) error {
	l, err := j.openLists()
	if err != nil {
		return err
	}
	defer l.Close()
	var batch atomicfile.Batch
	defer batch.Discard()
	taken := make(map[string]string)
	var done strings.Builder // what is said once it is so
	for _, list := range l.Lists {
		if list.Type != compact.TypeFile {
			continue
		}
		made, err := l.cacheList(list)
		if err == nil && taken[made.name] != "" {
			err = fmt.Errorf("would be %s, as %s is", made.name, taken[made.name])
		}
		if err == nil {
			taken[made.name] = list.File
			err = j.put(&batch, made, &done)
		}
		if err != nil {
			j.Fail(list.File, err)
		}
	}
	if len(taken) == 0 && j.Failures == 0 {
		return command.WithCode(command.ExitNothing, fmt.Errorf("%s: no list of files", l.Path))
	}
	if err := batch.Commit(); err != nil {
		return err
	}
	_, err = io.WriteString(j.App.Writer, done.String())
	return err
}

// A cacheFile is a list as the Integrity Digest Cache has it.
type cacheFile struct {
	name    string
	content []byte
	ima     []byte // its security.ima, which is over the content; nil for none
}

// cacheList makes the file of a list: tlv and rpm as they are, with their signatures, others
// as tlv.
func (l *lists) cacheList(list listdir.List) (cacheFile, error) {
	name := digestcache.Name{Sequence: digestcache.Unnumbered, Format: tlv.Format, Label: list.Label}
	if list.Format != tlv.Format && list.Format != rpmlist.Format {
		content, err := l.cacheContent(list)
		return cacheFile{name: name.String(), content: content}, err
	}
	name.Format = list.Format
	made := cacheFile{name: name.String()}
	for _, err := range l.entries(list, parsers.Options{}) {
		if err != nil {
			return made, err
		}
		break // all of it was checked
	}
	var err error
	if made.content, err = l.Dir.ReadInto(list.File, nil); err != nil {
		return made, err
	}
	if list.Format == rpmlist.Format {
		plain, _, _, err := imasig.SplitAppended(made.content)
		if err != nil {
			return made, err
		}
		if header, tail, err := rpmlist.Split(plain); err != nil || tail != nil {
			// The vendor's signature of this form is over bytes that this kernel does not take.
			made.content = header
			return made, err
		}
	}
	made.ima, err = xattr.Get(filepath.Join(l.Path, list.File), imasig.AttributeName)
	if errors.Is(err, xattr.ErrAbsent) || errors.Is(err, xattr.ErrUnsupported) {
		err = nil
	}
	return made, err
}

func (l *lists) cacheContent(list listdir.List) ([]byte, error) {
	var b tlv.Builder
	for e, err := range l.entries(list, parsers.Options{Want: parsers.FieldPath}) {
		if err == nil {
			err = b.Add(e)
		}
		if err != nil {
			return nil, err
		}
	}
	if b.Bytes() == nil {
		return nil, errors.New("no digests in it")
	}
	return b.Bytes(), nil
}

// put writes a file that is not there yet with that content and signature, and notes that.
func (j *job) put(batch *atomicfile.Batch, made cacheFile, done io.Writer) error {
	path := filepath.Join(j.cacheFolder(), made.name)
	verb, err := made.change(path)
	if verb == "" || err != nil {
		return err
	}
	if j.Bool("dry-run") {
		_, err := fmt.Fprintf(done, "%s %s\n", verb, made.name)
		return err
	}
	// No package need have brought the folder that the kernel reads.
	if err := batch.MakeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	err = batch.Add(path, 0o644, func(f *os.File) error {
		if _, err := f.Write(made.content); err != nil || made.ima == nil {
			return err
		}
		if err := xattr.SetFd(int(f.Fd()), imasig.AttributeName, made.ima); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	if err == nil {
		_, err = fmt.Fprintf(done, "%s %s\n", verb, made.name)
	}
	return err
}

// change says what has to be done so that a file is there: "" if it is.
func (made cacheFile) change(path string) (string, error) {
	present, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "add", nil
	}
	if err != nil || !bytes.Equal(present, made.content) {
		return "change", err
	}
	if made.ima == nil {
		return "", nil
	}
	signature, err := xattr.Get(path, imasig.AttributeName)
	if errors.Is(err, xattr.ErrAbsent) || err == nil && !bytes.Equal(signature, made.ima) {
		return "change", nil
	}
	return "", err
}
