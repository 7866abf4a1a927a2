package main

import (
	"errors"
	"fmt"
	"os"

	"digestlists/internal/command"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/signkey"
	"digestlists/internal/vendorsig"
	"digestlists/internal/xattr"

	"github.com/urfave/cli/v2"
)

const (
	passwordVariable = "DIGEST_LISTS_PASSWORD"
	attributeName    = "security.ima"
	detachedSuffix   = ".sig"
)

// signing is who signs, and where the signature goes.
type signing struct {
	signer   imasig.Signer // nil: lists stay unsigned
	cert     *imasig.Key   // the signer's certificate, where given
	detached bool
	appended bool
}

func (r *request) parseSigning(c *cli.Context) error {
	s := &r.signing
	s.detached, s.appended = c.Bool("detached"), c.Bool("appended")
	if s.detached && s.appended {
		return command.Usagef("--detached and --appended: a signature goes to one place")
	}
	if !c.Bool("sign") && r.operation != opSign {
		return nil
	}
	if s.appended && c.String("cert") == "" {
		return command.Usagef("--appended needs the certificate of the key (--cert)")
	}
	var err error
	if path := c.String("cert"); path != "" {
		if s.cert, err = signkey.LoadCertificate(path); err != nil {
			return err
		}
	}
	s.signer, err = r.newSigner(c)
	return err
}

func (r *request) newSigner(c *cli.Context) (imasig.Signer, error) {
	key, cmd := c.String("key"), c.String("sign-cmd")
	switch {
	case key != "" && cmd != "":
		return nil, command.Usagef("-k and --sign-cmd: one of them signs")
	case cmd != "" && r.signing.cert == nil:
		return nil, command.Usagef("--sign-cmd needs the certificate of the key (--cert)")
	case cmd != "":
		return signkey.NewCommand(cmd, r.signing.cert)
	case key == "":
		return nil, command.Usagef("signing needs a key (-k) or a command (--sign-cmd)")
	}
	loaded, err := signkey.Load(key, password(c))
	if err != nil {
		return nil, err
	}
	if r.signing.cert != nil {
		if err := loaded.UseCertificate(r.signing.cert); err != nil {
			return nil, err
		}
	}
	return loaded, nil
}

// stage stages a product with its signature.
func (r *request) stage(p *product, tx *listdir.Tx) error {
	content, value, err := r.sign(p.content)
	if err != nil {
		return fmt.Errorf("sign %s: %w", p.name.Label, err)
	}
	if p.attribute != nil {
		value = p.attribute
	}
	staged, err := tx.Stage(content)
	if err != nil {
		return err
	}
	if p.vendor != nil {
		if err := staged.AddSignature(listdir.Apart, vendorsig.Suffix, p.vendor); err != nil {
			return err
		}
	}
	if value != nil && r.signing.detached {
		err = staged.AddSignature(listdir.Apart, detachedSuffix, value)
	} else if value != nil {
		err = attributeError(staged.SetXattr(attributeName, value))
	}
	if err != nil {
		return err
	}
	p.staged = staged
	return nil
}

// sign returns the content as it is to be stored, and the bytes of the signature
// attribute or detached file; nil if there is none.
func (r *request) sign(content []byte) (stored, value []byte, err error) {
	switch {
	case r.signing.signer == nil:
		return content, nil, nil
	case r.signing.appended:
		stored, err = imasig.AppendPKCS7(content, r.algorithm, r.signing.signer, r.signing.cert)
		return stored, nil, err
	}
	sig, err := imasig.Sign(content, r.algorithm, r.signing.signer)
	if err != nil {
		return nil, nil, err
	}
	return content, sig.Marshal(), nil
}

// attributeError offers the other form of signature where attributes cannot be
// written.
func attributeError(err error) error {
	if errors.Is(err, xattr.ErrUnsupported) || errors.Is(err, xattr.ErrPermission) || errors.Is(err, os.ErrPermission) {
		return command.WithHint(err, "--detached writes signatures to files in DIR.sig instead")
	}
	return err
}
