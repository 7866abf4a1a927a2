package main

import (
	"slices"
	"sync"
)

// A batch is some lists that one worker signs and stages: to hand them over one by
// one takes longer than to write them.
type batch struct {
	products []*product
	size     int    // bytes of their contents
	memory   []byte // holds the contents, as far as they fit
}

const (
	batchLists = 8
	batchSize  = 256 << 10
)

// batches keeps the memory of batches that are done for the next ones.
var batches = sync.Pool{New: func() any { return &batch{memory: make([]byte, 0, batchSize)} }}

// newBatch returns an empty batch.
func newBatch() *batch { return batches.Get().(*batch) }

// keep returns a copy that is there until the batch is freed.
func (b *batch) keep(data []byte) []byte {
	start := len(b.memory)
	if len(data) > cap(b.memory)-start {
		return slices.Clone(data)
	}
	b.memory = append(b.memory, data...)
	return b.memory[start:len(b.memory):len(b.memory)]
}

func (b *batch) add(p *product) {
	b.products = append(b.products, p)
	b.size += len(p.content)
}

func (b *batch) full() bool { return len(b.products) >= batchLists || b.size >= batchSize }

// free drops the contents: they are on disk, and there may be thousands.
func (b *batch) free() {
	for _, p := range b.products {
		p.content, p.vendor = nil, nil
	}
	clear(b.products)
	b.products, b.size, b.memory = b.products[:0], 0, b.memory[:0]
	batches.Put(b)
}
