package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// firstWrite is what boot waits for: how long after its start upload_digest_lists writes
// the first of 1,500 lists, all of which it has looked at by then.
func (b bench) firstWrite() job {
	return job{
		name:       "upload, start to first write, 1,500 lists",
		prepare:    b.makeUploaded,
		contenders: []contender{b.untilWrite},
		check:      done,
		figure:     milliseconds,
		unit:       "ms", target: 20,
	}
}

func (b bench) uploaded() string { return filepath.Join(filepath.Dir(b.out), "uploaded") }

func (b bench) makeUploaded() error {
	if err := empty(b.uploaded()); err != nil {
		return err
	}
	return tool(b.tool("gen_digest_lists"), "-d", b.uploaded(), "-t", "file", "-o", "append", "-f", "rpm+db", "--db", b.inputs.database())
}

// untilWrite runs the tool with a folder in the place of securityfs, where a pipe takes
// what is meant for the kernel, and measures until the first bytes come.
func (b bench) untilWrite() (took sample, err error) {
	ima := filepath.Join(b.out, "ima")
	pipe := filepath.Join(ima, "digest_list_data")
	if err := errors.Join(empty(b.out), os.Mkdir(ima, 0o755), unix.Mkfifo(pipe, 0o600)); err != nil {
		return sample{}, err
	}
	// With a writer of its own, opening does not wait for the tool, nor reading end before it starts.
	kernel, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		return sample{}, err
	}
	first := make(chan time.Time, 1)
	start := time.Now()
	go func() {
		buf := make([]byte, 1<<20)
		if _, err := kernel.Read(buf); err == nil {
			first <- time.Now()
		}
		close(first)
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, kernel, buf) // until it is closed
	}()
	took, err = command{argv: []string{b.tool("upload_digest_lists"), "--securityfs", b.out, "-d", b.uploaded()}}.run()
	if err := errors.Join(err, kernel.Close()); err != nil {
		return sample{}, err
	}
	at, written := <-first
	if !written {
		return sample{}, errors.New("upload_digest_lists wrote nothing")
	}
	took.seconds = at.Sub(start).Seconds()
	return took, nil
}
