package main

import "path/filepath"

// attestOne verifies a list with as many known digests, which evmctl does not look up.
func (b bench) attestOne() job {
	return job{
		name:       "attest, 100,000 entries, SHA-1 and SHA-256 banks",
		contenders: []contender{b.attest(knownFiles), b.evmctl(knownFiles)},
		check:      done,
		baseline:   "evmctl ima_measurement --pcrs sha1,… --pcrs sha256,…",
		figure:     ratio, target: 0.33, limit: 64 * mebibyte,
	}
}

// attestMany is ten times the work, and has to take ten times as long.
func (b bench) attestMany() job {
	return job{
		name:       "attest, 1,000,000 entries",
		contenders: []contender{b.attest(manyEntries), b.attest(knownFiles)},
		check:      done,
		baseline:   "the same with 100,000",
		figure:     ratio, target: 10.5, limit: 64 * mebibyte,
	}
}

func (b bench) attestFleet() job {
	return job{
		name: "attest --batch, 1,000 machines of 5,000 entries",
		contenders: []contender{
			command{argv: []string{b.tool("verify_digest_lists"), "--batch", b.fleet(), "--unquoted", "--reference", b.knownList()}}.run,
		},
		check:  done,
		figure: rate(fleet * machineEntries),
		unit:   "entries/s", atLeast: true, target: 500_000, limit: 64 * mebibyte,
	}
}

// references loads the packages of a database, and little else.
func (b bench) references() job {
	return job{
		name:       "attest, references of 1,500 packages, 90,000 digests",
		contenders: []contender{b.attestAgainst(b.inputs.database())},
		check:      done,
		figure:     milliseconds,
		unit:       "ms", target: 300,
	}
}

// referencesMemory is what those references add to the memory of a run with a single
// list of 60 digests.
func (b bench) referencesMemory() job {
	return job{
		name: "attest, memory of these references",
		contenders: []contender{
			b.attestAgainst(b.inputs.database()),
			b.attestAgainst(filepath.Join(b.lists(), "0-file_list-rpm-aackage0000-1.2-3.noarch")),
		},
		check:    done,
		baseline: "the same with one list of 60 digests",
		figure:   func(s []sample) float64 { return float64(s[0].peak-s[1].peak) / mebibyte },
		unit:     "MiB", target: 16,
	}
}

// attestAgainst verifies a short list, of which everything is allowed.
func (b bench) attestAgainst(reference string) contender {
	folder := b.measured(machineEntries)
	return command{argv: []string{
		b.tool("verify_digest_lists"), "--measurements", filepath.Join(folder, "measurements"), "--pcrs", filepath.Join(folder, "pcrs"),
		"--reference", reference, "--allow", filepath.Join(b.evidence(), "everything"),
	}}.run
}

func (b bench) attest(entries int) contender {
	folder := b.measured(entries)
	return command{argv: []string{
		b.tool("verify_digest_lists"), "--measurements", filepath.Join(folder, "measurements"),
		"--pcrs", filepath.Join(folder, "pcrs"), "--reference", b.knownList(),
	}}.run
}

func (b bench) evmctl(entries int) contender {
	folder := b.measured(entries)
	return command{argv: []string{
		"evmctl", "ima_measurement", "--pcrs", "sha1," + filepath.Join(folder, "sha1"), "--pcrs", "sha256," + filepath.Join(folder, "sha256"),
		filepath.Join(folder, "measurements"),
	}}.run
}
