package main

import "slices"

const opApplySignatures = "apply-signatures"

// operations are the values of -p. A new one is one more row.
func operations() []operation {
	fileSignatures := []string{"input", "db", "cert", "jobs", "json"}
	return []operation{
		{"add-digest", "load the digests of files' contents", nil, adding, addDigest},
		{"add-meta-digest", "load the digests of files' metadata", nil, adding, addMetaDigest},
		{"add-ima-xattr", "set security.ima of files to the digest of the lists", nil, hashing, addIMAXattr},
		{"rm-ima-xattr", "remove security.ima of the files of the lists", nil, changing, rmIMAXattr},
		{"add-evm-xattr", "set security.evm so that the kernel looks metadata up in the lists", nil, changing, addEVMXattr},
		{"rm-evm-xattr", "remove security.evm of the files of the lists", nil, changing, rmEVMXattr},
		{"rm-infoflow-xattr", "remove security.infoflow of the files of the lists", nil, changing, rmInfoflowXattr},
		{"check-meta", "compare mode, owner and attributes of files with the lists", nil, append(comparing, "algorithm"), checkMeta},
		{"repair-meta", "make mode, owner and attributes of files as the lists say", nil, hashing, repairMeta},
		{"gen-ima-list", "predict the measurement list and PCR of a kernel that loads the lists", nil, predicting, genIMAList},
		{"repair-meta-digest-lists", "make the files of the lists themselves as they should be", nil, changing, repairMetaDigestLists},
		{"diff", "print what one directory or list knows and the other does not", []string{"A", "B"}, []string{"json"}, diff},
		{"explain", "say which lists know a path or digest, and what the kernel does", []string{"PATH|DIGEST"}, []string{"dir", "file", "cert", "rpm-keys", "json"}, explain},
		{"stats", "count lists, digests and the kernel memory that they need", nil, []string{"dir", "file", "json"}, stats},
		{"dump", "print what the lists hold", nil, []string{"dir", "file", "output", "json"}, dump},
		{opApplySignatures, "sign files with what their packages carry", nil, append(fileSignatures, "dry-run"), applySignatures},
		{"check-signatures", "verify the signatures of packaged files, or of a tree", nil, fileSignatures, checkSignatures},
		{"convert-rpm", "move vendors' signatures of rpm lists", []string{"FORM"}, []string{"dir", "file", "rpm-keys", "dry-run", "json"}, convertRPM},
		{"write-cache", "write lists for the Integrity Digest Cache", nil, []string{"dir", "file", "cache", "dry-run"}, writeCache},
		{"add-list-xattr", "name its list in security.digest_list of each file", nil, append(ofCache, "file"), addCacheXattrs},
		{"rm-list-xattr", "remove security.digest_list from the files of lists", nil, append(ofCache, "file"), removeCacheXattrs},
		{"add-seqnum", "number lists in the order in which they were measured", nil, append(ofCache, "input"), addSequence},
	}
}

// ofCache are the options of what is done to files by the lists of the Integrity Digest Cache.
var ofCache = []string{"cache", "jobs", "json", "dry-run"}

// adding are the options of what adds digests to the kernel.
var adding = []string{"dir", "file", "output", "emulate", "securityfs", "proc"}

// comparing are the options of what looks at the files of lists, changing those of what
// changes them, and hashing those of what sets security.ima.
var (
	comparing = slices.Clip([]string{"dir", "file", "jobs", "json"})
	changing  = slices.Clip(append(comparing, "dry-run"))
	hashing   = append(changing, "algorithm")
)

// predicting are the options of what tells the future.
var predicting = []string{"dir", "file", "output", "binary", "pcr", "pcrs", "template", "algorithm", "boot", "parser"}
