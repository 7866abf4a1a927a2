package tree

import (
	"container/heap"
	"sync"

	"golang.org/x/sys/unix"

	"digestlists/compact"
	"digestlists/parsers"
)

// window is how many files may be between the walk and the consumer. It bounds
// memory, and is how far a worker looks for large files to begin with.
const window = 1024

// A job is one file on its way through the pipeline. Jobs are used again.
type job struct {
	path   string // to open
	name   string // of the entry
	stat   unix.Stat_t
	follow bool // path may be a symbolic link
	digest [compact.MaxDigestSize]byte
	caps   []byte // security.capability, if asked for
	label  []byte // security.selinux, likewise
	err    error
	done   chan struct{} // gets an element when digest or err is set
}

// fill sets what the walk knows of the file.
func (j *job) fill(e *parsers.Entry) {
	e.Path = j.name
	e.Mode = uint16(j.stat.Mode)
	e.Size = j.stat.Size
	e.UID, e.GID = j.stat.Uid, j.stat.Gid
	e.Known = parsers.FieldPath | parsers.FieldMode | parsers.FieldSize | parsers.FieldIDs
}

// A pipeline takes jobs from the walk to the workers, and to the consumer in the
// order of the walk.
type pipeline struct {
	order chan *job // holds every job there is, so that sending never waits
	free  chan *job // likewise

	mu      sync.Mutex
	waiting sync.Cond // for the queue to have a job, or to end
	queue   bySize
	ended   bool
}

func newPipeline() *pipeline {
	p := &pipeline{
		order: make(chan *job, window),
		free:  make(chan *job, window),
	}
	p.waiting.L = &p.mu
	for range window {
		p.free <- &job{done: make(chan struct{}, 1)}
	}
	return p
}

// submit hands a file to the workers.
func (p *pipeline) submit(j *job) {
	j.err = nil
	p.order <- j
	p.mu.Lock()
	heap.Push(&p.queue, j)
	p.mu.Unlock()
	p.waiting.Signal()
}

// fail puts an error in the place of a file.
func (p *pipeline) fail(j *job, err error) {
	j.err = err
	j.done <- struct{}{}
	p.order <- j
}

// end says that the walk is over.
func (p *pipeline) end() {
	close(p.order)
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.waiting.Broadcast()
}

// stop takes back the jobs that no worker has begun.
func (p *pipeline) stop() {
	p.mu.Lock()
	p.queue = nil
	p.mu.Unlock()
}

// next returns the largest waiting file, or nil after the last. Large files first
// keeps a worker from being left alone with one at the end.
func (p *pipeline) next() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && !p.ended {
		p.waiting.Wait()
	}
	if len(p.queue) == 0 {
		return nil
	}
	return heap.Pop(&p.queue).(*job)
}

// bySize is a heap with the largest file on top.
type bySize []*job

func (q bySize) Len() int           { return len(q) }
func (q bySize) Less(i, k int) bool { return q[i].stat.Size > q[k].stat.Size }
func (q bySize) Swap(i, k int)      { q[i], q[k] = q[k], q[i] }
func (q *bySize) Push(j any)        { *q = append(*q, j.(*job)) }

func (q *bySize) Pop() any {
	last := len(*q) - 1
	j := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return j
}
