package retrieval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/postbag/imapclient"
)

// runMailboxes is Run for several mailboxes, over one connection as long as it
// lasts. What goes wrong with one leaves the others alone.
func runMailboxes(ctx context.Context, a Account, sink Sink, store Store) (Report, error) {
	t := newTour(a, sink, store)
	err := t.all(ctx)
	return t.report, err
}

// tour is the state of a run through several mailboxes.
type tour struct {
	a     Account
	sink  Sink
	store Store

	c      *imapclient.Client
	past   imapclient.Stats // of c, before
	keep   bool             // c is not to be logged out
	boxes  []imapclient.ListedMailbox
	mail   emails // nil if it does not matter
	dry    bool   // nothing may have any effect
	day    *day   // nil: it is not limited
	report Report

	// lost are mailboxes that are left out, because time cannot help them, and
	// why. Nil: none is.
	lost map[string]error
}

func newTour(a Account, sink Sink, store Store) *tour {
	return &tour{a: a, sink: sink, store: store, report: Report{Mailboxes: make(map[string]Report)}}
}

// all runs over each mailbox.
func (t *tour) all(ctx context.Context) error {
	start := time.Now()
	var order []string
	err := t.run(ctx, func(ctx context.Context, r *run) error {
		err := r.whole(ctx)
		if _, again := t.report.Mailboxes[r.box.Mailbox]; !again {
			order = append(order, r.box.Mailbox)
		}
		t.report.Mailboxes[r.box.Mailbox] = r.report
		return err
	})
	for _, mailbox := range order {
		t.report.add(t.report.Mailboxes[mailbox])
	}
	t.report.Elapsed = time.Since(start)
	return err
}

// run does something in each mailbox.
func (t *tour) run(ctx context.Context, do func(context.Context, *run) error) error {
	if err := t.a.check(); err != nil {
		return fmt.Errorf("retrieve: %s: %w", t.a.Identity(), err)
	}
	if t.keep {
		t.past = t.c.Stats()
		defer t.count()
	} else {
		defer t.hangUp(ctx)
	}
	return t.daily(ctx, func() error { return t.each(ctx, do) })
}

// each does something in each mailbox, as long as there is a point in it.
func (t *tour) each(ctx context.Context, do func(context.Context, *run) error) error {
	boxes, err := t.choose(ctx)
	if err != nil {
		return fmt.Errorf("retrieve: %s: %w", t.a.Identity(), err)
	}
	t.forgive(boxes)
	t.boxes = t.notLost(boxes)
	var failed []error
	for _, m := range t.boxes {
		if m.Has(`\All`) && len(failed)+len(t.lost) > 0 {
			break // what should have been delivered from another mailbox would be from here
		}
		if t.day.isOver() {
			t.day.leave(1)
			break
		}
		err := t.visit(ctx, m, do)
		if err == nil {
			continue
		}
		if t.lost != nil && ctx.Err() == nil && isHopeless(err) {
			t.lost[m.Name] = err
			continue
		}
		failed = append(failed, err)
		if ctx.Err() != nil || errors.Is(err, ErrStore) || errors.Is(err, ErrSink) || errors.Is(err, ErrAuth) {
			break
		}
	}
	return errors.Join(append(failed, t.allLost()...)...)
}

// choose connects and lists the mailboxes that the account names, that of all
// messages last.
func (t *tour) choose(ctx context.Context) ([]imapclient.ListedMailbox, error) {
	if t.c == nil {
		if err := t.dial(ctx); err != nil {
			return nil, err
		}
	}
	caps, err := t.c.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	all, err := t.c.List(ctx, &imapclient.ListOptions{
		WithStatus: caps.Has("LIST-STATUS"),
		Status:     imapclient.StatusMessages | imapclient.StatusUIDNext | imapclient.StatusUIDValidity | imapclient.StatusHighestModSeq,
	})
	if err != nil {
		return nil, err
	}
	var boxes []imapclient.ListedMailbox
	listed := make(map[Box]bool)
	for _, m := range all {
		one := Account{Mailbox: m.Name}
		if t.a.movesTo(m.Name) || listed[one.Box()] {
			continue // what is there was delivered before it was moved; or it is listed twice
		}
		listed[one.Box()] = true
		if !m.Has(`\Noselect`) && !m.Has(`\NonExistent`) && isChosen(m, t.a.Mailboxes) {
			boxes = append(boxes, m)
		}
	}
	for _, pattern := range t.a.Mailboxes {
		if isName(pattern) && !slices.ContainsFunc(all, func(m imapclient.ListedMailbox) bool { return isMatch(m, pattern) }) {
			return nil, fmt.Errorf("%q: %w", pattern, ErrNoMailbox)
		}
	}
	slices.SortStableFunc(boxes, func(a, b imapclient.ListedMailbox) int { return rank(a) - rank(b) })
	if _, ok := emailItems(caps); ok && len(boxes) > 1 && boxes[len(boxes)-1].Has(`\All`) {
		t.mail = make(emails)
	}
	return boxes, nil
}

