package retrieval

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// WatchOptions are how [Watch] goes about it. Nil is the zero value.
type WatchOptions struct {
	// Poll is the time between two runs over an account whose server does not
	// tell of new mail, or of which the account's limits have left some; 0 means
	// 5 minutes. A server that wants more (LOGIN-DELAY) gets it, after failures,
	// too, up to a day, and [Limits.BytesPerDay] is waited for.
	Poll time.Duration

	// Resync is the time after which an account is run over although its server
	// has told of nothing; 0 means 30 minutes.
	Resync time.Duration

	// Heartbeat is for how long a server that tells of news is not asked whether
	// it is still there; 0 means 10 minutes, the most is 28 (RFC 2177).
	Heartbeat time.Duration

	// PerHost and AtOnce are how many accounts are run over at a time, of one
	// host and in all; 0 means 4 and 16. Waiting for news does not count.
	PerHost int
	AtOnce  int

	// Log is told of runs: of failures as warnings, of what did something as
	// information, of the others for debugging. Nil: nobody is.
	Log *slog.Logger

	// Observe is called with each event, one at a time. It should return soon.
	Observe func(Event)
}

// Event is something that happens to an account in [Watch].
type Event struct {
	Account string // [Account.Identity]
	Kind    EventKind
	Mailbox string // that was given up alone, of several that the account names; else empty

	Report Report        // of a run that has ended
	Err    error         // why a run, the wait, or the account has ended; nil if all went well
	Wait   time.Duration // until the next run at the latest
	How    string        // what is waited for: "NOTIFY", "IDLE", "NOOP" (which poll over a connection), or "time"
}

// EventKind is what kind of event it is.
type EventKind int

// The kinds of events, in the order of an account's life.
const (
	RunBegins EventKind = iota
	RunEnds             // with Report, and Err if it failed
	Waits               // with Wait and How
	GivenUp             // with Err, and Mailbox if it is about one alone: nothing that time brings would help
)

// String returns a word for k.
func (k EventKind) String() string {
	return [...]string{"run begins", "run ends", "waits", "given up"}[k]
}

var (
	errBadAccount = errors.New("the account is not complete")
	errPanic      = errors.New("panic")
)

// Watch runs over accounts ([Run]), again and again, until ctx ends: on IMAP
// as soon as the server tells of news (NOTIFY, RFC 5465, or IDLE, RFC 2177; it
// keeps one connection an account), else every Poll. It returns the context's
// cause; or, once no account is left, why each was given up.
//
// An account that fails, or is slow, disturbs no other, unless PerHost or AtOnce
// of them are slow at a time: [Limits.Time] ends a run that has very much to
// retrieve. What failed is tried again after a random time that grows with each
// failure in a row, from seconds to a quarter of an hour, and never before the
// server wants it ([RetryAfter]). Only 5 minutes in which nothing fails end the
// row. Credentials that are refused are tried again after 10 minutes, and then
// less and less often, down to once a day; one that [Account.Password] or
// [Account.Token] could not tell counts as any failure, unless its error is an
// [ErrAuth].
//
// What time cannot help is given up: a mailbox that was renumbered, or is not
// there when the watch begins, a store that is lost, an account that asks for
// what its server cannot do, and a sink that panics. Of several mailboxes
// ([Account.Mailboxes]) one that is renumbered, or whose state is lost, is given
// up alone, until it is listed no more; meanwhile nothing is delivered from the
// mailbox of all messages, in which its messages may be.
//
// The sink is used by several goroutines at a time; if it is a [Flusher] but no
// [Batcher], as an mbox is, runs take turns, and a slow one holds up the others.
func Watch(ctx context.Context, sink Sink, store Store, o *WatchOptions, accounts ...Account) error {
	w := newWatcher(sink, store, o)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var group sync.WaitGroup
	ended := make([]error, len(accounts))
	for i, a := range accounts {
		group.Go(func() { ended[i] = w.follow(ctx, a) })
	}
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return errors.Join(ended...)
}

