package attest_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"digestlists/attest"
	"digestlists/compact"
	"digestlists/internal/xattr"
	"digestlists/parsers/imalog"

	"golang.org/x/sys/unix"
)

// must runs a program that has to succeed.
func must(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// entryOf makes an entry of a template from its fields.
func entryOf(t testing.TB, template string, fields ...imalog.Field) *imalog.Measurement {
	t.Helper()
	m := &imalog.Measurement{PCR: 10, Template: template, Fields: fields}
	for _, f := range fields {
		m.Data = field(m.Data, f.Data)
	}
	m.TemplateDigest = sum(t, compact.SHA1, m.Data)
	return m
}

func digestField(t testing.TB, id string, a compact.Algorithm, content []byte) imalog.Field {
	t.Helper()
	return imalog.Field{ID: id, Data: append([]byte(a.String()+":\x00"), sum(t, a, content)...)}
}

func nameField(name string) imalog.Field {
	return imalog.Field{ID: "n-ng", Data: append([]byte(name), 0)}
}

// signer is a key with its certificate, made by openssl.
type signer struct{ key, cert string }

func newSigner(t testing.TB) signer {
	t.Helper()
	s := signer{filepath.Join(t.TempDir(), "key.pem"), filepath.Join(t.TempDir(), "cert.pem")}
	must(t, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=signer", "-days", "36500",
		"-addext", "subjectKeyIdentifier=hash", "-keyout", s.key, "-out", s.cert)
	return s
}

func (s signer) keys(t testing.TB) *attest.Keys {
	t.Helper()
	keys := new(attest.Keys)
	data, err := os.ReadFile(s.cert)
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Add(data, "cert.pem"); err != nil {
		t.Fatal(err)
	}
	return keys
}

// keyID has evmctl name the key as the certificate does.
func (s signer) keyID() string { return "--keyid-from-cert=" + s.cert }

// classOf verifies an entry in a list of its own.
func classOf(t testing.TB, m *imalog.Measurement, keys *attest.Keys) (attest.Class, string) {
	t.Helper()
	other := measured(t, 10, compact.SHA256, sum(t, compact.SHA256, []byte("other")), "/other")
	refs := knowing(t, []*imalog.Measurement{other}, nobody)
	r, err := attest.Verify(evidenceFor(t, []*imalog.Measurement{m}, compact.SHA256, false), attest.Options{References: refs, Keys: keys, All: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.Attested != 1 || len(r.Findings) != 1 {
		t.Fatalf("%d attested, %+v", r.Attested, r.Findings)
	}
	if trusted := r.Verdict == attest.Trusted; trusted != r.Findings[0].Good() {
		t.Errorf("%s with %s", r.Verdict, r.Findings[0].Class)
	}
	return r.Findings[0].Class, r.Findings[0].SignedBy
}

// expect verifies a good entry with its key, another one and none, and then with each of
// its fields but the name changed, none of which may leave it signed.
func expect(t *testing.T, good *imalog.Measurement, s, other signer) {
	t.Helper()
	for _, test := range []struct {
		keys *attest.Keys
		want attest.Class
		by   string
	}{{s.keys(t), attest.Signed, "cert.pem"}, {other.keys(t), attest.Unknown, ""}, {nil, attest.Unknown, ""}} {
		if class, by := classOf(t, good, test.keys); class != test.want || by != test.by {
			t.Errorf("%s: %s by %q, want %s by %q", good.Template, class, by, test.want, test.by)
		}
	}
	for i, f := range good.Fields {
		if f.ID == "n-ng" || len(f.Data) == 0 {
			continue
		}
		for _, at := range []int{0, len(f.Data) / 2, len(f.Data) - 1} {
			changed := good.Clone()
			changed.Fields[i].Data = flipped(f.Data, at, 1)
			// The digest of all of a file with an appended signature is not what was signed, and
			// neither are the names of attributes.
			if good.Template == "ima-modsig" && f.ID == "d-ng" || f.ID == "xattrnames" && at < len(f.Data)-1 {
				continue
			}
			if class, _ := classOf(t, entryOf(t, good.Template, changed.Fields...), s.keys(t)); class == attest.Signed {
				t.Errorf("%s: signed with byte %d of %s changed", good.Template, at, f.ID)
			}
		}
	}
}

func TestEntrySignatures(t *testing.T) {
	s, other := newSigner(t), newSigner(t)
	content := []byte("\x7fELF program")
	path := writeFile(t, filepath.Join(t.TempDir(), "program"), content)

	t.Run("ima", func(t *testing.T) {
		must(t, "evmctl", "ima_sign", "-a", "sha256", s.keyID(), "--key", s.key, path)
		sig, err := xattr.Get(path, "security.ima")
		if err != nil {
			t.Fatal(err)
		}
		fields := []imalog.Field{digestField(t, "d-ng", compact.SHA256, content), nameField("/bin/program"), {ID: "sig", Data: sig}}
		expect(t, entryOf(t, "ima-sig", fields...), s, other)
		fields[0] = digestField(t, "d-ng", compact.SHA256, []byte("another program"))
		if class, _ := classOf(t, entryOf(t, "ima-sig", fields...), s.keys(t)); class != attest.BadSignature {
			t.Errorf("the signature of another file: %s", class)
		}
	})
	t.Run("module", func(t *testing.T) {
		der := path + ".p7"
		must(t, "openssl", "cms", "-sign", "-binary", "-noattr", "-nocerts", "-md", "sha256", "-outform", "DER",
			"-signer", s.cert, "-inkey", s.key, "-in", path, "-out", der)
		message, err := os.ReadFile(der)
		if err != nil {
			t.Fatal(err)
		}
		fields := []imalog.Field{
			digestField(t, "d-ng", compact.SHA256, append(bytes.Clone(content), message...)), nameField("/lib/modules/x.ko"),
			{ID: "sig"},
			digestField(t, "d-modsig", compact.SHA256, content),
			{ID: "modsig", Data: message},
		}
		expect(t, entryOf(t, "ima-modsig", fields...), s, other)
		fields[3] = digestField(t, "d-modsig", compact.SHA256, []byte("another module"))
		if class, _ := classOf(t, entryOf(t, "ima-modsig", fields...), s.keys(t)); class != attest.BadSignature {
			t.Errorf("the signature of another module: %s", class)
		}
		fields[3] = digestField(t, "d-modsig", compact.SHA512, content)
		if class, _ := classOf(t, entryOf(t, "ima-modsig", fields...), s.keys(t)); class != attest.BadSignature {
			t.Errorf("a digest of another algorithm: %s", class)
		}
	})
	t.Run("evm", func(t *testing.T) {
		if err := os.Chown(path, 12, 345678); err != nil {
			t.Fatal(err)
		}
		if err := xattr.Set(path, "security.selinux", []byte("system_u:object_r:bin_t:s0\x00")); err != nil {
			t.Fatal(err)
		}
		must(t, "evmctl", "sign", "--portable", "--imahash", "-a", "sha256", s.keyID(), "--key", s.key, path)
		good := evmEntry(t, path, content)
		expect(t, good, s, other)
		good.Fields[0] = digestField(t, "d-ng", compact.SHA256, []byte("another program"))
		if class, _ := classOf(t, entryOf(t, "evm-sig", good.Fields...), s.keys(t)); class != attest.BadSignature {
			t.Errorf("the metadata of another file: %s", class)
		}
		must(t, "evmctl", "sign", "--portable", "--imasig", "-a", "sha256", s.keyID(), "--key", s.key, path)
		expect(t, evmEntry(t, path, content), s, other)
	})
}

// evmEntry makes the entry that a kernel with the template evm-sig would.
func evmEntry(t *testing.T, path string, content []byte) *imalog.Measurement {
	t.Helper()
	var names, lengths, values []byte
	for _, name := range []string{"security.selinux", "security.ima"} {
		value, err := xattr.Get(path, name)
		if err != nil {
			t.Fatal(err)
		}
		if names != nil {
			names = append(names, '|')
		}
		names = append(names, name...)
		lengths = binary.LittleEndian.AppendUint32(lengths, uint32(len(value)))
		values = append(values, value...)
	}
	sig, err := xattr.Get(path, "security.evm")
	if err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return entryOf(t, "evm-sig",
		digestField(t, "d-ng", compact.SHA256, content), nameField("/bin/program"), imalog.Field{ID: "evmsig", Data: sig},
		imalog.Field{ID: "xattrnames", Data: append(names, 0)}, imalog.Field{ID: "xattrlengths", Data: lengths}, imalog.Field{ID: "xattrvalues", Data: values},
		imalog.Field{ID: "iuid", Data: binary.LittleEndian.AppendUint32(nil, st.Uid)}, imalog.Field{ID: "igid", Data: binary.LittleEndian.AppendUint32(nil, st.Gid)},
		imalog.Field{ID: "imode", Data: binary.LittleEndian.AppendUint16(nil, uint16(st.Mode))})
}
