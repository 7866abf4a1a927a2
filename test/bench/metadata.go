package main

// metadata is compared with the lists that only copy the headers.
func (b bench) metadata() job {
	return job{
		name: "rpm+db as compact_tlv metadata, 90,000 files",
		contenders: []contender{
			b.intoEmpty(command{argv: []string{
				b.tool("gen_digest_lists"), "-d", b.out, "-t", "metadata", "-o", "append",
				"-f", "rpm+db", "--db", b.inputs.database(), "-i", "f:compact_tlv",
			}}),
			b.generateFromDB(),
		},
		check:    func() error { return b.madeLists(packages) },
		baseline: "gen_digest_lists -t file -f rpm+db",
		figure:   ratio, target: 2,
	}
}
