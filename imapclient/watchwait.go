package imapclient

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"
)

// Wait waits for news, or returns at once with what other commands have been
// told since the last time, which may be what they did themselves. At first
// there are news of each of the other mailboxes: how it is.
//
// When ctx ends, Wait returns its cause, and the session goes on, unless the
// server does not answer within 10 seconds. A server that hangs up is an
// [Error] with its words, one that does not answer is [ErrUnavailable].
func (w *Watch) Wait(ctx context.Context) (News, error) {
	c := w.c
	if c.watch != w {
		return News{}, errors.New("imap: the watch is over")
	}
	if err := context.Cause(ctx); err != nil {
		return News{}, err
	}
	end, err := c.beginListening(ctx)
	if err != nil {
		return News{}, err
	}
	defer end()
	for begun := false; ; begun = true {
		if w.any() && (begun || !time.Now().Before(w.told.Add(w.o.Gather))) {
			w.told = time.Now()
			return w.take(), nil
		}
		if err := w.round(ctx); err != nil {
			return News{}, err
		}
		if err := context.Cause(ctx); err != nil && !w.any() {
			return News{}, err
		}
		c.unasked, c.kept = 0, 0
	}
}

// round waits once, in the way that is in use.
func (w *Watch) round(ctx context.Context) error {
	if !w.again.IsZero() && !time.Now().Before(w.again) {
		if err := w.notify(); err != nil {
			return err
		}
	}
	if !w.started {
		w.started = true
		if w.way == WatchIdle {
			if err := w.ask(); err != nil || len(w.heard)+len(w.listed) > 0 {
				return err
			}
		}
	}
	if w.byIdle() {
		return w.idle(ctx)
	}
	l := w.listening()
	if w.way == WatchPoll {
		l.d = max(0, time.Until(w.asked.Add(w.o.Poll)))
	}
	w.c.tags++
	l.name, l.tag = "NOOP", "A"+strconv.Itoa(w.c.tags)
	l.last = l.tag + " NOOP"
	if err := l.run(ctx, w.c); err != nil || ctx.Err() != nil {
		return err
	}
	w.judge(l)
	return w.ask()
}

// byIdle tells whether IDLE is waited in. With NOTIFY too, if it can be.
//
// QUIRK: Dovecot tells of the selected mailbox in IDLE only, unless NOTIFY is
// also of others.
func (w *Watch) byIdle() bool {
	return w.way == WatchIdle || w.way == WatchNotify && !w.noIdle && w.c.offers("IDLE") && !slices.Contains(w.o.Avoid, WatchIdle)
}

func (w *Watch) listening() *listening {
	l := &listening{d: w.o.Heartbeat, until: w.told.Add(w.o.Gather), news: w.any, wall: w.wall}
	if w.deaf >= maxDeaf || !w.notifying && len(w.o.Mailboxes) > 0 {
		l.d = min(l.d, w.o.Poll)
	}
	return l
}

// The signs that a way is of no use, each until it is believed.
const (
	maxDeaf  = 2 // news that came only when the server was asked
	maxEarly = 3 // ends of IDLE that the client did not ask for, without news
)

// judge notes whether the server has told of news before it was asked.
//
// QUIRK: GNU Mailutils tells of nothing in IDLE before DONE.
func (w *Watch) judge(l *listening) {
	switch {
	case l.pushed:
		w.deaf, w.early = 0, 0
	case w.c.activity.Any():
		w.deaf++
	}
	if w.way == WatchIdle && w.deaf >= maxDeaf {
		w.way = WatchPoll
	}
}

// idle waits in IDLE.
func (w *Watch) idle(ctx context.Context) error {
	c := w.c
	l := w.listening()
	ended, err := c.idle(ctx, l)
	if refused := (*Error)(nil); c.conn.Err() == nil && (errors.As(err, &refused) || err == errNoPlus) {
		w.withoutIdle()
		if refused != nil && refused.RetryAfter > 0 {
			w.asked = time.Now().Add(min(refused.RetryAfter, defaultIdle) - w.o.Poll)
		}
		return nil
	}
	if err != nil || ctx.Err() != nil {
		return err
	}
	if ended && !l.pushed {
		if w.early++; w.early >= maxEarly {
			w.withoutIdle()
			return nil
		}
	} else if !w.any() {
		// A server that says no more in IDLE than that it is there (or what is
		// between it and the client) has to be asked.
		if err := c.run("NOOP", "", nil); err != nil {
			return err
		}
	}
	w.judge(l)
	return w.ask()
}

// withoutIdle goes on without IDLE.
func (w *Watch) withoutIdle() {
	w.noIdle, w.asked = true, time.Time{}
	if w.way == WatchIdle {
		w.way = WatchPoll
	}
}

// ask asks for the state of the other mailboxes, when it is time and the server
// does not tell.
func (w *Watch) ask() error {
	if !w.asked.IsZero() && time.Since(w.asked) < w.o.Poll && w.way == WatchIdle {
		return nil
	}
	w.asked = time.Now()
	if w.notifying {
		return nil
	}
	return w.askFor(w.o.Mailboxes)
}

// askFor asks for the state of mailboxes, for many before the first answer.
func (w *Watch) askFor(names []string) error {
	const many = 100
	for names := range slices.Chunk(names, many) {
		doubtful, err := w.askForMany(names)
		if err != nil {
			return err
		}
		// Servers refuse for many reasons, and most do not say which.
		for _, name := range doubtful {
			list, err := w.c.plainList(name)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(list, func(m ListedMailbox) bool { return sameName(m.Name, name) }) {
				w.missing(name)
			}
		}
	}
	return nil
}

// askForMany returns the mailboxes that may not be there.
func (w *Watch) askForMany(names []string) (doubtful []string, err error) {
	const items = StatusMessages | StatusUIDNext | StatusUIDValidity | StatusUnseen | StatusHighestModSeq
	var tags, asked []string
	for _, name := range names {
		if w.c.box != nil && sameName(name, w.c.box.Name) {
			continue // RFC 9051 section 6.3.11
		}
		t, err := w.c.askStatus(name, items)
		if err != nil {
			return nil, err
		}
		tags, asked = append(tags, t...), append(asked, name)
	}
	for i, tag := range tags {
		err := w.c.await(tag, "STATUS")
		switch {
		case w.c.conn.Err() != nil:
			return nil, err
		case errors.Is(err, ErrNoMailbox):
			w.missing(asked[i])
		case err != nil:
			doubtful = append(doubtful, asked[i])
		}
	}
	return doubtful, nil
}
