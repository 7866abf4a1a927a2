package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"iter"
	"path/filepath"
	"strings"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/decode"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/regular"
	"digestlists/parsers"
	"digestlists/parsers/formats"
)

// copySource takes files as they are: certificates and lists made elsewhere.
type copySource struct{}

// Lists implements [parsers.Source], with one list for each input.
func (copySource) Lists(_ context.Context, in parsers.Input) iter.Seq2[*parsers.List, error] {
	return func(yield func(*parsers.List, error) bool) {
		for _, path := range in.Paths {
			list, err := copyList(path, in.Type)
			if !yield(list, err) || err != nil {
				return
			}
		}
	}
}

func copyList(path string, t compact.Type) (*parsers.List, error) {
	content, err := regular.ReadFile(path, 0, listdir.MaxListSize)
	if err != nil {
		return nil, err
	}
	if len(content) == 0 {
		return nil, fmt.Errorf("%s: empty file", path)
	}
	check := checkList
	if t == compact.TypeKey {
		check = checkCertificate
	}
	if err := check(path, content); err != nil {
		return nil, err
	}
	return &parsers.List{Name: filepath.Base(path), Content: content}, nil
}

// checkList refuses a list with a fault. Formats that are not built in are taken as they are.
func checkList(path string, content []byte) error {
	format, _, _ := strings.Cut(filepath.Base(path), "-")
	builtIn := formats.Lists()
	if _, ok := builtIn.Lookup(format); !ok {
		return nil
	}
	for _, err := range decode.Entries(builtIn, listdir.Name{Format: format}, content, parsers.Options{}) {
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// checkCertificate refuses what the kernel could not take as a key.
func checkCertificate(path string, content []byte) error {
	if block, _ := pem.Decode(content); block != nil {
		return command.WithHint(fmt.Errorf("%s: PEM, want a certificate in DER", path),
			"openssl x509 -in CERT.pem -outform der -out CERT.der")
	}
	var keys imasig.Keyring
	return keys.AddCertificate(content, path)
}
