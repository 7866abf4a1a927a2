package boot_test

import (
	"slices"
	"testing"

	"digestlists/test/boot"
)

// Command lines with which a kernel that has digest lists takes them from tmpfs.
var (
	measuringBoot  = []string{"ima_policy=exec_tcb", "ima_digest_list_pcr=11", "ima_hash=sha256"}
	appraisingBoot = []string{"ima_policy=appraise_exec_tcb", "ima_appraise=enforce", "ima_hash=sha256"}
)

// unknownProgram makes /unknown, a program that is in no list, and runs it.
const unknownProgram = `printf '#!/bin/busybox sh\n' >/unknown && chmod 755 /unknown && /unknown`

// What a kernel with digest lists does with them. Another one boots with the same command
// line, runs every program, and has no such files.
func TestDigestLists(t *testing.T) {
	kernel, err := boot.FindKernel()
	if err != nil {
		t.Fatal(err)
	}
	if kernel.DigestLists {
		t.Run("table", func(t *testing.T) { testTable(t, kernel) })
		t.Run("loaded by the kernel", func(t *testing.T) { testLoadedByTheKernel(t, kernel) })
		t.Run("left alone", testLeftAlone)
		t.Run("attested", func(t *testing.T) { testAttestedLists(t, kernel) })
		t.Run("appraised", func(t *testing.T) { testAppraised(t, kernel) })
		return
	}
	l := bootLists(t, kernel, nil, boot.Machine{Options: slices.Concat(measuringBoot, appraisingBoot, []string{"ima_appraise_digest_list=digest"})})
	l.securityfs(t, "[ -e binary_runtime_measurements ] && [ ! -e digests_count ] && [ ! -e digest_list_data ]")
	l.Must(t, unknownProgram)
}
