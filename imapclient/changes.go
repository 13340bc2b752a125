package imapclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Cursor is how far a mailbox has been followed. The zero value is not at all.
type Cursor struct {
	UIDValidity   uint32
	UIDNext       uint32 // every message below it is known, or gone
	HighestModSeq uint64 // 0: the server has no CONDSTORE here
}

// Changes is what has happened in a mailbox since a [Cursor].
type Changes struct {
	Mailbox *Mailbox

	// New are the messages that were not there.
	New []Summary

	// Changed are known messages whose flags are others now; where the server
	// cannot tell (Partial), all that are known. Only UID and Flags are set.
	Changed []Summary

	// Vanished are the known messages that are gone.
	Vanished Set

	// Partial says that the server has no CONDSTORE.
	Partial bool

	// Cursor is what to go on from next time.
	Cursor Cursor
}

// ErrRenumbered: the mailbox has another UIDVALIDITY than before. UIDs from
// before name nothing (RFC 9051 section 2.3.1.1).
var ErrRenumbered = errors.New("the mailbox has been renumbered")

// Changes opens a mailbox for reading and tells what has happened in it since
// a cursor. known are the UIDs of the messages that were there. What it costs
// depends on the server:
//
//   - With QRESYNC (RFC 7162) one round trip, and one more if there are new
//     messages; what is sent is what has changed.
//   - With CONDSTORE one round trip if nothing has changed, else one for each of
//     new messages, flags, and (with ESEARCH in few octets) those that are gone.
//   - Without both, one round trip and some 30 octets for every known message,
//     and one more if there are new ones.
//
// ENABLE takes one more the first time in a session. With a zero cursor every
// message is new. A mailbox that has been renumbered is [ErrRenumbered]. A
// server that tells of changes which do not add up to what it says is in the
// mailbox is not believed, and asked for everything.
func (c *Client) Changes(ctx context.Context, mailbox string, since Cursor, known Set) (*Changes, error) {
	return c.changesSince(ctx, mailbox, since, known, true)
}

// SelectChanges is [Client.Changes], and opens the mailbox for writing.
func (c *Client) SelectChanges(ctx context.Context, mailbox string, since Cursor, known Set) (*Changes, error) {
	return c.changesSince(ctx, mailbox, since, known, false)
}

