package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"digestlists/internal/command"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/pgp"
	"digestlists/internal/vendorsig"
	"digestlists/parsers/rpmlist"
)

// forms are the values of FORM: what convert-rpm can make of a list.
var forms = map[string]vendorsig.Form{"plain": vendorsig.None, "apart": vendorsig.Apart, "on-disk": vendorsig.OnDisk}

// convertRPM turns the forms in which rpm lists carry their vendor's signature into one.
func convertRPM(j *job) error {
	to, ok := forms[j.Args().First()]
	if !ok {
		return command.Usagef("unknown form %q, want plain, apart or on-disk", j.Args().First())
	}
	keys, err := j.vendors()
	if err != nil {
		return err
	}
	c := &converter{job: j, to: to, keys: keys, now: time.Now()}
	tx, err := listdir.Begin(j.directory(), listdir.Options{DryRun: j.Bool("dry-run")})
	if err != nil {
		return err
	}
	defer tx.Close()
	if err := c.convertAll(tx); err != nil {
		return err
	}
	if _, err := tx.Commit(); err != nil {
		return err
	}
	return c.report()
}

// A converter turns lists into one form.
type converter struct {
	*job
	to   vendorsig.Form
	keys *pgp.Keyring
	now  time.Time
	done []conversion
}

// A conversion is what became of one list.
type conversion struct {
	List    string `json:"list"`
	From    string `json:"from"`
	To      string `json:"to"`
	Dropped string `json:"dropped,omitempty"` // a signature of another's that could not be kept
}

func (c *converter) convertAll(tx *listdir.Tx) error {
	seen := 0
	for _, l := range tx.Dir().Lists() {
		if l.Format != rpmlist.Format || c.IsSet("file") && l.File != c.String("file") {
			continue
		}
		seen++
		if err := c.convert(tx, l.File); err != nil {
			c.Fail(l.File, err)
		}
	}
	if seen == 0 {
		return command.WithCode(command.ExitNothing, fmt.Errorf("%s: no rpm list to convert", c.directory()))
	}
	return nil
}

func (c *converter) convert(tx *listdir.Tx, file string) error {
	data, err := tx.Dir().ReadInto(file, nil)
	if err != nil {
		return err
	}
	list, err := vendorsig.Find(c.directory(), file, data)
	if err != nil {
		return err
	}
	other, err := c.otherSignature(list, file, data)
	if err != nil {
		return err
	}
	if list.Form == c.to && other == "" && (c.to != vendorsig.None || len(data) == len(list.Header)) {
		return nil
	}
	if list.Form != vendorsig.None && len(c.keys.Keys()) > 0 {
		if _, err := list.Verify(c.keys, c.now); err != nil {
			return err
		}
	}
	if err := c.replace(tx, file, list); err != nil {
		return err
	}
	if n, err := list.Others(); err == nil && n > 0 && c.to == vendorsig.OnDisk {
		other = fmt.Sprintf("%d more of the vendor's", n)
	}
	c.done = append(c.done, conversion{file, list.Form.String(), c.to.String(), other})
	return nil
}

// otherSignature says where a list has a signature that is not its vendor's, "" for nowhere.
func (c *converter) otherSignature(list *vendorsig.List, file string, data []byte) (string, error) {
	if list.Form == vendorsig.OnDisk {
		if _, _, appended, err := imasig.SplitAppended(data); err != nil || !appended {
			return "", err
		}
		return imasig.PlaceAppended.String(), nil
	}
	found, err := imasig.Find(filepath.Join(c.directory(), file), data)
	if errors.Is(err, imasig.ErrNoSignature) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return found.Place.String(), nil
}

// replace puts the list in its new form into the transaction.
func (c *converter) replace(tx *listdir.Tx, file string, list *vendorsig.List) (err error) {
	content := list.Header
	var packets, attribute []byte
	switch c.to {
	case vendorsig.Apart:
		packets, err = list.Packets(c.keys)
	case vendorsig.OnDisk:
		content, attribute, err = list.OnDisk(c.keys, c.now)
	}
	var unknown *imasig.UnknownKeyError
	if errors.As(err, &unknown) {
		return fmt.Errorf("%w: the list has only the end of its id; --rpm-keys names the file of the key", err)
	}
	if err != nil {
		return err
	}
	staged, err := tx.Stage(content)
	if err != nil {
		return err
	}
	if packets != nil {
		err = staged.AddSignature(listdir.Apart, vendorsig.Suffix, packets)
	} else if attribute != nil {
		err = staged.SetXattr(imasig.AttributeName, attribute)
	}
	if err != nil {
		return err
	}
	return tx.Replace(file, staged)
}

// report says what was changed, or would be.
func (c *converter) report() error {
	out := json.NewEncoder(c.App.Writer)
	for _, d := range c.done {
		var err error
		if c.Bool("json") {
			err = out.Encode(d)
		} else {
			text := fmt.Sprintf("%s: %s, was %s", d.List, d.To, d.From)
			if d.Dropped != "" {
				text += "; dropped another signature: " + d.Dropped
			}
			_, err = fmt.Fprintln(c.App.Writer, text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
