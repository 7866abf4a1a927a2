package imalog_test

import (
	"bytes"
	"io"
	"os"
	"testing"

	"digestlists/parsers/imalog"
)

// What a kernel has listed comes out of its fields again, byte for byte.
func TestNewMeasurementIsWhatTheKernelLists(t *testing.T) {
	for _, folder := range []string{"digest-lists-plus11", "mainline-ima-ng", "mainline-ima-sig"} {
		list, err := os.ReadFile("../../attest/testdata/" + folder + "/binary_runtime_measurements")
		if err != nil {
			t.Fatal(err)
		}
		var out []byte
		r := imalog.NewReader(bytes.NewReader(list))
		for {
			m, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			algorithm, digest, err := m.FileDigest()
			if err != nil {
				t.Fatal(err)
			}
			fields := [][]byte{imalog.DigestField(algorithm, digest), imalog.NameField(m.Name())}
			if m.Template == "ima-sig" {
				fields = append(fields, m.Field("sig"))
			}
			made, err := imalog.NewMeasurement(m.PCR, m.Template, fields...)
			if err != nil {
				t.Fatal(err)
			}
			out = made.AppendBinary(out)
		}
		if !bytes.Equal(out, list) {
			t.Errorf("%s: made another list", folder)
		}
	}
}

func TestNewMeasurementRefuses(t *testing.T) {
	for _, template := range []string{"ima", "ima-sig", "no-such-template", ""} {
		if m, err := imalog.NewMeasurement(10, template, nil, nil); err == nil {
			t.Errorf("%s: %+v", template, m)
		}
	}
}
