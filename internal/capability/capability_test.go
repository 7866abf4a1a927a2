package capability_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/internal/capability"
	"digestlists/internal/xattr"
)

// texts are what setcap takes or refuses.
var texts = []string{
	"cap_net_raw=ep", "63,all=p", "all,63=p", "cap_chown+p", "=ep", "all=ep", "=", "all=", "cap_chown=", "CAP_CHOWN=ep", "ALL=p", "0=ep", "010=p", "0x3f=p", "40=p", "41=p",
	"cap_chown=p cap_setuid=i", "cap_chown=p cap_chown=i", "cap_chown=p+i", "cap_chown=p-p", "cap_chown=-p", "cap_chown=+p", "cap_chown-p+p",
	"=p cap_setpcap-p+i", "=ep cap_sys_admin-ep", "=i cap_chown=ip", "41=p =i", "cap_chown=p 41=p 45,63+i", "cap_chown=ip cap_setuid=ip cap_kill=p",
	"cap_chown=pie", "cap_chown=ei", " cap_chown=p\tcap_setuid=p\n", "1,2=p", "cap_chown,cap_chown=p", "cap_chown,all=p",
	"cap_chown", "cap_chown=x", "cap_chown=P", "cap_foo=p", "chown=p", "cap_chown,=p", ",cap_chown=p", "cap_chown =p", "cap_chown= p",
	"64=p", "-1=p", "+1=p", "08=p", "0x=p", "0xg=p", "1_0=p", "18446744073709551616=p", "=p+i", "=+p", "=-p", "+p", "-p",
	"cap_chown+-p", "cap_chown=p+", "cap_chown==p", "cap_chown=p=i", "cap_chown+p-", "cap_chown=p,cap_setuid=p",
	"cap_chown=ep cap_setuid=p", "=p 41+e",
}

func setcap(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	err := exec.Command("setcap", append(args, file)...).Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return file, err == nil
}

func getcap(t *testing.T, file string) string {
	t.Helper()
	out, err := exec.Command("getcap", "-n", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(string(out), file+" "))
}

func TestTextIsThatOfLibcap(t *testing.T) {
	for _, text := range texts {
		file, ok := setcap(t, text)
		set, err := capability.Parse(text)
		if ok != (err == nil) || err != nil && !errors.Is(err, capability.ErrText) {
			t.Errorf("%q: setcap takes it: %v; error %v", text, ok, err)
			continue
		}
		if !ok {
			continue
		}
		want, err := xattr.Get(file, capability.AttributeName)
		if err != nil {
			t.Fatal(err)
		}
		if got := set.Encode(); !bytes.Equal(got, want) {
			t.Errorf("%q: encoded as %x, setcap %x", text, got, want)
		}
		if got, want := set.String(), getcap(t, file); got != want {
			t.Errorf("%q: printed as %q, getcap %q", text, got, want)
		}
	}
}

func TestRevision3(t *testing.T) {
	file, ok := setcap(t, "-n", "1000", "cap_net_raw=ep")
	if !ok {
		t.Fatal("setcap failed")
	}
	value, err := xattr.Get(file, capability.AttributeName)
	if err != nil {
		t.Fatal(err)
	}
	set, err := capability.Decode(value)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := set.String(), getcap(t, file); got != want {
		t.Errorf("printed as %q, getcap %q", got, want)
	}
	again, err := capability.Parse(set.String())
	if err != nil || !bytes.Equal(again.Encode(), value) {
		t.Errorf("%v; from the text %x, want %x", err, again.Encode(), value)
	}
}

func TestBadValues(t *testing.T) {
	for value, class := range map[string]error{
		"":                                    compact.ErrTruncated,
		"000002":                              compact.ErrTruncated,
		"00000001" + strings.Repeat("00", 8):  compact.ErrUnsupportedVersion,
		"00000004" + strings.Repeat("00", 16): compact.ErrUnsupportedVersion,
		"00000002" + strings.Repeat("00", 20): compact.ErrMalformed,
		"00000003" + strings.Repeat("00", 16): compact.ErrMalformed,
		"02000002" + strings.Repeat("00", 16): compact.ErrMalformed,
	} {
		data, err := hex.DecodeString(value)
		if err != nil {
			t.Fatal(err)
		}
		if set, err := capability.Decode(data); !errors.Is(err, class) || set != (capability.Set{}) {
			t.Errorf("%s: %+v, error %v, want %v", value, set, err, class)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(capability.Set{Permitted: 1 << 13, Effective: true}.Encode())
	f.Add(capability.Set{Inheritable: 1 << 40, RootID: 1000}.Encode())
	f.Fuzz(func(t *testing.T, value []byte) {
		set, err := capability.Decode(value)
		if err != nil {
			return
		}
		again, err := capability.Decode(set.Encode())
		if err != nil || again != set {
			t.Fatalf("%+v became %+v, %v", set, again, err)
		}
		if text, err := capability.Parse(set.String()); err != nil || text.Permitted != set.Permitted || text.RootID != set.RootID {
			t.Fatalf("%q became %+v, %v", set, text, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Add("cap_chown=p [rootid=" + strconv.Itoa(1<<32-1) + "]")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := capability.Parse(text)
		if err != nil {
			return
		}
		if again, err := capability.Decode(set.Encode()); err != nil || again != set {
			t.Fatalf("%q: %+v became %+v, %v", text, set, again, err)
		}
	})
}
