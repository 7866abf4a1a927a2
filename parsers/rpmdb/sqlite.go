package rpmdb

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	_ "github.com/glebarez/go-sqlite" // the driver "sqlite"
)

// scanSQLite emits the headers by package number.
//
// SQLite reads the schema, the index of names and checks the file. The headers are
// read from the pages of the table directly: through the driver, each one costs two
// large allocations and a system call a page, ten times the time of the rest.
func scanSQLite(ctx context.Context, f *file, emit func(Blob) error) error {
	db, err := connect(ctx, f.Name(), "mode=ro&immutable=1")
	if err != nil {
		return err
	}
	defer db.Close()
	if f.replaced() {
		return errMoved
	}
	root, err := packagesRoot(ctx, db)
	if err != nil {
		return err
	}
	tree, err := openTree(f)
	if err != nil {
		return err
	}
	cells, err := tree.cells(root)
	if err != nil {
		return err
	}
	if err := checkCount(ctx, db, cells); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sound := make(chan error, 1)
	go func() { sound <- quickCheck(ctx, db) }()
	if err := emitCells(tree, cells, emit); err != nil {
		cancel()
		<-sound
		return err
	}
	return <-sound
}

func emitCells(tree *tree, cells []cell, emit func(Blob) error) error {
	var buf []byte
	var err error
	for _, c := range cells {
		if buf, err = tree.blob(c, buf[:0]); err != nil {
			return err
		}
		if err := emit(Blob{Number: c.number, Data: buf}); err != nil {
			return err
		}
	}
	return nil
}

// connect opens a file with SQLite. A schema from an untrusted file runs no code:
// there are no functions in it and no constraints evaluated.
func connect(ctx context.Context, path, mode string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	uri := url.URL{Scheme: "file", Path: abs, RawQuery: mode +
		"&_pragma=trusted_schema(0)&_pragma=ignore_check_constraints(1)" +
		"&_pragma=mmap_size(0)&_pragma=cache_size(-256)"}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, sqliteError(ctx, "opening", err)
	}
	return db, nil
}

// sqliteError is ErrDamaged for what SQLite could not do with the file.
func sqliteError(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %s: %w", ErrDamaged, what, err)
}

// The tables as RPM makes them, without quotes and white space, in upper case. A
// view, or a table with computed columns, could make up rows.
var (
	packagesSchema = regexp.MustCompile(`^CREATETABLEPACKAGES\(HNUMINTEGERPRIMARYKEY(AUTOINCREMENT)?,BLOBBLOBNOTNULL\)$`)
	namesSchema    = regexp.MustCompile(`^CREATETABLENAME\(KEYTEXTNOTNULL,HNUMINTEGERNOTNULL,IDXINTEGERNOTNULL(,FOREIGNKEY\(HNUM\)REFERENCESPACKAGES\(HNUM\))?\)$`)
	strangeSchema  = regexp.MustCompile(`VIRTUALTABLE|GENERATED|AS\(|CHECK\(`)
)

var schemaSpace = strings.NewReplacer(" ", "", "\t", "", "\n", "", "\r", "", "'", "", `"`, "", "`", "", "[", "", "]", "")

// packagesRoot checks the schema and returns the first page of the table of headers.
func packagesRoot(ctx context.Context, db *sql.DB) (root uint32, err error) {
	rows, err := db.QueryContext(ctx, `SELECT type, name, rootpage, coalesce(sql, '') FROM sqlite_schema`)
	if err != nil {
		return 0, sqliteError(ctx, "schema", err)
	}
	defer rows.Close()
	var names bool
	for rows.Next() {
		var kind, name, text string
		var page uint32
		if err := rows.Scan(&kind, &name, &page, &text); err != nil {
			return 0, sqliteError(ctx, "schema", err)
		}
		plain := strings.ToUpper(schemaSpace.Replace(text))
		switch {
		case kind != "table" && kind != "index" || strangeSchema.MatchString(plain):
			return 0, fmt.Errorf("%w: schema: %s %q is not one of RPM's: %q", ErrUnsupported, kind, name, text)
		case kind == "table" && packagesSchema.MatchString(plain):
			root = page
		case kind == "table" && namesSchema.MatchString(plain):
			names = true
		}
	}
	if err := rows.Err(); err != nil {
		return 0, sqliteError(ctx, "schema", err)
	}
	if root == 0 || !names {
		return 0, fmt.Errorf("%w: schema: no tables Packages and Name as RPM makes them", ErrNoDatabase)
	}
	return root, nil
}

// checkCount compares the number of packages with that of the index of names, which
// has each one once. A cell that was lost from a page of either makes a difference;
// the order of the cells shows the other ways to go wrong.
func checkCount(ctx context.Context, db *sql.DB, cells []cell) error {
	var names int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM Name`).Scan(&names); err != nil {
		return sqliteError(ctx, "names", err)
	}
	if names != len(cells) {
		return fmt.Errorf("%w: %d packages, the index of names has %d", ErrDamaged, len(cells), names)
	}
	return nil
}

// quickCheck has SQLite check its file: the pages and their use, all tables and
// indexes, but not that they agree.
func quickCheck(ctx context.Context, db *sql.DB) error {
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return sqliteError(ctx, "quick_check", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: quick_check: %s", ErrDamaged, verdict)
	}
	return nil
}
