package attest_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"digestlists/attest"

	"github.com/google/go-cmp/cmp"
)

// schema is the part of JSON Schema that report.schema.json is written in.
type schema struct {
	Type          any
	Enum          []string
	Ref           string `json:"$ref"`
	Required      []string
	Properties    map[string]schema
	PropertyNames *schema
	Additional    *schema `json:"additionalProperties"`
	Items         *schema
	Minimum       *float64
	Defs          map[string]schema `json:"$defs"`
}

func readSchema(t *testing.T) schema {
	t.Helper()
	var s schema
	if err := json.Unmarshal(readFile(t, "..", "report.schema.json"), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// check returns what of a value the schema does not take.
func (s schema) check(root schema, at string, value any) []string {
	if s.Ref != "" {
		return root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")].check(root, at, value)
	}
	var wrong []string
	if !s.takes(value) {
		wrong = append(wrong, fmt.Sprintf("%s: %v is not of type %v", at, value, s.Type))
	}
	switch value := value.(type) {
	case string:
		if s.Enum != nil && !slices.Contains(s.Enum, value) {
			wrong = append(wrong, fmt.Sprintf("%s: %q is not one of %q", at, value, s.Enum))
		}
	case float64:
		if s.Minimum != nil && value < *s.Minimum {
			wrong = append(wrong, fmt.Sprintf("%s: %v is less than %v", at, value, *s.Minimum))
		}
	case []any:
		for i, item := range value {
			wrong = append(wrong, s.Items.check(root, fmt.Sprintf("%s[%d]", at, i), item)...)
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := value[name]; !ok {
				wrong = append(wrong, fmt.Sprintf("%s: no %s", at, name))
			}
		}
		for name, item := range value {
			property, ok := s.Properties[name]
			switch {
			case ok:
				wrong = append(wrong, property.check(root, at+"."+name, item)...)
			case s.Additional != nil:
				wrong = append(wrong, s.PropertyNames.check(root, at, name)...)
				wrong = append(wrong, s.Additional.check(root, at+"."+name, item)...)
			default:
				wrong = append(wrong, fmt.Sprintf("%s: %s is not in the schema", at, name))
			}
		}
	}
	return wrong
}

func (s schema) takes(value any) bool {
	names := []any{s.Type}
	if several, ok := s.Type.([]any); ok {
		names = several
	}
	is := map[string]bool{"null": value == nil}
	switch value := value.(type) {
	case string:
		is["string"] = true
	case bool:
		is["boolean"] = true
	case float64:
		is["integer"] = value == float64(int64(value))
	case []any:
		is["array"] = true
	case map[string]any:
		is["object"] = true
	}
	return s.Type == nil || slices.ContainsFunc(names, func(n any) bool { return is[n.(string)] })
}

// Reports of every kind are as the schema says.
func TestSchema(t *testing.T) {
	s := readSchema(t)
	const folder = "digest-lists-plus11"
	dir := "testdata/" + folder + "/digest_lists"
	keys := signingKeys(t)
	stock := evidence(t, "mainline-ima-ng")
	stock.PCRs, stock.Quote = readPCRs(t, "testdata/mainline-ima-ng/pcrs.txt"), nil
	violations := withViolation(measurements(t, lists("mainline-ima-ng")[1]))
	for name, r := range map[string]*attest.Report{
		"unknown files": verify(t, evidence(t, folder), attest.Options{References: references(t, dir, keys), Keys: keys}),
		"all entries":   verify(t, evidence(t, folder), attest.Options{References: references(t, dir, keys), Keys: keys, All: true}),
		"unknown lists": verify(t, evidence(t, folder), attest.Options{References: packageReferences(t)}),
		"never matches": verify(t, stock, attest.Options{References: references(t, dir, nil)}),
		"violation":     verify(t, evidenceFor(t, violations, 4, true), attest.Options{References: packageReferences(t)}),
		"nothing":       verify(t, attest.Evidence{Measurements: attest.Measurements()}, attest.Options{}),
		"audit":         verify(t, attest.Evidence{Audit: auditRecords(t, auditLog)}, auditOptions(t)),
		"refused":       attest.Refused(attest.ErrNonce),
	} {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(data, &value); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range s.check(s, name, value) {
			t.Error(wrong)
		}
	}
}

// The schema has every property that a report can have, and no other.
func TestSchemaIsComplete(t *testing.T) {
	s := readSchema(t)
	for _, test := range []struct {
		s schema
		v any
	}{
		{s, attest.Report{}},
		{s.Properties["quote"], attest.QuoteReport{}},
		{*s.Properties["pcrs"].Items, attest.RegisterReport{}},
		{*s.Properties["lists"].Items, attest.ListReport{}},
		{*s.Properties["findings"].Items, attest.Finding{}},
		{s.Defs["near"], attest.Near{}},
		{s.Defs["known"], attest.Origin{}},
		{s.Properties["audit"], attest.AuditReport{}},
		{*s.Properties["audit"].Properties["findings"].Items, attest.AuditFinding{}},
		{s.Properties["references"], attest.ReferenceReport{}},
		{s.Properties["event_log"], attest.EventLogReport{}},
		{*s.Properties["event_log"].Properties["mismatches"].Items, attest.EventLogMismatch{}},
	} {
		var want, required []string
		for field := range reflect.TypeOf(test.v).Fields() {
			name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name == "" {
				continue
			}
			want = append(want, name)
			if option == "" {
				required = append(required, name)
			}
		}
		var got []string
		for name := range test.s.Properties {
			got = append(got, name)
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%T: %s", test.v, diff)
		}
		if diff := cmp.Diff(required, test.s.Required); diff != "" {
			t.Errorf("%T, required: %s", test.v, diff)
		}
	}
}
