// Package keylime reads and writes the runtime policies of Keylime, a verifier of many
// machines, so that both can work with the same digests.
//
// A policy is a JSON object. What is used of it is "digests", which has for each path the
// digests in hex that a file there may have, without their algorithm: 40 digits are SHA-1,
// 64 SHA-256, 96 SHA-384 and 128 SHA-512.
//
// Source: keylime/ima/types.py and keylime/ima/ima.py of Keylime 7 for the names and types
// of the properties, version 1 of the format.
package keylime

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"

	"digestlists/compact"
)

// Version is that of the format.
const Version = 1

// A Policy is a runtime policy. Its zero value is not complete: see New.
type Policy struct {
	Meta             Meta                `json:"meta"`
	Release          int                 `json:"release"`
	Digests          map[string][]string `json:"digests"`  // by path
	Excludes         []string            `json:"excludes"` // regular expressions, from the beginning of a path
	Keyrings         map[string][]string `json:"keyrings"` // digests of the keys that may be added, by keyring
	IMA              IMA                 `json:"ima"`
	Buffers          map[string][]string `json:"ima-buf"`
	VerificationKeys string              `json:"verification-keys"`
}

// Meta is what a policy says of itself.
type Meta struct {
	Version   int `json:"version"`
	Generator int `json:"generator"` // 0: none of Keylime's own
}

// IMA is how measurement lists are read.
type IMA struct {
	IgnoredKeyrings []string        `json:"ignored_keyrings"`
	LogHash         string          `json:"log_hash_alg"` // of template digests in a list as text
	DeviceMapper    json.RawMessage `json:"dm_policy"`
}

// New returns a policy that knows nothing.
func New() *Policy {
	return &Policy{
		Meta: Meta{Version: Version}, Digests: map[string][]string{}, Excludes: []string{}, Keyrings: map[string][]string{},
		IMA:     IMA{IgnoredKeyrings: []string{}, LogHash: "sha1", DeviceMapper: json.RawMessage("null")},
		Buffers: map[string][]string{},
	}
}

// algorithms are told by the length of digests.
var algorithms = map[int]compact.Algorithm{20: compact.SHA1, 32: compact.SHA256, 48: compact.SHA384, 64: compact.SHA512}

// ErrNotExpressible is something that a policy cannot hold.
var ErrNotExpressible = errors.New("cannot be said in a Keylime policy")

// Add lets a file at a path have a digest. A path that is empty or no UTF-8, and an
// algorithm other than those of the package, are ErrNotExpressible.
func (p *Policy) Add(path string, algorithm compact.Algorithm, digest []byte) error {
	switch {
	case path == "":
		return fmt.Errorf("%w: a digest without a path", ErrNotExpressible)
	case !utf8.ValidString(path):
		return fmt.Errorf("%w: the path %q, which is not UTF-8", ErrNotExpressible, path)
	case algorithms[len(digest)] != algorithm:
		return fmt.Errorf("%w: digests of %s", ErrNotExpressible, algorithm)
	}
	p.Digests[path] = append(p.Digests[path], hex.EncodeToString(digest))
	return nil
}

// Write writes the policy. Paths and digests are sorted and digests not repeated, so that the same
// policy gives the same bytes.
func (p *Policy) Write(w io.Writer) error {
	for _, digests := range []map[string][]string{p.Digests, p.Keyrings, p.Buffers} {
		for name, all := range digests {
			slices.Sort(all)
			digests[name] = slices.Compact(all)
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(p)
}

// Parse reads a policy. Every digest in it has been checked; anything wrong is
// compact.ErrMalformed or compact.ErrTruncated.
func Parse(data []byte) (*Policy, error) {
	var p Policy
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&p); err != nil {
		class := compact.ErrMalformed
		if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
			class = compact.ErrTruncated
		}
		return nil, fmt.Errorf("%w: offset %d: %w", class, d.InputOffset(), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: offset %d: more than one JSON value", compact.ErrMalformed, d.InputOffset())
	}
	if p.Meta.Version != Version {
		return nil, fmt.Errorf("%w: version %d of the format, want %d", compact.ErrMalformed, p.Meta.Version, Version)
	}
	if p.Digests == nil {
		return nil, fmt.Errorf("%w: no property digests", compact.ErrMalformed)
	}
	for _, path := range slices.Sorted(maps.Keys(p.Digests)) {
		for _, digest := range p.Digests[path] {
			if _, _, err := decodeDigest(digest); err != nil {
				return nil, fmt.Errorf("digests of %.128q: %w", path, err)
			}
		}
	}
	return &p, nil
}

func decodeDigest(text string) (compact.Algorithm, []byte, error) {
	digest, err := hex.DecodeString(text)
	algorithm, known := algorithms[len(digest)]
	if err != nil || !known {
		return 0, nil, fmt.Errorf("%w: %.130q, want 40, 64, 96 or 128 hex digits", compact.ErrMalformed, text)
	}
	return algorithm, digest, nil
}

// Unused names what a policy has besides digests of files.
func (p *Policy) Unused() []string {
	var unused []string
	for _, part := range []struct {
		name string
		n    int
	}{
		{"excludes", len(p.Excludes)},
		{"keyrings", len(p.Keyrings)},
		{"ignored_keyrings", len(p.IMA.IgnoredKeyrings)},
		{"ima-buf", len(p.Buffers)},
		{"verification-keys", min(1, len(p.VerificationKeys))},
	} {
		if part.n > 0 {
			unused = append(unused, fmt.Sprintf("%s (%d)", part.name, part.n))
		}
	}
	if len(p.IMA.DeviceMapper) > 0 && string(p.IMA.DeviceMapper) != "null" {
		unused = append(unused, "dm_policy")
	}
	return unused
}
