package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"example.com/postbag/retrieval"
)

// ending is how a program ended, and what became of the message until then.
type ending struct {
	state     *os.ProcessState
	stderr    string
	all       bool  // it has read the whole message
	readErr   error // the message could not be read
	stopped   error // why it was ended from here, if it was
	cancelled bool  // because the context ended
}

// process is a program that runs. Its input stays open on both sides until it
// has ended: what it left unread is seen then, and it never sees the end of
// what is not the end of the message.
type process struct {
	cmd    *exec.Cmd
	in     *os.File // what we write
	out    *os.File // what it reads
	stderr tail
	grace  time.Duration
	clock  stopwatch
	done   chan struct{} // closed when it has ended
}

// leftover is how long a process that outlives the program may hold on to its
// standard error.
const leftover = time.Second

func (c *Command) start(m *retrieval.Message) (*process, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &process{in: in, out: out, grace: c.o.Grace, done: make(chan struct{})}
	p.cmd = &exec.Cmd{Path: c.path, Args: c.args, Dir: c.o.Dir, Env: environ(c.o.Inherit, c.o.Env, m)}
	p.cmd.Stdin, p.cmd.Stderr, p.cmd.WaitDelay = out, &p.stderr, leftover
	ownGroup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		in.Close()
		out.Close()
		return nil, err
	}
	p.clock.limit(c.o.Timeout)
	return p, nil
}

// feed hands the message over and waits for the end of the program and of all
// that was begun for it.
func (p *process) feed(ctx context.Context, m *retrieval.Message) ending {
	defer p.out.Close()
	var e ending
	broken := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		p.cmd.Wait() // what it returns is in the ProcessState
		close(p.done)
		p.in.SetWriteDeadline(time.Unix(1, 0))
	})
	wg.Go(func() { e.stopped, e.cancelled = p.watch(ctx, broken) })

	written, readErr := p.copy(m)
	switch {
	case readErr != nil:
		close(broken)
		<-p.done
	case written:
		p.in.Close() // the end of the message
		p.clock.start()
	default: // it reads no more; what it says, it says with its exit code
		p.clock.start()
		<-p.done
	}
	wg.Wait()
	p.in.Close()
	e.readErr, e.state, e.stderr = readErr, p.cmd.ProcessState, p.stderr.quoted()
	e.all = written && p.drained()
	return e
}

// copy writes the message, and tells whether it could write all of it.
func (p *process) copy(m *retrieval.Message) (written bool, readErr error) {
	buf := make([]byte, 64<<10)
	for {
		n, err := m.Read(buf)
		if n > 0 {
			p.clock.start()
			_, werr := p.in.Write(buf[:n])
			p.clock.stop()
			if werr != nil {
				return false, nil
			}
		}
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// drained tells whether the program, which has ended, left nothing unread.
// The other end of the pipe is closed, so that reading does not wait.
func (p *process) drained() bool {
	_, err := p.out.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

// watch ends the program if there is a reason to, and returns that.
func (p *process) watch(ctx context.Context, broken <-chan struct{}) (reason error, cancelled bool) {
	select {
	case <-p.done:
		p.clock.stop()
		return nil, false
	case <-broken:
		select {
		case <-p.done: // and whose number its group has is not known any more
		default:
			kill(p.cmd) // no signal that it could catch and then take half a message
		}
		return nil, false
	case <-p.clock.up():
		reason = fmt.Errorf("not done after %v", p.clock.total)
	case <-ctx.Done():
		reason, cancelled = context.Cause(ctx), true
	}
	select {
	case <-p.done: // just in time
		return nil, false
	default:
	}
	terminate(p.cmd)
	p.in.SetWriteDeadline(time.Unix(1, 0))
	grace := time.NewTimer(p.grace)
	defer grace.Stop()
	select {
	case <-p.done:
	case <-broken:
	case <-grace.C:
	}
	kill(p.cmd) // also what the program has left of its group
	return reason, cancelled
}

// stopwatch runs out after a total of running time.
type stopwatch struct {
	mu    sync.Mutex
	total time.Duration // 0: never
	left  time.Duration
	since time.Time // zero: it does not run
	timer *time.Timer
}

func (s *stopwatch) limit(d time.Duration) {
	if d <= 0 {
		return
	}
	s.total, s.left = d, d
	s.timer = time.NewTimer(d)
	s.timer.Stop()
}

func (s *stopwatch) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil && s.since.IsZero() {
		s.since = time.Now()
		s.timer.Reset(s.left)
	}
}

// stop does not undo that the time is up.
func (s *stopwatch) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil && !s.since.IsZero() {
		s.left = max(0, s.left-time.Since(s.since))
		s.since = time.Time{}
		if s.left > 0 {
			s.timer.Stop()
		}
	}
}

func (s *stopwatch) up() <-chan time.Time {
	if s.timer == nil {
		return nil
	}
	return s.timer.C
}