func (c *Client) changesSince(ctx context.Context, mailbox string, since Cursor, known Set, readOnly bool) (*Changes, error) {
	if err := checkName("the mailbox name", mailbox); err != nil {
		return nil, err
	}
	end, err := c.beginIn(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	f := &following{c: c, since: since, known: known}
	if err := f.open(mailbox, readOnly); err != nil {
		return nil, err
	}
	if err := f.follow(); err != nil {
		return nil, err
	}
	return f.changes(), nil
}

// following is the state of one Changes.
type following struct {
	c     *Client
	since Cursor
	known Set

	box      *Mailbox
	resync   bool // the server tells of what has happened when the mailbox is opened
	fresh    []Summary
	changed  []Summary
	vanished Set
	told     []uidRange // vanished, too
	top      uint32     // the highest UID seen
}

// open opens the mailbox, with QRESYNC if there is something to go on from.
func (f *following) open(mailbox string, readOnly bool) (err error) {
	c := f.c
	if _, err := c.enable("QRESYNC", "CONDSTORE"); err != nil {
		return err
	}
	params := ""
	switch {
	case f.since.UIDValidity > 0 && f.since.HighestModSeq > 0 && slices.Contains(c.enabled, "QRESYNC"):
		f.resync = true
		params = fmt.Sprintf("(QRESYNC (%d %d%s))", f.since.UIDValidity, f.since.HighestModSeq, f.knownParam())
	case c.caps.Has("CONDSTORE") || c.caps.Has("QRESYNC"):
		params = "(CONDSTORE)"
	}
	f.box, err = c.openNow(mailbox, readOnly, params, f.wait)
	f.gathered()
	if err != nil {
		return err
	}
	if f.since.UIDValidity > 0 && f.since.UIDValidity != f.box.UIDValidity {
		return fmt.Errorf("imap: UIDVALIDITY was %d and is %d: %w", f.since.UIDValidity, f.box.UIDValidity, ErrRenumbered)
	}
	return nil
}

// knownParam keeps the server from telling of messages that are gone for long.
func (f *following) knownParam() string {
	const longest = 1000
	if s := f.known.String(); s != "" && s != All().String() && len(s) <= longest {
		return " " + s
	}
	return ""
}

// wait takes what a server tells of what has happened. RFC 7162 section 3.2.5.
func (f *following) wait(r *response) (bool, error) {
	if r.word() == "VANISHED" {
		set, err := r.vanishedSet()
		if err == nil {
			f.gather(set)
		}
		return true, err
	}
	r.pos = 2
	w, err := fetchRow(r, "")
	if w == nil || err != nil {
		return false, err
	}
	if err := w.items(r); err != nil {
		return false, err
	}
	f.row(w)
	return true, nil
}

// gather adds to what has vanished. It is put in order only when it is twice as
// much as before: a server may tell of each message in a response of its own.
func (f *following) gather(set Set) {
	f.told = append(f.told, set.ranges...)
	if len(f.told) > 2*len(f.vanished.ranges)+1000 {
		f.gathered()
	}
}

// gathered puts what has vanished in order.
func (f *following) gathered() {
	if len(f.told) > 0 {
		f.vanished = union(f.vanished, normal(f.told).both(f.known))
		f.told = nil
	}
}

// row takes a message whose flags have changed.
func (f *following) row(w *row) {
	if w.sum.UID == 0 || !w.hasFlags || !f.known.Has(w.sum.UID) || len(f.changed) >= maxMessages {
		return
	}
	f.changed = append(f.changed, Summary{UID: w.sum.UID, Size: -1, Flags: w.sum.Flags})
}

// follow finds out what opening the mailbox has not told.
func (f *following) follow() error {
	if f.since.UIDValidity == 0 || f.since.UIDNext == 0 || f.known.Len() == 0 {
		f.known, f.changed, f.vanished = Set{}, nil, Set{}
		return f.list(Range(1, everything.last))
	}
	modSeqs := f.since.HighestModSeq > 0 && f.box.HighestModSeq > 0
	if !modSeqs {
		return f.everything()
	}
	if !f.resync && f.box.HighestModSeq != f.since.HighestModSeq {
		if err := f.flags(); err != nil {
			return err
		}
	}
	if f.box.UIDNext == 0 || f.box.UIDNext > f.since.UIDNext {
		if err := f.list(Range(f.since.UIDNext, everything.last)); err != nil {
			return err
		}
	}
	if f.addsUp() {
		return nil
	}
	if !f.resync {
		if err := f.gone(); err != nil {
			return err
		}
		if f.addsUp() {
			return nil
		}
	}
	return f.everything()
}

// addsUp tells whether what is known now is as much as there is.
func (f *following) addsUp() bool {
	left := f.known.without(f.vanished)
	return uint64(left.Len())+uint64(len(f.fresh)) == uint64(f.c.box.Messages)
}

// list asks for the new messages.
func (f *following) list(set Set) error {
	f.fresh = nil
	return f.summaries(set, func(s Summary) {
		f.fresh = append(f.fresh, s)
	})
}

// summaries asks for the messages in a set.
func (f *following) summaries(set Set, each func(Summary)) error {
	if f.c.box.Messages == 0 {
		return nil // to some servers any set is wrong then
	}
	var n int64
	want, expunged := f.c.extent()
	err := f.c.summarise(set, func(s Summary) {
		n++
		f.top = max(f.top, s.UID)
		each(s)
	})
	_, now := f.c.extent()
	if err != nil || !set.Has(1) || n >= want-(now-expunged) {
		return err
	}
	// As in Summaries.
	if err := f.c.run("NOOP", "", nil); err != nil {
		return err
	}
	_, now = f.c.extent()
	if want -= now - expunged; n < want {
		return shortListing(n, want)
	}
	return nil
}

// flags asks for the flags that have changed. RFC 7162 section 3.1.4.1.
func (f *following) flags() error {
	err := f.c.run("UID FETCH", fmt.Sprintf("1:%d (UID FLAGS) (CHANGEDSINCE %d)", f.since.UIDNext-1, f.since.HighestModSeq), f.wait)
	f.gathered()
	return err
}

// gone asks which of the known messages are there.
func (f *following) gone() error {
	span := Range(1, f.since.UIDNext-1)
	found, err := f.c.search(&Query{UIDs: &span}, new(SearchOptions))
	if err == nil {
		f.vanished = f.known.without(found.UIDs)
	}
	return err
}

// everything lists the mailbox and compares.
func (f *following) everything() error {
	var there, fresh []uint32
	f.fresh, f.changed = nil, nil
	err := f.summaries(Range(1, everything.last), func(s Summary) {
		if !f.known.Has(s.UID) {
			fresh = append(fresh, s.UID)
			f.fresh = append(f.fresh, s)
			return
		}
		there = append(there, s.UID)
		f.changed = append(f.changed, Summary{UID: s.UID, Size: -1, Flags: s.Flags})
	})
	f.vanished = f.known.without(UIDs(there...))
	return err
}

func (f *following) changes() *Changes {
	next := max(f.box.UIDNext, f.since.UIDNext)
	if f.top >= next && f.top < everything.last {
		next = f.top + 1
	}
	return &Changes{
		Mailbox:  f.box,
		New:      f.fresh,
		Changed:  f.changed,
		Vanished: f.vanished,
		Partial:  f.box.HighestModSeq == 0,
		Cursor:   Cursor{UIDValidity: f.box.UIDValidity, UIDNext: next, HighestModSeq: f.box.HighestModSeq},
	}
}

// vanishedSet reads what follows VANISHED. RFC 7162 section 3.2.10.
func (r *response) vanishedSet() (Set, error) {
	r.space()
	if r.take('(') { // EARLIER
		r.token()
		if !r.take(')') {
			return Set{}, errSyntax
		}
		r.space()
	}
	return parseSet(r.token())
}

// observeVanished is the EXPUNGE of a session with QRESYNC.
func (c *Client) observeVanished(r *response) error {
	earlier := r.peek() == '('
	set, err := r.vanishedSet()
	if err != nil || earlier || c.box == nil {
		return err
	}
	n := min(set.Len(), c.box.Messages)
	c.box.Messages -= n
	c.activity.Expunged += int(n)
	return nil
}

func union(a, b Set) Set { return normal(append(append([]uidRange{}, a.ranges...), b.ranges...)) }
