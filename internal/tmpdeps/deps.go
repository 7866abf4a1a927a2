package tmpdeps

import (
	_ "github.com/ProtonMail/go-crypto/openpgp"
	_ "github.com/cavaliergopher/rpm"
	_ "github.com/emmansun/gmsm/sm3"
	_ "github.com/glebarez/go-sqlite"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/knqyf263/go-rpmdb/pkg/bdb"
	_ "github.com/knqyf263/go-rpmdb/pkg/ndb"
	_ "github.com/knqyf263/go-rpmdb/pkg/sqlite3"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/smallstep/pkcs7"
	_ "github.com/urfave/cli/v2"
	_ "github.com/youmark/pkcs8"
	_ "golang.org/x/crypto/openpgp"
	_ "golang.org/x/crypto/ripemd160"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/sys/unix"
	_ "golang.org/x/term"
)
