package ahead

import (
	"encoding/binary"
	"errors"
	"iter"
	"testing"
)

// element is one of a sequence, whose memory it uses again for the next.
type element struct{ short, long []byte }

// item is what is made of an element.
type item struct {
	short, long []byte
	seen        int // by stages
}

func take(b *Batch[item], to *item, from *element) {
	to.short, to.long, to.seen = b.Keep(from.short), b.Keep(from.long), 0
}

func first(i *item)  { i.seen++ }
func second(i *item) { i.seen *= 10 }

// numbered yields n elements in the same memory, and then an error, if there is one.
func numbered(n int, failure error) iter.Seq2[*element, error] {
	return func(yield func(*element, error) bool) {
		memory := make([]byte, 2048)
		for i := range n {
			binary.LittleEndian.PutUint64(memory, uint64(i))
			e := element{short: memory[:8]}
			if i%3 == 0 {
				e.long = memory
			}
			if !yield(&e, nil) {
				return
			}
		}
		if failure != nil {
			yield(nil, failure)
		}
	}
}

// The items are those that were read, in order, each seen by every stage in turn, with an
// error at their end.
func TestOrder(t *testing.T) {
	broken := errors.New("broken")
	for _, n := range []int{0, 1, batchItems, 7*batchItems + 1} {
		for _, failure := range []error{nil, broken} {
			count := 0
			var end error
			for i, err := range Of(numbered(n, failure), take, first, second) {
				if end = err; err != nil {
					if i != nil {
						t.Errorf("an item with an error")
					}
					continue
				}
				if number := int(binary.LittleEndian.Uint64(i.short)); number != count || i.seen != 10 || (i.long != nil) != (count%3 == 0) {
					t.Fatalf("item %d of %d: number %d, %d bytes, seen %d", count, n, number, len(i.long), i.seen)
				}
				if i.long != nil && int(binary.LittleEndian.Uint64(i.long)) != count {
					t.Fatalf("item %d of %d has the memory of another", count, n)
				}
				count++
			}
			if count != n || end != failure {
				t.Errorf("%d of %d items, then %v, want %v", count, n, end, failure)
			}
		}
	}
}

// Who stops early waits until nothing is read any more.
func TestStops(t *testing.T) {
	for _, stop := range []int{1, batchItems, batchItems + 1} {
		ended := false
		source := func(yield func(*element, error) bool) {
			defer func() { ended = true }()
			numbered(100*batchItems, nil)(yield)
		}
		seen := 0
		for range Of(source, take, first) {
			if seen++; seen == stop {
				break
			}
		}
		if !ended {
			t.Errorf("after %d items, the source goes on", stop)
		}
	}
}
