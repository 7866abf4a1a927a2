package boot

import (
	"os"
	"testing"
)

// Authority returns the file that KERNEL_CA names: PEM with the key and the certificate of an
// authority that is built into the kernel. Without it nobody can make certificates for a
// kernel that takes those of an authority only.
func Authority(t testing.TB) string {
	t.Helper()
	file := os.Getenv("KERNEL_CA")
	if file == "" {
		t.Fatal("KERNEL_CA does not name a file with key and certificate that are built into the kernel")
	}
	return file
}
