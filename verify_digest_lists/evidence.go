package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"digestlists/attest"
	"digestlists/internal/command"
	"digestlists/internal/regular"

	"github.com/urfave/cli/v2"
)

// A machine is the files of one machine's evidence; empty names are files that are not there.
type machine struct {
	measurements []string // parts in order
	audit        []string // logs
	pcrs         []string // values that nobody has signed or, without quotePCRs, those of the quote

	quote, signature, quotePCRs, ak string
	nonce                           []byte
	eventLog                        string

	allowWeak bool
}

// machineOfFlags refuses a quote without what it has to be checked with.
func machineOfFlags(c *cli.Context) (m machine, err error) {
	m = machine{
		measurements: c.StringSlice("measurements"), audit: c.StringSlice("audit"), pcrs: c.StringSlice("pcrs"),
		quote: c.String("quote"), signature: c.String("signature"), quotePCRs: c.String("quote-pcrs"), ak: c.String("ak"),
		eventLog: c.String("event-log"), allowWeak: c.Bool("allow-weak"),
	}
	if len(m.measurements) == 0 {
		return m, refuseNames(c, "is for --measurements", "pcrs", "quote", "signature", "quote-pcrs", "ak", "nonce", "event-log", "evmctl-pcrs", "from-state", "save-state", "rest")
	}
	if !c.IsSet("quote") {
		for _, name := range []string{"signature", "quote-pcrs", "ak", "nonce"} {
			if c.IsSet(name) {
				return m, command.Usagef("--%s is for --quote", name)
			}
		}
		return m, nil
	}
	if c.IsSet("pcrs") == c.IsSet("quote-pcrs") {
		return m, command.Usagef("--quote needs the values that were quoted: either --quote-pcrs or --pcrs")
	}
	for _, name := range []string{"signature", "ak", "nonce"} {
		if c.String(name) == "" {
			return m, command.Usagef("--quote needs --%s", name)
		}
	}
	if m.nonce, err = hex.DecodeString(c.String("nonce")); err != nil {
		return m, command.Usagef("--nonce %q, want hex", c.String("nonce"))
	}
	return m, nil
}

// evidence reads all but the measurement list, which is read as it is verified. A quote
// that does not hold is attest.ErrQuote.
func (m machine) evidence() (e attest.Evidence, err error) {
	if len(m.audit) > 0 {
		e.Audit = attest.AuditRecords(m.audit...)
	}
	if len(m.measurements) == 0 {
		return e, nil
	}
	e.Measurements = attest.Measurements(m.measurements...)
	if e.PCRs, e.Quote, err = m.values(); err != nil || m.eventLog == "" {
		return e, err
	}
	data, err := regular.ReadFile(m.eventLog, 0, maxEventLog)
	if err != nil {
		return e, err
	}
	if e.EventLog, err = attest.ParseEventLog(data); err != nil {
		err = fmt.Errorf("%s: %w", m.eventLog, err)
	}
	return e, err
}

// maxEventLog bounds an event log, in bytes. Firmware has a few hundred KiB of room for it.
const maxEventLog = 16 << 20

// values reads the PCR values, of the quote if there is one.
func (m machine) values() (*attest.PCRs, *attest.Quote, error) {
	if m.quote == "" {
		pcrs, err := mergePCRs(m.pcrs, nil)
		return pcrs, nil, err
	}
	files := m.pcrs
	if m.quotePCRs != "" {
		files = []string{m.quotePCRs}
	}
	evidence, err := m.readQuote()
	if err != nil {
		return nil, nil, err
	}
	evidence.Values = func(selection []attest.SelectedBank) (*attest.PCRs, error) { return mergePCRs(files, selection) }
	quote, err := attest.OpenQuote(evidence)
	if err != nil && !errors.Is(err, attest.ErrQuote) {
		err = fmt.Errorf("%s: %w", m.quote, err)
	}
	return nil, quote, err
}

func mergePCRs(files []string, selection []attest.SelectedBank) (*attest.PCRs, error) {
	all := new(attest.PCRs)
	for _, path := range files {
		pcrs, err := attest.ReadPCRs(path, selection)
		if err != nil {
			return nil, err
		}
		if err := all.Merge(pcrs); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return all, nil
}

func (m machine) readQuote() (e attest.QuoteEvidence, err error) {
	if e.Message, err = readSmall(m.quote); err != nil {
		return e, err
	}
	if e.Signature, err = readSmall(m.signature); err != nil {
		return e, err
	}
	key, err := readSmall(m.ak)
	if err != nil {
		return e, err
	}
	if e.Key, err = attest.ParseAttestationKey(key); err != nil {
		return e, fmt.Errorf("%s: %w", m.ak, err)
	}
	e.Nonce, e.AllowSHA1 = m.nonce, m.allowWeak
	return e, nil
}

// Bounds of what is read as a whole, in bytes: far more than any such file has.
const (
	maxSmall    = 1 << 20  // keys, quotes and signatures of machines
	maxKeys     = 16 << 20 // certificates and OpenPGP keys
	maxPatterns = 16 << 20
)

func readSmall(path string) ([]byte, error) { return readFile(path, maxSmall) }

// readFile also reads what is no regular file, such as a pipe that a shell has made.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s: more than %d bytes", path, limit)
	}
	return data, err
}
