package main

const opApplySignatures = "apply-signatures"

// operations are the values of -p. A new one is one more row.
func operations() []operation {
	fileSignatures := []string{"input", "db", "cert", "jobs", "json"}
	return []operation{
		{"add-digest", "load the digests of files' contents", nil, adding, addDigest},
		{"add-meta-digest", "load the digests of files' metadata", nil, adding, addMetaDigest},
		{"dump", "print what the lists hold", nil, []string{"dir", "file", "output", "json"}, dump},
		{opApplySignatures, "sign files with what their packages carry", nil, append(fileSignatures, "dry-run"), applySignatures},
		{"check-signatures", "verify the signatures of packaged files, or of a tree", nil, fileSignatures, checkSignatures},
		{"convert-rpm", "move vendors' signatures of rpm lists", []string{"FORM"}, []string{"dir", "file", "rpm-keys", "dry-run", "json"}, convertRPM},
	}
}

// adding are the options of what adds digests to the kernel.
var adding = []string{"dir", "file", "output", "emulate", "securityfs", "proc"}
