package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// listVariants is how many lists, with digests of their own, are made from each package.
const listVariants = 10

// makeLists fills dir with rpm lists, listVariants of every package of a folder.
func makeLists(dir, folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.rpm"))
	if err != nil {
		return err
	}
	position := 0
	for variant := range listVariants {
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			header, err := mainHeader(content)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			list := bytes.Clone(header)
			name, err := vary(list, variant)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			path := filepath.Join(dir, fmt.Sprintf("%d-file_list-rpm-%s-1.2-3.noarch", position, name))
			if err := os.WriteFile(path, list, 0o644); err != nil {
				return err
			}
			position++
		}
	}
	return nil
}

const (
	leadSize   = 96
	introSize  = 16 // magic, reserved, number of entries, bytes of data
	entrySize  = 16 // tag, type, offset, count
	tagName    = 1000
	tagDigests = 1035
)

var (
	headerMagic = []byte("\x8e\xad\xe8\x01\x00\x00\x00\x00")
	errNoHeader = errors.New("no RPM header where one is expected")
)

// mainHeader cuts the second header out of a package file (the lead, the
// signature header padded to 8 bytes, the main header, the payload). Its bytes
// are those of an rpm list.
func mainHeader(file []byte) ([]byte, error) {
	signature, err := headerSize(file, leadSize)
	if err != nil {
		return nil, err
	}
	start := leadSize + (signature+7)&^7
	size, err := headerSize(file, start)
	if err != nil {
		return nil, err
	}
	return file[start : start+size], nil
}

// headerSize returns the bytes of the header at an offset.
func headerSize(file []byte, start int) (int, error) {
	if len(file) < start+introSize || !bytes.HasPrefix(file[start:], headerMagic) {
		return 0, errNoHeader
	}
	entries := int(binary.BigEndian.Uint32(file[start+8:]))
	data := int(binary.BigEndian.Uint32(file[start+12:]))
	size := introSize + entries*entrySize + data
	if len(file) < start+size {
		return 0, errNoHeader
	}
	return size, nil
}

// vary turns a list into the n-th of its kind, in place, and returns its
// package's name: a letter of the name and a hex digit of each digest change.
func vary(list []byte, n int) (name string, err error) {
	entries := int(binary.BigEndian.Uint32(list[8:]))
	data := list[introSize+entries*entrySize:]
	for i := range entries {
		entry := list[introSize+i*entrySize:][:entrySize]
		values := data[binary.BigEndian.Uint32(entry[8:]):]
		count := int(binary.BigEndian.Uint32(entry[12:]))
		switch binary.BigEndian.Uint32(entry) {
		case tagName:
			values[0] = byte('a' + n)
			name = string(values[:bytes.IndexByte(values, 0)])
		case tagDigests:
			varyDigests(values, count, n)
		}
	}
	if name == "" {
		return "", errNoHeader
	}
	return name, nil
}

// varyDigests adds n to the first digit of each of count NUL-terminated hex strings.
func varyDigests(values []byte, count, n int) {
	const digits = "0123456789abcdef"
	for range count {
		if digit := bytes.IndexByte([]byte(digits), values[0]); digit >= 0 {
			values[0] = digits[(digit+n)%len(digits)]
		}
		values = values[bytes.IndexByte(values, 0)+1:]
	}
}
