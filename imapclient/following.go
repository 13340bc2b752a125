package imapclient

import (
	"fmt"
	"slices"
)

// following is the state of one Changes.
type following struct {
	c     *Client
	since Cursor
	known Set

	box      *Mailbox
	resync   bool // the server tells of what has happened when the mailbox is opened
	fresh    []Summary
	newest   Summary // of the known ones, if it was asked for
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
	switch r.word() {
	case "VANISHED":
		set, err := r.vanishedSet()
		if err == nil {
			f.gather(set)
		}
		return false, err // which may mean that there are fewer now
	case "OK":
		if code, _, _ := splitCode(r.rest()); code == "CLOSED" { // until now it was another mailbox
			f.vanished, f.told, f.changed = Set{}, nil, nil
		}
		return false, nil
	}
	r.pos = 2
	w, err := fetchRow(r, "")
	if w == nil || err != nil {
		return false, err
	}
	if err := w.items(r); err != nil {
		return false, err
	}
	if f.row(w) {
		r.useful()
	}
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

// row takes a message whose flags have changed, and tells whether it does. If one
// comes several times, the last counts.
func (f *following) row(w *row) bool {
	if w.sum.UID == 0 || !w.hasFlags || !f.known.Has(w.sum.UID) || len(f.changed) >= maxMessages {
		return false
	}
	f.changed = append(f.changed, Summary{UID: w.sum.UID, Size: -1, Flags: w.sum.Flags})
	return true
}

// follow finds out what opening the mailbox has not told.
func (f *following) follow() error {
	if f.since.UIDValidity == 0 || f.since.UIDNext == 0 || f.known.Len() == 0 {
		f.known, f.changed, f.vanished = Set{}, nil, Set{}
		return f.list(Range(1, everything.last))
	}
	// A server that was restored counts from less: it cannot tell what differs.
	modSeqs := f.since.HighestModSeq > 0 && f.since.UIDNext > 1 && f.box.HighestModSeq >= f.since.HighestModSeq
	if !modSeqs || f.isBack() {
		return f.everything()
	}
	if !f.resync && f.box.HighestModSeq != f.since.HighestModSeq {
		if err := f.flags(); err != nil {
			return err
		}
	}
	if f.box.UIDNext == 0 || f.box.UIDNext > f.since.UIDNext {
		if err := f.list(Range(f.newestKnown(), everything.last)); err != nil {
			return err
		}
	}
	if f.addsUp() {
		if f.resync && f.silent() {
			return f.flags()
		}
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

// isBack tells whether the server says that UIDs which it has given are still to
// be given: it was restored, or what it says is not true. RFC 9051 section 2.3.1.1.
func (f *following) isBack() bool { return f.box.UIDNext > 0 && f.box.UIDNext < f.since.UIDNext }

// silent tells whether something has happened and the server has told of nothing:
// it may not do what it says that it has turned on.
func (f *following) silent() bool {
	return f.box.HighestModSeq > f.since.HighestModSeq && len(f.fresh)+len(f.changed)+len(f.vanished.ranges) == 0
}

// addsUp tells whether what is known now is as much as there is.
func (f *following) addsUp() bool {
	left := f.known.without(f.vanished)
	return uint64(left.Len())+uint64(len(f.fresh)) == uint64(f.c.box.Messages)
}

// newestKnown returns the UID of the newest message that is known and not gone,
// or that of the first that is not known.
func (f *following) newestKnown() uint32 {
	newest := f.since.UIDNext
	for first, last := range f.known.without(f.vanished).Ranges() {
		if first < f.since.UIDNext {
			newest = min(last, f.since.UIDNext-1)
		}
	}
	return newest
}

// list asks for the new messages, and for the newest known one if set has it.
func (f *following) list(set Set) error {
	f.fresh = nil
	return f.summaries(set, func(s Summary) {
		if f.known.Has(s.UID) {
			f.newest = s
			return
		}
		f.fresh = append(f.fresh, s)
	})
}

// summaries asks for the messages in a set.
func (f *following) summaries(set Set, each func(Summary)) error {
	if f.c.isEmpty() {
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
		f.changed = append(f.changed, s)
	})
	f.vanished = f.known.without(UIDs(there...))
	return err
}

func (f *following) changes() *Changes {
	next := max(f.box.UIDNext, f.since.UIDNext)
	if f.isBack() && f.top < f.box.UIDNext { // all was listed, and nothing speaks against it
		next = f.box.UIDNext
	}
	if f.top >= next && f.top < everything.last {
		next = f.top + 1
	}
	return &Changes{
		Mailbox:  f.box,
		New:      f.fresh,
		Newest:   f.newest,
		Changed:  f.changed,
		Vanished: f.vanished,
		Partial:  f.box.HighestModSeq == 0,
		Cursor:   Cursor{UIDValidity: f.box.UIDValidity, UIDNext: next, HighestModSeq: f.box.HighestModSeq},
	}
}
