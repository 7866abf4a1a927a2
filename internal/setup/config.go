package setup

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"digestlists/compact"
	"digestlists/internal/hashes"
	"digestlists/internal/listdir"
	"digestlists/internal/preflight"
	"digestlists/internal/regular"
	"digestlists/parsers/rpmdb"
)

// A Config is what the administrator has decided. Paths are below the root, and
// absolute.
type Config struct {
	Mode         Mode     `json:"mode"`
	Dir          string   `json:"dir"`           // the digest list directory
	Key          string   `json:"key"`           // the private key that signs lists
	Cert         string   `json:"cert"`          // its certificate
	PasswordFile string   `json:"password_file"` // of the key, or ""
	Packages     bool     `json:"packages"`      // lists of the packages in the RPM database, also of later ones
	PackageFiles []string `json:"package_files"` // package files, or folders of them
	Immutable    []string `json:"immutable"`     // files and folders that may not be written to
	Mutable      []string `json:"mutable"`       // and those that may
	PCR          string   `json:"pcr"`           // such as 11 or +11
	Hash         string   `json:"hash"`          // with which the kernel hashes files
	Metadata     bool     `json:"metadata"`      // with an EVM key, there are lists of metadata
	Initramfs    bool     `json:"initramfs"`     // rebuild it
	Bootloader   bool     `json:"bootloader"`    // add entries to its menu
}

// DefaultKey is where the key is that signs lists, as in the documents of evmctl.
const DefaultKey = "/etc/keys/privkey_ima.pem"

// Default returns what is taken for the system below root where nothing else is said.
func Default(root string) Config {
	c := Config{
		Mode: Log, Dir: listdir.Default, Key: DefaultKey, Cert: preflight.DefaultCert,
		PCR: "11", Hash: compact.SHA256.String(), Packages: true, Initramfs: true, Bootloader: true,
	}
	if _, err := rpmdb.Find(Under(root, "/")); errors.Is(err, rpmdb.ErrNoDatabase) {
		c.Packages, c.Immutable = false, Programs()
	}
	return c
}

// Programs are the folders to make lists of where there are no packages.
func Programs() []string { return []string{"/usr/bin", "/usr/sbin", "/usr/lib"} }

// ErrConfig is a configuration with a mistake.
var ErrConfig = errors.New("mistake in the configuration")

// A key reads the value of one key of the file into a configuration.
type key func(c *Config, value string) error

// keys are those of the file: see setup_ima_digest_lists(8).
var keys = map[string]key{
	"mode":          func(c *Config, v string) (err error) { c.Mode, err = ParseMode(v); return err },
	"dir":           path(func(c *Config) *string { return &c.Dir }),
	"key":           path(func(c *Config) *string { return &c.Key }),
	"cert":          path(func(c *Config) *string { return &c.Cert }),
	"password_file": path(func(c *Config) *string { return &c.PasswordFile }),
	"packages":      yesNo(func(c *Config) *bool { return &c.Packages }),
	"package_files": paths(func(c *Config) *[]string { return &c.PackageFiles }),
	"immutable":     paths(func(c *Config) *[]string { return &c.Immutable }),
	"mutable":       paths(func(c *Config) *[]string { return &c.Mutable }),
	"pcr":           func(c *Config, v string) error { c.PCR = v; return nil },
	"hash":          func(c *Config, v string) error { c.Hash = v; return nil },
	"metadata":      yesNo(func(c *Config) *bool { return &c.Metadata }),
	"initramfs":     yesNo(func(c *Config) *bool { return &c.Initramfs }),
	"bootloader":    yesNo(func(c *Config) *bool { return &c.Bootloader }),
}

func path(field func(*Config) *string) key {
	return func(c *Config, v string) error {
		if !filepath.IsAbs(v) {
			return fmt.Errorf("%q, want a path that begins with /", v)
		}
		*field(c) = filepath.Clean(v)
		return nil
	}
}

func paths(field func(*Config) *[]string) key {
	return func(c *Config, v string) error {
		var all []string
		for _, p := range strings.Fields(v) {
			if !filepath.IsAbs(p) {
				return fmt.Errorf("%q, want paths that begin with /, with spaces between", p)
			}
			all = append(all, filepath.Clean(p))
		}
		*field(c) = all
		return nil
	}
}

func yesNo(field func(*Config) *bool) key {
	return func(c *Config, v string) error {
		if v != "yes" && v != "no" {
			return fmt.Errorf("%q, want yes or no", v)
		}
		*field(c) = v == "yes"
		return nil
	}
}

// ReadConfig reads a file of the form of digest_lists.conf(5): KEY = VALUE, comments
// after #. What it does not say is as in [Default] for the system below root.
func ReadConfig(path, root string) (Config, error) {
	text, err := regular.ReadFile(path, 0, maxConfig)
	if err != nil {
		return Config{}, err
	}
	c, err := parseConfig(text, Default(root))
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// maxConfig is far more than a configuration needs.
const maxConfig = 1 << 20

func parseConfig(text []byte, c Config) (Config, error) {
	seen := make(map[string]bool)
	lines := bufio.NewScanner(bytes.NewReader(text))
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := c.set(line, seen); err != nil {
			return Config{}, fmt.Errorf("line %d: %w: %w", n, ErrConfig, err)
		}
	}
	if err := lines.Err(); err != nil {
		return Config{}, fmt.Errorf("line %d: %w: %w", n+1, ErrConfig, err)
	}
	return c, c.Check()
}

func (c *Config) set(line string, seen map[string]bool) error {
	name, value, ok := strings.Cut(line, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	read := keys[name]
	switch {
	case !ok:
		return fmt.Errorf("%.60q, want KEY = VALUE", line)
	case read == nil:
		return fmt.Errorf("unknown key %.60q", name)
	case seen[name]:
		return fmt.Errorf("%s is there twice", name)
	case value == "":
		return fmt.Errorf("%s has no value", name)
	}
	seen[name] = true
	if err := read(c, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Check finds what does not go together.
func (c *Config) Check() error {
	if err := checkPCR(c.PCR); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := checkHash(c.Hash); err != nil {
		return fmt.Errorf("%w: hash: %w", ErrConfig, err)
	}
	if !c.Packages && len(c.PackageFiles) == 0 && len(c.Immutable) == 0 && len(c.Mutable) == 0 {
		return fmt.Errorf("%w: nothing to make lists of: want packages, package_files, immutable or mutable", ErrConfig)
	}
	if c.Dir == "/" {
		return fmt.Errorf("%w: dir = /: want a directory of its own", ErrConfig)
	}
	return nil
}

// checkHash refuses algorithms with which no list can be made.
func checkHash(name string) error {
	algorithm, err := compact.ParseAlgorithm(name)
	if err == nil {
		_, err = hashes.New(algorithm)
	}
	return err
}

// Same reports whether another one says the same: lists that are empty are as those that
// are not there.
func (c *Config) Same(other Config) bool { return reflect.DeepEqual(c.normal(), other.normal()) }

func (c Config) normal() Config {
	for _, list := range []*[]string{&c.PackageFiles, &c.Immutable, &c.Mutable} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	return c
}
