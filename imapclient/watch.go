package imapclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// WatchOptions are how [Client.Watch] waits. Nil is the zero value.
type WatchOptions struct {
	// Mailboxes are watched besides the selected one: their [Status] is told
	// when it changes, and at first as it is. A server without NOTIFY is asked
	// for it again and again, every Poll.
	Mailboxes []string

	// All watches all mailboxes of the user, also those that are yet to be
	// made. Only a server with NOTIFY can do that: any other is
	// [errors.ErrUnsupported].
	All bool

	// Heartbeat is for how long a server that tells of news by itself is not
	// asked whether it is still there. Zero means 10 minutes, which most of what
	// forgets silent connections on the way allows; the most is 28 minutes,
	// because servers may hang up after 30 (RFC 2177).
	Heartbeat time.Duration

	// Poll is how often a server that does not tell of news is asked. Zero
	// means 2 minutes, the most is 28 minutes.
	Poll time.Duration

	// Gather is the least time between one return of [Watch.Wait] with news and
	// the next, so that a storm of them comes as a few. Zero means 1 second,
	// less than zero nothing.
	Gather time.Duration

	// Avoid are ways that are not to be used, whatever the server offers, such
	// as those that something between it and the client breaks. Polling cannot
	// be avoided.
	Avoid []WatchWay
}

// WatchWay is how news come.
type WatchWay int

// The ways, the best first.
const (
	WatchNotify WatchWay = iota // the server tells, also of other mailboxes: NOTIFY, RFC 5465, and IDLE
	WatchIdle                   // the server tells of the selected mailbox: IDLE, RFC 2177
	WatchPoll                   // the server is asked: NOOP and STATUS
)

// String returns NOTIFY, IDLE or NOOP.
func (w WatchWay) String() string {
	switch w {
	case WatchNotify:
		return "NOTIFY"
	case WatchIdle:
		return "IDLE"
	}
	return "NOOP"
}

// Watch is a watch over mailboxes. Like its Client it belongs to one goroutine,
// and between two calls of [Watch.Wait] the Client can be used for anything
// else.
type Watch struct {
	c   *Client
	o   WatchOptions
	way WatchWay

	known  map[string]*Status // of the other mailboxes, as last told
	heard  map[string]bool    // those of which there is news
	absent map[string]bool    // those that are not there
	listed []ListedMailbox

	octets, listedOctets int // of what is in known, and in listed

	lost bool // the server has told of less than there was

	notifying bool      // NOTIFY is set
	noIdle    bool      // IDLE is of no use
	lostOnce  bool      // the server has taken it back before
	again     time.Time // when to set it again
	told      time.Time // when Wait last returned news
	asked     time.Time // when the server was last asked
	started   bool      // it has been asked once
	deaf      int       // news that IDLE had not told of, in a row
	early     int       // times that the server ended IDLE, in a row

	wall func() time.Time // the time of day; nil: time.Now
}

// Watch begins to watch the selected mailbox, and others: by IDLE where the
// server has that, and by NOTIFY where others are to be watched or there is no
// IDLE, else by asking. A server that refuses a way,
// or turns out not to keep to it, is watched the next way, which [Watch.Way]
// tells. There is one Watch at a time on a Client; another is [ErrBusy].
func (c *Client) Watch(ctx context.Context, o *WatchOptions) (*Watch, error) {
	w := &Watch{c: c, known: make(map[string]*Status), heard: make(map[string]bool), absent: make(map[string]bool)}
	if o != nil {
		w.o = *o
		w.o.Mailboxes, w.o.Avoid = slices.Clone(o.Mailboxes), slices.Clone(o.Avoid)
	}
	w.o.defaults()
	for _, name := range w.o.Mailboxes {
		if err := checkName("the mailbox name", name); err != nil {
			return nil, err
		}
	}
	end, err := c.beginIn(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if c.watch != nil {
		return nil, fmt.Errorf("imap: Watch: there is one: %w", ErrBusy)
	}
	if c.box == nil && len(w.o.Mailboxes) == 0 && !w.o.All {
		return nil, errors.New("imap: Watch: no mailbox is selected")
	}
	if err := c.needCapabilities(); err != nil {
		return nil, err
	}
	w.way = w.after(-1)
	c.watch = w
	if w.way == WatchNotify {
		err = w.notify()
	} else if w.o.All {
		err = fmt.Errorf("imap: NOTIFY: %w", errors.ErrUnsupported)
	}
	if err != nil {
		c.watch = nil
		return nil, err
	}
	return w, nil
}

func (o *WatchOptions) defaults() {
	for d, instead := range map[*time.Duration]time.Duration{&o.Heartbeat: 10 * time.Minute, &o.Poll: 2 * time.Minute} {
		if *d <= 0 {
			*d = instead
		}
		*d = min(*d, defaultIdle)
	}
	if o.Gather == 0 {
		o.Gather = time.Second
	}
}

// Way returns how news come at the moment.
func (w *Watch) Way() WatchWay { return w.way }

// Close ends the watch, not the session. The server is asked for no more
// notifications. It is not an error to close twice.
func (w *Watch) Close(ctx context.Context) error {
	if w.c.watch != w {
		return nil
	}
	end, err := w.c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	w.c.watch = nil
	if !w.notifying {
		return nil
	}
	w.notifying = false
	return w.c.run("NOTIFY", "NONE", nil)
}
