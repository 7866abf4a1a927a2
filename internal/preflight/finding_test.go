package preflight

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever is amiss says what it means and what mends it: findings are made by fine and amiss
// only, and nobody gives the latter nothing to say.
func TestFindingsSayAll(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if fields, ok := made(n); ok && fields > 0 && name != "finding.go" {
					t.Errorf("%s: makes a finding by itself", name)
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); !ok || f.Name != "amiss" {
					break
				}
				calls++
				for _, arg := range n.Args {
					if text, ok := arg.(*ast.BasicLit); ok && text.Value == `""` {
						t.Errorf("%s: a finding that says nothing", name)
					}
				}
			}
			return true
		})
	}
	if calls < 30 {
		t.Errorf("only %d findings looked at", calls)
	}
}

// made returns how many elements a literal of findings has, and whether it is one.
func made(lit *ast.CompositeLit) (int, bool) {
	kind := lit.Type
	if list, ok := kind.(*ast.ArrayType); ok {
		kind = list.Elt
	}
	name, ok := kind.(*ast.Ident)
	return len(lit.Elts), ok && name.Name == "Finding"
}

// A file that cannot be read has a way to mend it, whatever the reason is.
func TestMendReading(t *testing.T) {
	m := &Machine{Root: "/mnt"}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"/proc/keys", fs.ErrNotExist, "mount -t proc proc /mnt/proc"},
		{"/etc/x", errors.New("read error"), "namei -l /mnt/etc/x shows"},
		{"/etc/x", &fs.PathError{Op: "open", Path: "/mnt/etc/x/y", Err: fs.ErrInvalid}, "namei -l /mnt/etc/x/y shows"},
	} {
		if got := m.mendReading(tt.name, tt.err); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s, %v: %q", tt.name, tt.err, got)
		}
	}
	want := "ausearch -m AVC"
	if os.Geteuid() != 0 {
		want = "look as root: sudo setup_ima_digest_lists preflight --root /mnt"
	}
	if got := m.mendReading("/etc/x", fs.ErrPermission); !strings.HasPrefix(got, want) {
		t.Errorf("not permitted: %q", got)
	}
}
