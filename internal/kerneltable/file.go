package kerneltable

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"digestlists/compact"
	"digestlists/internal/atomicfile"
	"digestlists/internal/regular"
)

const (
	title         = "# digest table, version 1"
	budgetKey     = "budget="
	algorithmKey  = "last-algorithm="
	maxReferences = 1<<31 - 1
)

// ErrMalformed is a file that is not a table, or a damaged one.
var ErrMalformed = errors.New("malformed digest table")

// Save writes the table to a file, which is there as a whole or not at all.
func (t *Table) Save(path string) error {
	return atomicfile.Write(path, 0o644, t.write)
}

func (t *Table) write(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s\n%s%d\n%s%s\n", title, budgetKey, t.limits.Budget, algorithmKey, t.limits.LastAlgorithm)
	for e := range t.All() {
		fmt.Fprintf(out, "%s %s %x %d", e.Type, e.Algorithm, e.Sum, e.References)
		if e.Modifiers != 0 {
			fmt.Fprintf(out, " %s", e.Modifiers)
		}
		out.WriteByte('\n')
	}
	return out.Flush()
}

// Load reads a table from a file that Save has written. A missing one is
// os.ErrNotExist; a damaged one is ErrMalformed, with the line.
func Load(path string) (*Table, error) {
	f, err := regular.Open(path, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// lineError says where a file is wrong.
func lineError(line int, format string, args ...any) error {
	return fmt.Errorf("line %d: %w: "+format, append([]any{line, ErrMalformed}, args...)...)
}

func read(r io.Reader) (*Table, error) {
	t := New(Limits{})
	lines := bufio.NewScanner(r) // which refuses lines of more than 64 KiB
	n := 0
	for lines.Scan() {
		n++
		line := lines.Text()
		switch {
		case n == 1 && line != title:
			return nil, lineError(n, "%.40q, want %q", line, title)
		case strings.HasPrefix(line, "#"), strings.TrimSpace(line) == "":
			continue
		}
		if err := t.readLine(line); err != nil {
			return nil, lineError(n, "%w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, lineError(n+1, "%w", err)
	}
	if n == 0 {
		return nil, lineError(1, "empty file, want %q", title)
	}
	return t, nil
}

func (t *Table) readLine(line string) error {
	if value, ok := strings.CutPrefix(line, budgetKey); ok {
		return t.readBudget(value)
	}
	if value, ok := strings.CutPrefix(line, algorithmKey); ok {
		a, err := compact.ParseAlgorithm(value)
		t.limits.LastAlgorithm = a
		return err
	}
	return t.readDigest(strings.Fields(line))
}

func (t *Table) readBudget(value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || n > MaxBudget {
		return fmt.Errorf("budget %.40q, want 0 to %d bytes", value, MaxBudget)
	}
	t.limits.Budget = n
	return nil
}

func (t *Table) readDigest(fields []string) error {
	if len(fields) < 4 || len(fields) > 5 {
		return fmt.Errorf("%d fields, want type, algorithm, digest, references and maybe modifiers", len(fields))
	}
	typ, err := compact.ParseType(fields[0])
	if err != nil {
		return err
	}
	a, err := compact.ParseAlgorithm(fields[1])
	if err != nil {
		return err
	}
	sum, err := hex.DecodeString(fields[2])
	if err != nil || len(sum) != a.Size() {
		return fmt.Errorf("digest %.140q, want %d hexadecimal digits", fields[2], 2*a.Size())
	}
	references, err := strconv.Atoi(fields[3])
	if err != nil || references < 1 || references > maxReferences {
		return fmt.Errorf("references %.40q, want 1 to %d", fields[3], maxReferences)
	}
	r := &record{references: references}
	if len(fields) == 5 {
		if r.modifiers, err = parseModifiers(fields[4]); err != nil {
			return err
		}
	}
	s := set{typ, a}
	if t.sets[s][string(sum)] != nil {
		return fmt.Errorf("%s %s %x is there twice", typ, a, sum)
	}
	t.insert(s, string(sum), r)
	return nil
}

// parseModifiers reads what compact.Modifiers prints: names, and one number of the
// bits that have none.
func parseModifiers(text string) (compact.Modifiers, error) {
	var all compact.Modifiers
	for name := range strings.SplitSeq(text, ",") {
		if strings.HasPrefix(name, "0x") {
			bits, err := strconv.ParseUint(name[2:], 16, 16)
			if err != nil {
				return 0, fmt.Errorf("modifiers %.40q: want a number of 16 bits", name)
			}
			all |= compact.Modifiers(bits)
			continue
		}
		m, err := compact.ParseModifiers(name)
		if err != nil {
			return 0, err
		}
		all |= m
	}
	return all, nil
}
