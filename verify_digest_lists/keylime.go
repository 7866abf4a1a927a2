package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"

	"digestlists/attest"
	"digestlists/compact"
	"digestlists/internal/atomicfile"
	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/parsers/keylime"

	"github.com/urfave/cli/v2"
)

// exportPolicy writes what is known as a Keylime policy: the digests by path, the list
// files where machines have them, what is allowed or excluded, and the keys for .ima.
func exportPolicy(c *cli.Context) error {
	if err := refuseFlags(c, slices.Concat(machineFlags(), batchFlags()), "is not for --keylime-policy"); err != nil {
		return err
	}
	verdict := []string{"from-state", "save-state", "require-pcr", "digest-list-pcr", "all", "allow-weak", "ignore-violations", "json", "verbose"}
	if err := refuseNames(c, "is not for --keylime-policy", append(verdict, listFlags...)...); err != nil {
		return err
	}
	options, err := attestOptions(c)
	if err != nil {
		return err
	}
	refs, err := readReferences(c, options.Keys, options.Now)
	if err != nil {
		return err
	}
	if refs.Digests() == 0 {
		return command.WithCode(command.ExitNothing, errors.New("no references were given: there is nothing to write"))
	}
	policy := keylime.New()
	if err := addDigests(policy, refs); err != nil {
		return command.WithHint(err, "a policy has digests of SHA-1, SHA-256, SHA-384 and SHA-512 by path; compact lists hold no paths")
	}
	for _, patterns := range []*attest.Patterns{options.Allow, options.Exclude} {
		names, digests := patterns.Names()
		if digests > 0 {
			return fmt.Errorf("%w: patterns that are digests (%d)", keylime.ErrNotExpressible, digests)
		}
		for _, name := range names {
			policy.Excludes = append(policy.Excludes, name+"$")
		}
	}
	if err := addKeyring(policy, c); err != nil {
		return err
	}
	return atomicfile.Write(c.String("keylime-policy"), 0o644, func(w io.Writer) error { return policy.Write(w) })
}

// addDigests adds files by their paths, and the lists, which the kernel measures itself.
func addDigests(policy *keylime.Policy, refs *attest.References) error {
	for match := range refs.All() {
		if match.Type == compact.TypeMetadata {
			continue // no digest of a content
		}
		if err := policy.Add(match.Path, match.Algorithm, match.Digest); err != nil {
			return fmt.Errorf("%s: %w", match.List.Name, err)
		}
	}
	for _, list := range refs.Files() {
		if err := policy.Add(path.Join(listdir.Default, list.Name), compact.SHA256, list.SHA256); err != nil {
			return fmt.Errorf("%s: %w", list.Name, err)
		}
	}
	return nil
}

// addKeyring lets the certificates be added to the keyring for signatures of files. The
// kernel measures them as DER.
func addKeyring(policy *keylime.Policy, c *cli.Context) error {
	files, err := trustedKeys(c)
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := readFile(file, maxKeys)
		if err != nil {
			return err
		}
		if block, _ := pem.Decode(data); block != nil {
			data = block.Bytes
		}
		if _, err := x509.ParseCertificate(data); err != nil {
			return fmt.Errorf("%s: %w: a key that is no certificate", file, keylime.ErrNotExpressible)
		}
		policy.Keyrings[".ima"] = append(policy.Keyrings[".ima"], fmt.Sprintf("%x", sha256.Sum256(data)))
	}
	return nil
}
