package faulttest

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// stdoutFd is standard output, which is data wherever it goes.
const stdoutFd = 1

// A point is one call of a program: the nth of a kind. What counts is what happens to files below the folder that the
// program runs in, and to standard output.
type point struct {
	kind kind
	n    int
}

// Two points that no call is at.
var (
	counted = point{}                // all calls are counted
	ignored = point{kind: "ignored"} // none is looked at
)

// among returns the numbers of the calls that have to be looked at. To wait for the judge is no harmless thing: before it
// has received a call, a signal interrupts that, as one that a shell gets when a child of it ends.
func (p point) among() []uintptr {
	var all []uintptr
	for nr, s := range signatures {
		if p == counted || p.kind == s.kind || p.kind == create && s.kind == open {
			all = append(all, nr)
		}
	}
	return all
}

// A judge says what becomes of each call of a program.
type judge struct {
	fault Fault
	at    point
	below string // the folder of the files that count
	calls map[kind]int
	err   error

	struck   string
	listener int
	starter  int // the thread that starts the program: its calls are ours
	stop     [2]int
	done     chan struct{}
}

// start starts a program and the judging of its calls.
func (j *judge) start(cmd *exec.Cmd) error {
	if err := unix.Pipe2(j.stop[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	j.done = make(chan struct{})
	installed, started := make(chan error), make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its filter
		var err error
		j.starter = unix.Gettid()
		j.listener, err = install(j.at.among())
		if installed <- err; err == nil {
			started <- cmd.Start()
		}
	}()
	if err := <-installed; err != nil {
		return err
	}
	go j.serve()
	if err := <-started; err != nil {
		j.end()
		return err
	}
	return nil
}

// end ends the judging, and returns what went wrong with it.
func (j *judge) end() error {
	unix.Close(j.stop[1])
	<-j.done
	unix.Close(j.stop[0])
	return j.err
}

// serve answers until it is told to stop. What is still running then has its calls refused.
func (j *judge) serve() {
	defer close(j.done)
	defer unix.Close(j.listener)
	for j.err == nil {
		ready := []unix.PollFd{{Fd: int32(j.listener), Events: unix.POLLIN}, {Fd: int32(j.stop[0])}}
		_, err := unix.Poll(ready, -1)
		switch {
		case err == unix.EINTR:
		case err != nil:
			j.err = err
		case ready[1].Revents != 0:
			return
		case ready[0].Revents&unix.POLLIN != 0:
			j.err = j.next()
		}
	}
}

// next answers one call.
func (j *judge) next() error {
	n, ok, err := receive(j.listener)
	if !ok {
		return err
	}
	if int(n.pid) != j.starter && j.counts(n) {
		s := signatureOf(n)
		what := fmt.Sprintf("%s %s", s.kind, file(n, s)) // afterwards, nobody may be there to ask
		r, ok, err := j.fault.strike(n)
		if err != nil {
			return err
		}
		if ok {
			j.struck = what
			return answer(j.listener, r)
		}
	}
	return answer(j.listener, response{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE})
}

// counts counts a call, and reports whether it is the one.
func (j *judge) counts(n notification) bool {
	s := signatureOf(n)
	output := s.kind == write && n.args[s.fd] == stdoutFd
	if !output && !strings.HasPrefix(file(n, s)+"/", j.below+"/") {
		return false
	}
	j.calls[s.kind]++
	return j.at == point{s.kind, j.calls[s.kind]}
}
