package boot

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// A console keeps what a guest prints on its first serial line.
type console struct {
	mu    sync.Mutex
	text  strings.Builder
	ended bool
	more  chan struct{} // closed when there is more text, or no more
}

func newConsole() *console { return &console{more: make(chan struct{})} }

// Write adds text; a serial line ends lines with CR LF.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.WriteString(strings.ReplaceAll(string(p), "\r", ""))
	c.wake()
	return len(p), nil
}

// end says that there will be no more text.
func (c *console) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.wake()
}

func (c *console) wake() {
	close(c.more)
	c.more = make(chan struct{})
}

func (c *console) state() (text string, ended bool, more <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String(), c.ended, c.more
}

// wait returns the first whole line that matches.
func (c *console) wait(ctx context.Context, pattern *regexp.Regexp) (string, error) {
	for {
		text, ended, more := c.state()
		whole := text[:strings.LastIndexByte(text, '\n')+1]
		for line := range strings.Lines(whole) {
			if line = strings.TrimSuffix(line, "\n"); pattern.MatchString(line) {
				return line, nil
			}
		}
		if ended {
			return "", fmt.Errorf("the machine stopped without a line that matches %q", pattern)
		}
		select {
		case <-more:
		case <-ctx.Done():
			return "", fmt.Errorf("no line that matches %q: %w", pattern, ctx.Err())
		}
	}
}
