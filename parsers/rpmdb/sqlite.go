package rpmdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/glebarez/go-sqlite" // also the driver "sqlite"
)

// scanSQLite emits the headers by package number.
//
// SQLite reads the schema. The pages are read directly: through the driver, each
// header costs two large allocations and a system call a page, ten times the time of
// the rest, and so does SQLite's own check of the file.
func scanSQLite(ctx context.Context, f *file, emit func(Blob) error) error {
	tables, err := readSchema(ctx, f)
	if err != nil {
		return err
	}
	p, err := openPages(f)
	if err != nil {
		return err
	}
	cells, err := p.packages(ctx, tables)
	if err != nil {
		return err
	}
	// The indexes hold no headers. They are checked while those are made into lists.
	indexes, checked := p.again(), make(chan error, 1)
	checking, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { checked <- indexes.trees(checking, tables.others) }()
	if err = p.emit(cells, emit); err != nil {
		cancel()
	}
	if failed := <-checked; err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return p.checkUnused()
}

// emit emits the headers of the table of packages.
func (p *pages) emit(cells []cell, emit func(Blob) error) (err error) {
	var buf []byte
	for _, c := range cells {
		if buf, err = p.blob(c, buf[:0]); err != nil {
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

// Results of SQLite that say nothing of the file, but that there is no memory, no right to write, no reading or
// writing, no space or no opening. The low byte is what more exact results have in common (https://www.sqlite.org/rescode.html).
var systemResults = []int{7, 8, 10, 13, 14}

const shortRead = 522 // SQLITE_IOERR_SHORT_READ: the file is too short

// sqliteError is ErrDamaged for what SQLite could not do with the file, unless the system is to blame.
func sqliteError(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var result *sqlite.Error
	if errors.As(err, &result) && slices.Contains(systemResults, result.Code()&0xff) && result.Code() != shortRead {
		return fmt.Errorf("%s: SQLite, result %d: %s", what, result.Code(), sqlite.ErrorCodeString[result.Code()&0xff])
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

// A schema is where the tables and indexes of a database start.
type schema struct {
	packages uint32 // first pages
	names    uint32
	others   []uint32
}

// readSchema reads the schema with SQLite, and checks that it is one of RPM's.
func readSchema(ctx context.Context, f *file) (*schema, error) {
	db, err := connect(ctx, f.Name(), "mode=ro&immutable=1")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if f.replaced() {
		return nil, errMoved
	}
	rows, err := db.QueryContext(ctx, `SELECT type, name, rootpage, coalesce(sql, '') FROM sqlite_schema`)
	if err != nil {
		return nil, sqliteError(ctx, "schema", err)
	}
	defer rows.Close()
	s := &schema{others: []uint32{schemaRoot}}
	for rows.Next() {
		var kind, name, text string
		var root uint32
		if err := rows.Scan(&kind, &name, &root, &text); err != nil {
			return nil, sqliteError(ctx, "schema", err)
		}
		if err := s.add(kind, name, root, text); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, sqliteError(ctx, "schema", err)
	}
	if s.packages == 0 || s.names == 0 {
		return nil, fmt.Errorf("%w: schema: no tables Packages and Name as RPM makes them", ErrNoDatabase)
	}
	return s, nil
}

func (s *schema) add(kind, name string, root uint32, text string) error {
	plain := strings.ToUpper(schemaSpace.Replace(text))
	switch {
	case kind != "table" && kind != "index" || strangeSchema.MatchString(plain):
		return fmt.Errorf("%w: schema: %s %q is not one of RPM's: %q", ErrUnsupported, kind, name, text)
	case kind == "table" && packagesSchema.MatchString(plain):
		s.packages = root
	case kind == "table" && namesSchema.MatchString(plain):
		s.names = root
	default:
		s.others = append(s.others, root)
	}
	return nil
}
