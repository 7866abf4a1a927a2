// Package filemeta compares the attributes of files with what digest lists say of them,
// and restores them.
//
// A file may be in several lists; those that speak of other content than it has are
// passed over, and of those that contradict each other one counts. Owner and mode, and then the extended attributes in the order in which a
// Want has them, are compared. To restore them, the owner comes first, since a new one
// takes set-user-ID bits and capabilities away.
package filemeta

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"digestlists/compact"
	"digestlists/internal/inroot"
)

// A Want is what a list says of a file.
type Want struct {
	List      string
	Algorithm compact.Algorithm // of Digest and MetaDigest
	Digest    []byte            // of the content

	HasMode  bool
	Mode     uint16 // st_mode
	HasOwner bool
	UID, GID uint32
	Attrs    []Attr

	// MetaDigest is the digest of the metadata, nil if it is not to be compared.
	MetaDigest []byte
	// Config is a file whose content its owner may change. Its metadata are restored
	// nevertheless, but no attribute that speaks of the content.
	Config bool
	// Ghost is a file that need not be there, and may have any content.
	Ghost bool
}

// An Attr is an extended attribute.
type Attr struct {
	Name  string
	Value []byte // nil for no such attribute
	// Hash, if there is one, makes the value of the content: a security.ima in this
	// algorithm, which need not be that of the list.
	Hash *compact.Algorithm
	// Content says that the value has a meaning for the listed content only.
	Content bool
	// Instead reports whether another value does as well; nil for none.
	Instead func(value []byte) bool
}

// A File is a name and what lists say of it, in the order of the lists.
type File struct {
	Path  string
	Wants []Want
}

// A Status says what came of a file.
type Status string

// The statuses.
const (
	Good      Status = "ok"
	Different Status = "different"
	Repaired  Status = "repaired"
	Missing   Status = "missing" // no regular file of that name
	Ghost     Status = "ghost"   // likewise, and need not be there
	Changed   Status = "changed" // its content is in no list: left alone
	Refused   Status = "refused" // the file system or the kernel does not take it
	Failed    Status = "failed"  // it cannot be read, compared or restored
)

// A Difference is an attribute that is not as a list says.
type Difference struct {
	Attribute string `json:"attribute"` // "mode", "owner", the name of an extended attribute, or "metadata digest"
	Is        string `json:"is"`        // empty for an absent one
	Want      string `json:"want"`
}

// A Result is what came of a file.
type Result struct {
	Path        string
	Status      Status
	List        string // that was compared with
	Differences []Difference
	Err         error
	Device      uint64 // st_dev, where the file was opened
}

// A Runner goes through files with several workers.
type Runner struct {
	Open   func() (open OpenFunc, done func()) // of one worker
	Jobs   int
	Repair bool
	DryRun bool // says what Repair would do
	// Touch restores what is asked for whatever the content, as for attributes that are
	// to be removed.
	Touch bool
}

// InRoot opens the files of a root.
func InRoot(root *inroot.Root) func() (OpenFunc, func()) {
	return func() (OpenFunc, func()) {
		o := &inroot.Opener{Root: root}
		return o.Open, o.Close
	}
}

var errInterrupted = errors.New("interrupted")

// Run returns what came of each file, in their order. Progress is called after each one,
// from any goroutine.
func (r *Runner) Run(ctx context.Context, files []File, progress func()) ([]Result, error) {
	results := make([]Result, len(files))
	jobs := r.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	var names sync.Map
	for range jobs {
		workers.Go(func() {
			w, done := r.worker(ctx, &names)
			defer done()
			for i := next.Add(1) - 1; int(i) < len(files) && ctx.Err() == nil; i = next.Add(1) - 1 {
				results[i] = w.do(&files[i])
				progress()
			}
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	return results, nil
}
