package imapclient

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/postbag/internal/transport"
)

// listenGrace is how long a server has to answer the end of a listening, and to
// begin an IDLE.
const listenGrace = 10 * time.Second

// enough is how many octets of news are read at the most before a listening
// ends, also if more is there to be read.
const enough = 1 << 20

// errNoPlus: the server has not begun an IDLE that it ended when told to.
var errNoPlus = errors.New("imap: IDLE: the server does not begin to idle")

// listening is one wait for what a server says of its own accord, and for the
// end of the command that ends the wait.
type listening struct {
	name string // of the command
	tag  string // its end is the end
	last string // the line that ends the waiting, without its end

	d     time.Duration    // to wait
	until time.Time        // news do not end the waiting before
	news  func() bool      // tells whether there are any; nil: activity in the mailbox
	wall  func() time.Time // the time of day; nil: time.Now

	c *Client

	mu     sync.Mutex
	waits  bool // for a continuation: before it nothing may be sent
	wanted bool // that the waiting ends, meanwhile
	said   bool // last was sent
	pushed bool // there were news before
	over   bool
	timers []*time.Timer
}

// run listens. The last line is written by whatever comes first: news, the
// time, or the end of ctx.
func (l *listening) run(ctx context.Context, c *Client) error {
	l.c = c
	if l.news == nil {
		l.news = func() bool { return c.activity.Any() }
	}
	c.conn.SetStall(-1)
	defer c.conn.SetStall(0)
	if l.waits {
		l.after(listenGrace, l.overdue)
	}
	l.clock()
	stop := context.AfterFunc(ctx, l.end)
	err := l.read()
	stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	for _, t := range l.timers {
		t.Stop()
	}
	if err == nil && l.waits {
		return errNoPlus
	}
	return err
}

// beginListening is begin for a method that ends what it does when ctx ends, in
// listenGrace, and goes on.
func (c *Client) beginListening(ctx context.Context) (end func(), err error) {
	later, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		grace := time.NewTimer(listenGrace)
		defer grace.Stop()
		select {
		case <-grace.C:
			cancel(context.Cause(ctx))
		case <-later.Done():
		}
	})
	release, err := c.begin(later)
	if err != nil {
		stop()
		cancel(nil)
		return nil, err
	}
	return func() {
		release()
		stop()
		cancel(nil)
	}, nil
}

// after has f called, unless the listening is over before.
func (l *listening) after(d time.Duration, f func()) *time.Timer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.afterLocked(d, f)
}

func (l *listening) afterLocked(d time.Duration, f func()) *time.Timer {
	t := time.AfterFunc(d, f)
	l.timers = append(l.timers, t)
	return t
}

// read reads until the command has ended.
func (l *listening) read() error {
	c := l.c
	gathers := false // until
	var told int     // octets since there are news
	for {
		if l.news() {
			l.hears()
		}
		if l.news() && (c.conn.Buffered() == 0 || told > enough) {
			switch left := time.Until(l.until); {
			case left <= 0:
				l.end()
			case !gathers:
				gathers = true
				l.after(left, l.end)
			}
		}
		r, err := c.read()
		if err != nil {
			return err
		}
		switch {
		case r.kind == untagged:
			octets := int(r.octets)
			if err = c.route(r); l.news() {
				told += octets
			}
		case r.kind == tagged && r.tag == l.tag:
			return c.ended(r, l.name)
		case r.kind == continuation && l.begin():
		default:
			err = c.conn.ProtocolError("imap: %s: an answer to what was not asked", l.name)
		}
		if err != nil {
			return err
		}
	}
}

// begin takes the continuation, if it was waited for.
func (l *listening) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	waited := l.waits
	l.waits = false
	if l.wanted {
		l.say()
	}
	return waited
}

// end ends the waiting, as soon as it has begun.
func (l *listening) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waits {
		l.wanted = true
		return
	}
	l.say()
}

// hears notes that there are news.
func (l *listening) hears() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pushed = l.pushed || !l.said
}

// overdue ends a waiting that has not begun.
func (l *listening) overdue() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waits {
		l.say()
	}
}

// say sends the last line, once.
func (l *listening) say() {
	if l.said || l.over {
		return
	}
	l.said = true
	l.afterLocked(listenGrace, func() {
		l.c.conn.Fail(transport.Mark(ErrUnavailable, fmt.Errorf("imap: %s: no answer to %q", l.name, l.last)))
	})
	l.c.sendLine([]byte(l.last + "\r\n")) // its failure is the next read's too
}

// tick is how often the time of day is looked at.
const tick = time.Minute

// clock ends the waiting when its time has come. Timers stand still while the
// machine sleeps, and the connection may be dead when it wakes: that the time
// of day has leapt ahead ends the waiting too. That it is set back, or anything
// else about it, means nothing.
func (l *listening) clock() {
	wall := l.wall
	if wall == nil {
		wall = time.Now
	}
	began, seen := time.Now(), wall().Round(0)
	next := func() time.Duration { return min(tick, max(0, l.d-time.Since(began))) }
	l.mu.Lock()
	defer l.mu.Unlock()
	var t *time.Timer
	t = l.afterLocked(next(), func() {
		now := wall().Round(0)
		leapt := now.Sub(seen) > 2*tick
		seen = now
		if leapt || time.Since(began) >= l.d {
			l.end()
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.over {
			t.Reset(next())
		}
	})
}
