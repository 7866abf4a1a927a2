package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

const (
	treeFiles   = 20_000
	treeBytes   = 2_000_000_000
	treeFolder  = 100      // files in one folder
	treeLargest = 32 << 20 // bytes
)

// makeTree fills dir with treeFiles files of treeBytes in all, the same on every machine.
func makeTree(dir string) error {
	random := rand.New(rand.NewPCG(20, 2))
	noise := make([]byte, 2*treeLargest)
	for i := 0; i < len(noise); i += 8 {
		binary.LittleEndian.PutUint64(noise[i:], random.Uint64())
	}
	for i, size := range treeSizes(random) {
		folder := filepath.Join(dir, fmt.Sprintf("%03d", i/treeFolder))
		if i%treeFolder == 0 {
			if err := os.Mkdir(folder, 0o755); err != nil {
				return err
			}
		}
		// Windows of one block of noise differ as long as their starts do.
		content := noise[i*64:][:size]
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d", i)), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// treeSizes draws sizes as those of an installed system spread (log-normal:
// most files are some kilobytes, most bytes are in a few large files) and
// scales them to the total.
func treeSizes(random *rand.Rand) []int {
	const spread = 2
	weights, sum := make([]float64, treeFiles), 0.0
	for i := range weights {
		weights[i] = math.Exp(spread * random.NormFloat64())
		sum += weights[i]
	}
	sizes, left := make([]int, treeFiles), treeBytes
	for i, w := range weights {
		sizes[i] = min(int(w/sum*treeBytes), treeLargest)
		left -= sizes[i]
	}
	// What rounding and the cap have cut off goes to all alike.
	for i := range sizes {
		share := left / (treeFiles - i)
		sizes[i] += share
		left -= share
	}
	return sizes
}

// signTree has evmctl sign the files of the tree, in place: who does not look at the
// signatures reads the same as before. The folder that it fills says that it was done.
func (in inputs) signTree(into string) error {
	if err := tool("evmctl", "ima_sign", "-a", "sha256", "-r", "-t", "f", "--key", in.key(), in.tree()); err != nil {
		return err
	}
	return os.Link(in.cert(), filepath.Join(into, "cert.der"))
}
