package update

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Each line that is wrong is refused with its file and line number, before anything
// is done.
func TestConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct{ line, want string }{
		{"updates = yes", ":3: unknown key updates"},
		{"Update = yes", ":3: want key = value"},
		{"yes", ":3: want key = value"},
		{"= yes", ":3: want key = value"},
		{"load = ", ":3: load has no value"},
		{"load =", ":3: load has no value"},
		{"update = no", ":3: update is there twice"},
		{"load = true", ":3: load = true: want yes or no"},
		{"load = yes # really", ":3: load = yes # really: want yes or no"},
		{`load = "yes"`, `:3: load = "yes": want yes or no`},
		{"sign = yes", ":3: sign = yes: want no or key or command"},
		{"signature = both", ":3: signature = both: want xattr or detached or appended"},
		{"initramfs = yes", ":3: initramfs = yes: want mark or rebuild or no"},
		{"generation = 0.4", ":3: generation = 0.4: want 0.3 or 0.3.9x"},
		{"key = key.pem", ":3: key = key.pem: want an absolute path"},
		{"cert = ~/cert.der", ":3: cert = ~/cert.der: want an absolute path"},
		{"sign_command = a\tb", ":3: sign_command: control character in the value"},
		{"sign_command = a\x1bb", ":3: sign_command: control character in the value"},
		{"$(touch $LOG/ran) = yes", ":3: want key = value"},
		{"load = $(touch $LOG/ran)", ":3: load = $(touch $LOG/ran): want yes or no"},
		{"load = `touch $LOG/ran`", ":3: load = `touch $LOG/ran`: want yes or no"},
		{"load = *", ":3: load = *: want yes or no"},
		{"load = -n", ":3: load = -n: want yes or no"},
		{`load = a\nb`, `:3: load = a\nb: want yes or no`},
		{"* = yes", ":3: want key = value"},
		{"sign = key", ": sign = key needs a key"},
		{"sign = command", ": sign = command needs a sign_command"},
		{"sign = command\nsign_command = x", ": sign = command needs a cert"},
		{"key = /k", ": key and password_file go with sign = key, and sign = no"},
		{"sign = command\npassword_file = /p", ": key and password_file go with sign = key, and sign = command"},
		{"sign_command = x", ": sign_command goes with sign = command, and sign = no"},
		{"signature = appended", ": signature = appended goes with sign = key or command, and sign = no"},
		{"sign = key\nkey = /k\nsignature = appended", ": signature = appended needs a cert"},
		{"db = /nowhere", "/nowhere, which "},
	}
	for i, tt := range tests {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, tt.line)
			got := m.update()
			if got.code < 2 || got.code > 3 || !strings.Contains(got.stderr, tt.want) || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("%q: %+v, want %q", tt.line, got, tt.want)
			}
			m.wantLists()
			if m.runs() > 0 || m.exists("log/ran") {
				t.Errorf("%q: ran %s", tt.line, m.read("log/calls"))
			}
		})
	}
}

func TestConfigurationIsRead(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write("etc/digest_lists.conf", "# comment\n\n \t# indented\n  update=yes\t \r\nload\t=  no\ndir = "+m.path("etc/other lists/")+"\ninitramfs=no")
	m.mustUpdate("digest lists: 2 added without signature, 0 removed")
	if !m.exists("etc/other lists/" + listA1) {
		t.Errorf("the last line, or the folder, was not understood: %q", m.lists())
	}
}

// Who can write to the configuration can have commands run as root.
func TestConfigurationOfOthers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(m *machine) error
		want string
	}{
		{"group", func(m *machine) error { return os.Chmod(m.conf, 0o664) }, ": others can write to it: "},
		{"all", func(m *machine) error { return os.Chmod(m.conf, 0o646) }, ": others can write to it: "},
		{"owner", func(m *machine) error { return os.Chown(m.conf, 1234, 0) }, ": belongs to another user than root"},
		{"link", func(m *machine) error {
			m.write("home/conf", "update = yes\n")
			m.remove("etc/digest_lists.conf")
			if err := os.Chown(m.path("home/conf"), 1234, 0); err != nil {
				return err
			}
			return os.Symlink(m.path("home/conf"), m.conf)
		}, ": belongs to another user than root"},
		{"folder", func(m *machine) error {
			m.remove("etc/digest_lists.conf")
			return os.Mkdir(m.conf, 0o755)
		}, ": not a regular file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			if err := tt.make(m); err != nil {
				t.Fatal(err)
			}
			m.mustFail(2, tt.want)
			m.wantLists()
		})
	}
}

// The configuration that is installed switches nothing on, and it, the manual and
// the script know the same keys and defaults.
func TestKeysAreDocumented(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	shipped, err := os.ReadFile("../../packaging/digest_lists.conf")
	if err != nil {
		t.Fatal(err)
	}
	m.write("etc/digest_lists.conf", string(shipped))
	m.mustUpdate("")

	script, err := os.ReadFile(shared.script)
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("../../man/digest_lists.conf.5.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`(?m)^\t([a-z_]+)\) .*value`).FindAllSubmatch(script, -1)
	if len(keys) < 10 {
		t.Fatalf("the script has %d keys", len(keys))
	}
	for _, k := range keys {
		key := string(k[1])
		def := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindSubmatch(script)
		if def == nil {
			t.Errorf("%s has no default", key)
			continue
		}
		if line := strings.TrimSpace("#" + key + " = " + string(def[1])); !strings.Contains(string(shipped), "\n"+line+"\n") {
			t.Errorf("the shipped configuration has no line %q", line)
		}
		if entry := "\n**" + key + "** = "; strings.Count(string(manual), entry) != 1 {
			t.Errorf("the manual has no entry %q", entry)
		}
	}
}
