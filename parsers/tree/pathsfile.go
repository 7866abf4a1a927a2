package tree

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// maxPath is PATH_MAX, the longest path in bytes that the kernel takes.
const maxPath = 4096

// PathsFile reads a file of paths, one a line. Each must exist: the kind of
// file is checked when it is hashed. Errors name the file and the line.
func PathsFile(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file, want a file of paths", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var paths []string
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, maxPath)
	scanner.Split(scanLines)
	for scanner.Scan() {
		path := scanner.Text()
		if err := checkPath(path); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, len(paths)+1, err)
		}
		paths = append(paths, path)
	}
	if err := scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("%s: line %d: a path of more than %d bytes", name, len(paths)+1, maxPath)
	} else if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: an empty file, want a path a line", name)
	}
	return paths, nil
}

// scanLines is bufio.ScanLines, but leaves a carriage return: it may belong to
// the name.
func scanLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

func checkPath(path string) error {
	if path == "" {
		return errors.New("an empty line, want a path")
	}
	_, err := os.Stat(path)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		if strings.HasSuffix(path, "\r") {
			return fmt.Errorf("%q: %w: the line ends in a carriage return, want a newline only", path, pathErr.Err)
		}
		return fmt.Errorf("%q: %w", path, pathErr.Err)
	}
	return err
}
