package rpmhdr_test

import (
	"os"
	"strings"
	"testing"

	"digestlists/parsers/rpmhdr"
)

// A package of 60 files, which is the mean of a distribution.
func benchHeader() []byte {
	const files = 60
	repeat := func(s string) []string { return strings.Split(strings.Repeat(s+" ", files-1)+s, " ") }
	return build([]field{
		text(rpmhdr.Name, "bench"),
		numbers(rpmhdr.FileSizes, make([]uint32, files)...),
		numbers(rpmhdr.FileModes, make([]uint16, files)...),
		texts(rpmhdr.FileDigests, repeat(hexA)...),
		texts(1036, repeat("")...),
		numbers(rpmhdr.FileFlags, make([]uint32, files)...),
		texts(rpmhdr.FileUserName, repeat("root")...),
		texts(rpmhdr.FileGroupName, repeat("root")...),
		numbers(rpmhdr.DirIndexes, make([]uint32, files)...),
		texts(rpmhdr.BaseNames, repeat("some-file-name.h")...),
		texts(rpmhdr.DirNames, "/usr/include/bench/"),
		numbers[uint32](rpmhdr.FileDigestAlgo, 8),
	})
}

func BenchmarkFiles(b *testing.B) {
	small, err := os.ReadFile("testdata/g256-1.2-3.x86_64.header")
	if err != nil {
		b.Fatal(err)
	}
	for name, blob := range map[string][]byte{"16of25": small, "60": benchHeader()} {
		b.Run(name, func(b *testing.B) {
			var files rpmhdr.Files
			n := 0
			for b.Loop() {
				h, err := rpmhdr.Parse(blob)
				if err != nil {
					b.Fatal(err)
				}
				if err := files.Load(h); err != nil {
					b.Fatal(err)
				}
				for files.Next() {
					if files.Mode() != 0xffff && files.Size() >= 0 && len(files.Digest()) > 0 {
						n++
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/file")
		})
	}
}
