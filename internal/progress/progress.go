// Package progress shows on a terminal how far long work is.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

// firstAfter is how long work may take before it is worth a line.
const firstAfter = time.Second

const interval = 200 * time.Millisecond

// A Line is one line on a terminal that counts what is done. Nothing is shown
// where the output is no terminal, and for work of less than a second.
type Line struct {
	count atomic.Int64
	stop  chan struct{}
	done  chan struct{}
}

// Start begins a line such as "1500 packages" on w.
func Start(w io.Writer, unit string) *Line {
	l := &Line{stop: make(chan struct{}), done: make(chan struct{})}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		close(l.done)
		return l
	}
	go l.show(f, unit)
	return l
}

// Set tells how many are done. It may be called from any goroutine.
func (l *Line) Set(n int) { l.count.Store(int64(n)) }

// Add counts more that are done.
func (l *Line) Add(n int) { l.count.Add(int64(n)) }

// Stop removes the line.
func (l *Line) Stop() {
	close(l.stop)
	<-l.done
}

func (l *Line) show(w io.Writer, unit string) {
	defer close(l.done)
	shown := false
	next := time.NewTimer(firstAfter)
	defer next.Stop()
	for {
		select {
		case <-next.C:
			fmt.Fprintf(w, "\r\x1b[K%d %s", l.count.Load(), unit)
			shown = true
			next.Reset(interval)
		case <-l.stop:
			if shown {
				fmt.Fprint(w, "\r\x1b[K")
			}
			return
		}
	}
}