// watcher is the state of a Watch.
type watcher struct {
	sink  Sink
	store Store
	o     WatchOptions

	turns chan struct{} // one element for each run under way
	alone sync.Mutex    // held by a run that no other may go on beside

	mu    sync.Mutex
	hosts map[string]chan struct{}

	events sync.Mutex
}

func newWatcher(sink Sink, store Store, o *WatchOptions) *watcher {
	w := &watcher{sink: sink, store: store, hosts: make(map[string]chan struct{})}
	if o != nil {
		w.o = *o
	}
	if w.o.Poll <= 0 {
		w.o.Poll = 5 * time.Minute
	}
	if w.o.Resync <= 0 {
		w.o.Resync = 30 * time.Minute
	}
	if w.o.PerHost <= 0 {
		w.o.PerHost = 4
	}
	if w.o.AtOnce <= 0 {
		w.o.AtOnce = 16
	}
	w.turns = make(chan struct{}, w.o.AtOnce)
	return w
}

// follow runs over one account until ctx ends or there is no use in it.
func (w *watcher) follow(ctx context.Context, a Account) error {
	s := &subject{w: w, a: a, lost: make(map[string]error)}
	defer s.hangUp()
	for {
		begun := time.Now()
		wait, err := s.round(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil && s.isHopeless(err) {
			w.tell(Event{Account: a.Identity(), Kind: GivenUp, Err: err})
			return err
		}
		if err := s.rest(ctx, wait); err != nil {
			return err
		}
		// A server that always has something else to tell would never be left alone.
		if err := sleep(ctx, min(leastWait, w.o.Poll)-time.Since(begun)); err != nil {
			return err
		}
	}
}

// turn waits until a run over a host may begin, and returns what ends it.
func (w *watcher) turn(ctx context.Context, host string) (done func(), err error) {
	w.mu.Lock()
	perHost := w.hosts[host]
	if perHost == nil {
		perHost = make(chan struct{}, w.o.PerHost)
		w.hosts[host] = perHost
	}
	w.mu.Unlock()
	for _, queue := range []chan struct{}{perHost, w.turns} {
		select {
		case queue <- struct{}{}:
		case <-ctx.Done():
			if queue == w.turns {
				<-perHost
			}
			return nil, context.Cause(ctx)
		}
	}
	if err := context.Cause(ctx); err != nil { // select does not look at that first
		<-w.turns
		<-perHost
		return nil, err
	}
	alone := !isShared(w.sink)
	if alone {
		w.alone.Lock()
	}
	return func() {
		if alone {
			w.alone.Unlock()
		}
		<-w.turns
		<-perHost
	}, nil
}

// guarded calls f, and makes an error of a panic in what the caller gave us.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	return f()
}

// tell reports an event.
func (w *watcher) tell(e Event) {
	if log := w.o.Log; log != nil {
		e.log(log)
	}
	if w.o.Observe != nil {
		w.events.Lock()
		defer w.events.Unlock()
		w.o.Observe(e)
	}
}

func (e Event) log(l *slog.Logger) {
	level, attrs := slog.LevelDebug, []slog.Attr{slog.String("account", e.Account)}
	switch {
	case e.Err != nil:
		level = slog.LevelWarn
	case e.Kind == RunEnds && e.Report.did():
		level = slog.LevelInfo
	}
	if e.Kind == RunEnds {
		r := &e.Report
		attrs = append(attrs, slog.Int("listed", r.Listed), slog.Int("delivered", r.Delivered), slog.Int("deleted", r.Deleted),
			slog.Int("failed", r.Failed), slog.Int64("bytes", r.Bytes), slog.Duration("elapsed", r.Elapsed))
	}
	if e.Kind == Waits {
		attrs = append(attrs, slog.Duration("wait", e.Wait), slog.String("how", e.How))
	}
	if e.Mailbox != "" {
		attrs = append(attrs, slog.String("mailbox", e.Mailbox))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	l.LogAttrs(context.Background(), level, e.Kind.String(), attrs...)
}

// did tells whether anything was done.
func (r *Report) did() bool {
	return r.Delivered+r.Deleted+r.Reflagged+r.Discarded+r.Acted+r.Sent+r.Rematched+r.Failed > 0
}
