package retrieval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"example.com/postbag/imapclient"
)

// subject is an account that a [Watch] follows.
type subject struct {
	w *watcher
	a Account

	backoff
	c       *imapclient.Client // kept open between runs; nil: none is
	since   time.Time          // when c was opened
	watch   *imapclient.Watch
	watched []string            // s.boxes, when watch began
	last    *imapclient.Mailbox // boxes[0], when it was last opened to wait
	ran     bool                // well, once
	lost    map[string]error    // mailboxes that were given up
	boxes   []string            // that were gone through, the first to be watched most closely
	login   time.Time           // by when a login was over of a server that wants delay until the next
	delay   time.Duration       // LOGIN-DELAY
}

// round is one run, and what follows from it: for how long the account is left
// alone, or has nothing to do unless the server tells of news.
func (s *subject) round(ctx context.Context) (time.Duration, error) {
	done, err := s.w.turn(ctx, s.a.addr())
	if err != nil {
		return 0, err
	}
	s.w.tell(Event{Account: s.a.Identity(), Kind: RunBegins})
	begun, lost := time.Now(), maps.Clone(s.lost)
	var report Report
	err = guarded(func() (err error) {
		report, err = s.run(ctx)
		return err
	})
	if ctx.Err() != nil {
		done()
		return 0, err
	}
	s.w.tell(Event{Account: s.a.Identity(), Kind: RunEnds, Report: report, Err: err})
	for _, name := range slices.Sorted(maps.Keys(s.lost)) {
		if lost[name] == nil {
			s.w.tell(Event{Account: s.a.Identity(), Kind: GivenUp, Mailbox: name, Err: s.lost[name]})
		}
	}
	done()
	if err != nil {
		s.hangUp() // what state it is in nobody knows, and news would not mend it
		return max(s.failed(err, draw), s.untilLogin()), err
	}
	s.ran = true
	if report.RoomIn > 0 { // until then there is nothing to listen for
		s.hangUp()
		s.ok(begun)
		return max(report.RoomIn, s.w.o.Poll, s.untilLogin()), nil
	}
	if s.c == nil {
		s.ok(begun)
		return max(s.w.o.Poll, s.untilLogin()), nil
	}
	if report.More { // of which the server will tell nothing
		return min(s.w.o.Poll, s.w.o.Resync), nil
	}
	return s.w.o.Resync, nil
}

// untilLogin is how long the server wants to be left alone yet, in any case.
func (s *subject) untilLogin() time.Duration {
	if s.delay <= 0 {
		return 0
	}
	return time.Until(s.login) + min(s.delay, longestAsked) + time.Second
}

// isHopeless tells whether nothing that time brings will help the account. A
// mailbox that was there may be again.
func (s *subject) isHopeless(err error) bool {
	return isHopeless(err) || !s.ran && errors.Is(err, ErrNoMailbox)
}

// run runs over the account, over the connection that is open if one is.
func (s *subject) run(ctx context.Context) (Report, error) {
	if err := s.a.check(); err != nil {
		return Report{}, fmt.Errorf("%w: %w", errBadAccount, err)
	}
	if s.a.Protocol == POP3 {
		r := &run{a: s.a, box: s.a.Box(), sink: s.w.sink, store: s.w.store}
		err := r.whole(ctx)
		if r.features.Protocol != "" { // else nobody has logged in
			s.login, s.delay = time.Now(), r.features.LoginDelay
		}
		return r.report, err
	}
	if s.c == nil || s.c.Err() != nil {
		if _, err := s.dial(ctx); err != nil {
			return Report{}, fmt.Errorf("retrieve: %s: %w", s.a.Identity(), err)
		}
	}
	return s.over(ctx)
}

// dial connects, anew if need be.
func (s *subject) dial(ctx context.Context) (*imapclient.Client, error) {
	s.hangUp()
	c, err := dialIMAP(ctx, &s.a)
	if err != nil {
		return nil, err
	}
	s.c, s.since = c, time.Now()
	return c, nil
}

// over runs over the account's mailbox, or mailboxes, over s.c.
func (s *subject) over(ctx context.Context) (Report, error) {
	if len(s.a.Mailboxes) == 0 {
		r := &run{a: s.a, box: s.a.Box(), sink: s.w.sink, store: s.w.store, opening: opening{client: s.c, redial: s.dial}}
		s.boxes = []string{r.box.Mailbox}
		err := r.whole(ctx)
		return r.report, err
	}
	t := newTour(s.a, s.w.sink, s.w.store)
	t.c, t.keep, t.lost = s.c, true, s.lost
	defer func() { // also if the sink panics
		if t.c != s.c {
			s.c, s.since, s.watch, s.last = t.c, time.Now(), nil, nil
		}
	}()
	err := t.all(ctx)
	// In an order of their own, for a server may have another for every listing.
	slices.SortFunc(t.boxes, func(a, b imapclient.ListedMailbox) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(a.Name, b.Name))
	})
	s.boxes = s.boxes[:0]
	for _, m := range t.boxes {
		s.boxes = append(s.boxes, m.Name)
	}
	return t.report, err
}

// rest waits for news, or as long as it is told. It returns an error when ctx
// has ended.
func (s *subject) rest(ctx context.Context, wait time.Duration) error {
	if s.c == nil || s.c.Err() != nil || len(s.boxes) == 0 {
		s.hangUp()
		s.w.tell(Event{Account: s.a.Identity(), Kind: Waits, Wait: wait, How: "time"})
		return sleep(ctx, wait)
	}
	err := s.listen(ctx, wait)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.ok(s.since)
	if err == nil {
		return nil
	}
	s.hangUp()
	again := s.failed(err, draw)
	s.w.tell(Event{Account: s.a.Identity(), Kind: Waits, Wait: again, How: "time", Err: err})
	return sleep(ctx, again)
}

// listen waits until the server tells of news, at most for so long. The first
// time over a connection it returns at once: what has happened since the run
// began, nobody has told.
func (s *subject) listen(ctx context.Context, wait time.Duration) error {
	if len(s.a.Mailboxes) > 0 { // another may be open, or none
		box, err := s.c.Examine(ctx, s.boxes[0])
		if err != nil {
			return err
		}
		last := s.last
		if s.last = box; last == nil || last.Messages != box.Messages || last.UIDNext != box.UIDNext || last.HighestModSeq != box.HighestModSeq {
			return nil
		}
	}
	if s.watch != nil && !slices.Equal(s.watched, s.boxes) {
		if err := s.watch.Close(ctx); err != nil {
			return err
		}
		s.watch = nil
	}
	if s.watch == nil {
		w, err := s.c.Watch(ctx, &imapclient.WatchOptions{Mailboxes: s.boxes[1:], Heartbeat: s.w.o.Heartbeat, Poll: s.w.o.Poll})
		if err != nil {
			return err
		}
		s.watch, s.watched = w, slices.Clone(s.boxes)
		if len(s.boxes) > 1 {
			return nil
		}
	}
	s.w.tell(Event{Account: s.a.Identity(), Kind: Waits, Wait: wait, How: s.watch.Way().String()})
	timed, cancel := context.WithTimeoutCause(ctx, wait, errWaited)
	defer cancel()
	_, err := s.watch.Wait(timed)
	if errors.Is(err, errWaited) {
		return nil
	}
	return err
}

var errWaited = errors.New("waited long enough")

func (s *subject) hangUp() {
	if s.c != nil {
		s.c.Close()
		s.c, s.watch, s.last = nil, nil, nil
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
