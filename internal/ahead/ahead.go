// Package ahead reads a sequence ahead of whoever goes through it, so that reading it, and
// what else can be done before its turn, have processors of their own.
package ahead

import "iter"

// Items go from one goroutine to the next in batches.
const (
	batchItems = 256
	batchBytes = 256 << 10 // a batch that keeps this much is full before
)

// A Batch is consecutive items, and the memory that they own.
type Batch[T any] struct {
	items []T
	used  int
	data  []byte
	err   error // after the items
}

// Keep copies bytes into the memory of the batch. Nil stays nil.
func (b *Batch[T]) Keep(data []byte) []byte {
	if data == nil {
		return nil
	}
	at := len(b.data)
	b.data = append(b.data, data...)
	return b.data[at:len(b.data):len(b.data)]
}

// next returns the next item, which is as it was left when it was used before.
func (b *Batch[T]) next() *T {
	if b.used == len(b.items) {
		b.items = append(b.items, *new(T))
	}
	b.used++
	return &b.items[b.used-1]
}

func (b *Batch[T]) full() bool { return b.used == batchItems || len(b.data) > batchBytes }

// Of yields an item for each element of a sequence. The sequence is read by another
// goroutine; take makes an item of an element, whose memory is the sequence's, with
// Batch.Keep. Then each stage sees the item, in the order of the sequence, in a goroutine of
// its own. An error ends the sequence.
//
// An item is valid until the next one. The goroutines have ended when the last item has been
// yielded or yield has returned false.
func Of[From, T any](sequence iter.Seq2[*From, error], take func(*Batch[T], *T, *From), stages ...func(*T)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		batches := 3 + 2*len(stages) // one for each goroutine, and between them
		free, done, stop := make(chan *Batch[T], batches), make(chan *Batch[T], batches), make(chan struct{})
		for range batches {
			free <- new(Batch[T])
		}
		go func() {
			defer close(done)
			read(sequence, take, free, done, stop)
		}()
		ready := (<-chan *Batch[T])(done)
		for _, stage := range stages {
			ready = through(stage, ready)
		}
		defer func() {
			close(stop)
			for range ready { // until the others have ended
			}
		}()
		for b := range ready {
			for i := range b.used {
				if !yield(&b.items[i], nil) {
					return
				}
			}
			if b.err != nil {
				yield(nil, b.err)
				return
			}
			free <- b
		}
	}
}

// read fills batches until the end, an error, or stop.
func read[From, T any](sequence iter.Seq2[*From, error], take func(*Batch[T], *T, *From), free <-chan *Batch[T], done chan<- *Batch[T], stop <-chan struct{}) {
	b := <-free
	for element, err := range sequence {
		if err != nil {
			b.err = err
			break
		}
		take(b, b.next(), element)
		if !b.full() {
			continue
		}
		done <- b
		select {
		case b = <-free:
			b.used, b.data = 0, b.data[:0]
		case <-stop:
			return
		}
	}
	done <- b
}

// through returns the same batches once the stage has seen what is in them.
func through[T any](stage func(*T), batches <-chan *Batch[T]) <-chan *Batch[T] {
	seen := make(chan *Batch[T], cap(batches))
	go func() {
		defer close(seen)
		for b := range batches {
			for i := range b.used {
				stage(&b.items[i])
			}
			seen <- b
		}
	}()
	return seen
}