// rank puts INBOX first and the mailbox of all messages last.
func rank(m imapclient.ListedMailbox) int {
	switch {
	case strings.EqualFold(m.Name, "INBOX"):
		return 0
	case m.Has(`\All`):
		return 2
	}
	return 1
}

func (t *tour) visit(ctx context.Context, m imapclient.ListedMailbox, do func(context.Context, *run) error) error {
	retries := t.a.Retries
	if t.keep {
		retries = 0 // whose client it is connects again
	}
	past := &run{tried: make(map[UID]bool)}
	return retrying(ctx, retries, func() error { return t.once(ctx, m, past, do) })
}

// once is one attempt at a mailbox. What those before it have done, and since when,
// is in past.
func (t *tour) once(ctx context.Context, m imapclient.ListedMailbox, past *run, do func(context.Context, *run) error) error {
	if t.c == nil || t.c.Err() != nil {
		if err := t.dial(ctx); err != nil {
			return fmt.Errorf("retrieve: %s: %w", t.a.Identity(), err)
		}
	}
	a := t.a
	a.Mailbox, a.Mailboxes = m.Name, nil
	r := &run{a: a, box: a.Box(), sink: t.sink, store: t.store, day: t.day, opening: opening{client: t.c, emails: t.mail != nil}}
	r.tried, r.report, r.now = past.tried, past.report, past.now
	r.opening.status = m.Status
	if t.keep || t.a.Retries > 0 {
		r.opening.redial = t.redial
	}
	if t.mail != nil && m.Has(`\All`) {
		r.elsewhere = t.mail
	}
	err := do(ctx, r)
	past.report, past.now = r.report, r.now
	if t.mail != nil {
		t.mail.add(r)
	}
	return err
}

// dial connects, anew if need be.
func (t *tour) dial(ctx context.Context) (err error) {
	t.hangUp(ctx)
	t.c, err = dialIMAP(ctx, &t.a)
	return err
}

// redial is a dialer.
func (t *tour) redial(ctx context.Context) (*imapclient.Client, error) {
	err := t.dial(ctx)
	return t.c, err
}

// hangUp ends the connection and adds up its traffic.
func (t *tour) hangUp(ctx context.Context) {
	if t.c == nil {
		return
	}
	if t.c.Err() == nil {
		t.c.Logout(ctx)
	}
	t.c.Close()
	t.count()
	t.c, t.past = nil, imapclient.Stats{}
}

// count adds up the traffic of a connection.
func (t *tour) count() {
	if t.c == nil {
		return
	}
	st := t.c.Stats()
	t.report.WireIn += st.In - t.past.In
	t.report.WireOut += st.Out - t.past.Out
	t.report.RoundTrips += st.RoundTrips - t.past.RoundTrips
}

// isChosen tells whether patterns choose a mailbox: the last that matches
// decides.
func isChosen(m imapclient.ListedMailbox, patterns []string) bool {
	chosen := false
	for _, p := range patterns {
		if without, ok := strings.CutPrefix(p, "-"); ok {
			chosen = chosen && !isMatch(m, without)
		} else {
			chosen = chosen || isMatch(m, p)
		}
	}
	return chosen
}

// isName tells whether a pattern names one mailbox.
func isName(pattern string) bool {
	return !strings.ContainsAny(pattern, "*%") && !strings.HasPrefix(pattern, "-") && !strings.HasPrefix(pattern, `\`)
}

func isMatch(m imapclient.ListedMailbox, pattern string) bool {
	if strings.HasPrefix(pattern, `\`) {
		return m.Has(pattern)
	}
	if strings.EqualFold(m.Name, "INBOX") && strings.EqualFold(pattern, "INBOX") {
		return true
	}
	return matches(m.Name, pattern, m.Delimiter)
}

// matches tells whether a name matches a pattern of LIST (RFC 9051 section
// 6.3.9). It takes time in proportion to the product of their lengths.
func matches(name, pattern, delimiter string) bool {
	at := make([]bool, len(name)+1) // where in name the pattern may have come to
	at[0] = true
	for _, c := range []byte(pattern) {
		next := make([]bool, len(name)+1)
		for n, here := range at {
			switch {
			case c == '*' || c == '%':
				stops := c == '%' && n > 0 && delimiter != "" && name[n-1] == delimiter[0]
				next[n] = here || n > 0 && next[n-1] && !stops
			case here && n < len(name) && name[n] == c:
				next[n+1] = true
			}
		}
		at = next
	}
	return at[len(name)]
}
