// Package kerneltable is a model of the table in which a kernel with digest lists
// keeps the digests it knows: what one write to securityfs does to it, what it
// answers, and what it costs.
//
//	table := kerneltable.New(kerneltable.Limits{})
//	if err := table.Write(kerneltable.Add, list); err != nil {
//		return err // errors.Is(err, unix.EINVAL) and so on, as write(2) would say
//	}
//	for _, known := range table.Lookup(compact.SHA256, digest) {
//		fmt.Println(known.Type, known.Modifiers)
//	}
//
// The model is of the table alone: it knows no policy, no signatures and no parser
// that must be trusted first.
//
// # Where the behaviour comes from
//
// It was observed on Linux 5.10 with the extension that openEuler ships; test/boot
// compares the two, list by list. Each write is one list, or the path of one. The digests
// before a fault stay, and that a block has another data length than its header says is
// noticed after its digests; adding one again joins its modifiers and counts a reference,
// deleting one lowers the count and removes it at zero, and deleting one that is not there
// succeeds. The budget limits only lists that go by their path: to a list that is written as
// data, the table is never full. A signature at the end of a list is a fault in it.
//
// # The file
//
// [Table.Save] writes a table as text, always the same for the same table: comments,
// the limits, and the digests in the order of type, algorithm and digest.
//
//	# digest table, version 1
//	budget=16777216
//	last-algorithm=streebog512
//	file sha256 0db1…7f 1 immutable
//
// A line of a digest has its type, algorithm, digest in lower case, number of
// references, and modifiers where there are any: names, or numbers such as 0x8000,
// joined with commas. The limits may be changed with an editor.
package kerneltable
