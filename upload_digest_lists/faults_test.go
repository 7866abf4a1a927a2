package main

import (
	"regexp"
	"strings"
	"testing"

	"digestlists/internal/faulttest"
)

// Files that the tool writes are as they were or as they should be. What a kernel has taken cannot be taken back:
// of that, here what stands in for it, only the exit code tells.
func TestFaults(t *testing.T) {
	const lists = `mkdir sec sec/ima; cp -r "$DATA"/mix "$DATA"/keys .; rm mix/3* mix/0-key*; touch sec/ima/digest_list_data sec/ima/digest_list_data_del`
	kernel := regexp.MustCompile(`^sec/ima/`)
	for name, s := range map[string]struct {
		old, args string
		random    *regexp.Regexp
	}{
		"convert":       {old: lists, args: "-d mix -o out"},
		"convert again": {old: lists + `; echo old >out; chmod 600 out`, args: "-d mix -o out"},
		"convert, one worker, to standard output": {old: lists, args: "-d mix -o - -j 1"},
		"add to a table":       {old: lists, args: "--emulate table add mix"},
		"remove from a table":  {old: lists + `; upload_digest_lists --emulate table add mix; upload_digest_lists --emulate table add mix`, args: "--emulate table del mix"},
		"add to a kernel":      {old: lists, args: "--securityfs sec add mix", random: kernel},
		"remove from a kernel": {old: lists, args: "--securityfs sec del mix", random: kernel},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulttest.Scenario{
				Old: s.old, Command: append([]string{"upload_digest_lists"}, strings.Fields(s.args)...), InParts: true, Random: s.random,
			}.Test(t, faulttest.Faults...)
		})
	}
}
