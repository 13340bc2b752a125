package pop3client

import (
	"context"
	"errors"
	"sync"
	"time"

	"example.com/postbag/internal/transport"
)

// batch is a run of commands of which many are under way at a time. A
// goroutine writes them, so that reading never waits for writing, and no
// window however large can make both sides wait for each other. The window
// only bounds what is in vain if the loop is left early.
type batch struct {
	c       *Client
	verb    string
	n       int
	command func(i int) string
	octets  func(i int) int64 // what the reply is expected to have
	multi   bool              // the replies have data
	release func()
	read    int           // replies that were begun
	writer  chan struct{} // closed at the writer's end; nil if there is none

	mu      sync.Mutex
	wake    sync.Cond
	sent    int // commands given to the connection
	done    int // replies that were read to their end
	ahead   int64
	stopped bool // no more is to be sent
	writing bool // the writer is at it
	ended   bool // the writer has ended
}

// batch begins a run of n commands; end must be called.
func (c *Client) batch(ctx context.Context, verb string, n int, command func(int) string, octets func(int) int64, multi bool) (*batch, error) {
	release, err := c.begin(ctx, verb)
	if err != nil {
		return nil, err
	}
	c.busy = true
	b := &batch{c: c, verb: verb, n: n, command: command, octets: octets, multi: multi, release: release}
	b.wake.L = &b.mu
	if c.depth() > 1 && n > 1 {
		b.writer = make(chan struct{})
		go b.write()
	}
	return b, nil
}

// write is the writer: it fills the window, and fills it again in one write
// when a quarter of it is free.
func (b *batch) write() {
	defer close(b.writer)
	defer b.change(func() { b.ended = true })
	for i := 0; i < b.n; {
		until := b.room(i)
		if until == i {
			return
		}
		for ; i < until; i++ {
			cmd := b.command(i)
			if b.c.w.queue(cmd, cmd) != nil {
				return
			}
		}
		err := b.c.w.flush()
		b.change(func() { b.writing = false })
		if err != nil {
			return // the connection has failed, so the reader knows
		}
	}
}

// room waits until a quarter of the window is free and returns the end of
// what may be sent from i on; i itself if nothing more is to be.
func (b *batch) room(i int) int {
	window, octets := b.c.opts.Window, b.c.opts.WindowOctets
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.stopped {
		if b.low() {
			for b.sent < b.n && b.sent-b.done < window && (b.sent == b.done || b.ahead+b.octets(b.sent) <= octets) {
				b.ahead += b.octets(b.sent)
				b.sent++
			}
		}
		if b.sent > i {
			b.writing = true
			b.wake.Broadcast()
			return b.sent
		}
		b.wake.Wait()
	}
	return i
}

// next reads the reply to the next command. The data of the one before must
// have been read.
func (b *batch) next(ctx context.Context) (reply, error) {
	if ctx.Err() != nil { // much may lie in the buffer, so do not count on the connection to fail
		return reply{}, b.c.lost(b.verb, context.Cause(ctx))
	}
	i := b.read
	r, err := b.exchange(i)
	if err != nil {
		return reply{}, b.lost(ctx, i, err)
	}
	b.read++
	return r, nil
}

// exchange reads the reply to command i, sending the command first if there
// is no writer.
func (b *batch) exchange(i int) (reply, error) {
	if b.writer != nil {
		b.finish(i)
		if b.underWay(i) == 0 {
			if err := b.c.quiet(); err != nil {
				return reply{}, err
			}
			b.await(i)
		}
		return b.c.answer()
	}
	b.sent = i + 1
	cmd := b.command(i)
	err := b.c.w.queue(cmd, cmd)
	if err == nil {
		err = b.c.w.flush()
	}
	if err != nil {
		return reply{}, err
	}
	return b.c.answer()
}

// lost gives the error that ended the session the command that waited for
// its reply.
func (b *batch) lost(ctx context.Context, i int, err error) error {
	desync := b.underWay(i) > 1 && ctx.Err() == nil && (errors.Is(err, ErrProtocol) || errors.Is(err, ErrUnavailable))
	if err = b.c.lost(b.command(i), err); desync {
		return transport.Mark(ErrDesync, err)
	}
	return err
}

// finish counts the replies before i as read.
func (b *batch) finish(i int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ; b.done < i; b.done++ {
		b.ahead -= b.octets(b.done)
	}
	if b.sent < b.n && b.low() {
		b.wake.Broadcast() // not for each reply: that would cost more than the reply
	}
}

// low tells whether a quarter of the window is free.
func (b *batch) low() bool {
	return b.sent-b.done <= b.c.opts.Window*3/4 && b.ahead <= b.c.opts.WindowOctets*3/4
}

// change does f under the lock and lets everyone look again.
func (b *batch) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	b.wake.Broadcast()
}

// underWay returns how many of the commands from i on were sent.
func (b *batch) underWay(i int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sent - i
}

// await waits until command i is sent, or will not be.
func (b *batch) await(i int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.sent == i && !b.ended {
		b.wake.Wait()
	}
}

// patience is how long a writer may take that is not held up by the server.
const patience = 100 * time.Millisecond

// end stops the writer, reading on while it waits for the server to take what
// it writes, and leaves the rest to [Client.settle].
func (b *batch) end() {
	b.change(func() { b.stopped = true })
	c := b.c
	if b.writer != nil {
		select {
		case <-b.writer:
		case <-time.After(patience):
		}
	}
	var n int64
	for b.writer != nil && b.stillWriting() && c.drainBody(&n) == nil && b.read < b.sent {
		if c.drainReply(b.multi, &n) != nil {
			break
		}
		b.read++
	}
	if b.writer != nil {
		<-b.writer
	}
	c.body.expire()
	c.owed = owed{replies: b.sent - b.read, multi: b.multi}
	for i := b.read; i < b.sent; i++ {
		c.owed.octets += b.octets(i)
	}
	if c.body != nil {
		c.owed.octets += max(b.octets(b.read-1)-c.body.n, 0)
	}
	c.busy = false
	b.release()
}

func (b *batch) stillWriting() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.writing
}
