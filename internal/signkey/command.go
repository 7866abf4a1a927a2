package signkey

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"digestlists/compact"
	"digestlists/internal/imasig"
)

// Command is an imasig.Signer that hands each digest to an outside program, such as
// a client of a signing server or an HSM's tool.
//
// The command line is run by sh -c, once for each signature, with the digest as raw
// bytes on standard input and this in its environment, besides our own:
//
//	DIGEST_ALGORITHM  the kernel's name of the hash algorithm, such as sha256
//	DIGEST_HEX        the digest in hexadecimal
//	KEY_ID            the key's id, 8 hexadecimal digits
//
// It must exit with 0 and have written to standard output nothing but the signature:
// for RSA the PKCS#1 v1.5 block over the DigestInfo of this digest, for EC the ASN.1
// DER. Openssl with a key in a file does so with
//
//	openssl pkeyutl -sign -inkey key.pem -pkeyopt digest:sha256 -pkeyopt rsa_padding_mode:pkcs1
//
// What comes back is verified with the certificate before it is used: anything but the
// right signature is ErrCommand.
type Command struct {
	line string
	cert *imasig.Key
}

// NewCommand returns a signer that runs the command line and signs under the id of cert.
func NewCommand(line string, cert *imasig.Key) (*Command, error) {
	if strings.TrimSpace(line) == "" {
		return nil, fmt.Errorf("%w: empty command line", ErrCommand)
	}
	if cert == nil {
		return nil, fmt.Errorf("%w: needs the certificate of its key, to check what it signs", ErrCommand)
	}
	return &Command{line: line, cert: cert}, nil
}

// KeyID returns the id that the certificate states.
func (c *Command) KeyID() imasig.KeyID { return c.cert.ID }

// Public returns the certificate's key.
func (c *Command) Public() *imasig.Key { return c.cert }

// lingering is how long output is awaited from what a command left in the background.
const lingering = 2 * time.Second

// Sign runs the command.
func (c *Command) Sign(digest []byte, alg compact.Algorithm) ([]byte, error) {
	stdout := &capped{limit: imasig.MaxSize}
	stderr := &capped{limit: 1 << 10, discard: true}
	cmd := exec.Command("/bin/sh", "-c", c.line)
	cmd.Env = append(os.Environ(),
		"DIGEST_ALGORITHM="+alg.String(), "DIGEST_HEX="+hex.EncodeToString(digest), "KEY_ID="+c.cert.ID.String())
	cmd.Stdin = bytes.NewReader(digest)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = lingering
	err := cmd.Run()
	if stdout.full {
		return nil, fmt.Errorf("%w %q: it wrote more than %d bytes", ErrCommand, c.line, stdout.limit)
	}
	if err != nil {
		return nil, fmt.Errorf("%w %q: %w%s", ErrCommand, c.line, err, quoteOutput(stderr.data))
	}
	if len(stdout.data) == 0 {
		return nil, fmt.Errorf("%w %q: it wrote no signature", ErrCommand, c.line)
	}
	if err := c.cert.VerifyDigest(alg, digest, stdout.data); err != nil {
		return nil, fmt.Errorf("%w %q: what it wrote (%d bytes) is not the signature: %w%s",
			ErrCommand, c.line, len(stdout.data), err, quoteOutput(stderr.data))
	}
	return stdout.data, nil
}

func quoteOutput(data []byte) string {
	text := strings.TrimSpace(string(data))
	if text == "" {
		return ""
	}
	return fmt.Sprintf("; it said %q", text)
}

// capped is a writer that keeps up to limit bytes. What is more is dropped, or an
// error, which ends a command that goes on writing.
type capped struct {
	data    []byte
	limit   int
	discard bool
	full    bool // more was written
}

var errFull = errors.New("too much output")

func (c *capped) Write(p []byte) (int, error) {
	room := c.limit - len(c.data)
	if len(p) <= room {
		c.data = append(c.data, p...)
		return len(p), nil
	}
	c.full = true
	if !c.discard {
		return 0, errFull
	}
	c.data = append(c.data, p[:room]...)
	return len(p), nil
}
