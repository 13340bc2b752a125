package imapclient

import (
	"fmt"

	"example.com/postbag/internal/transport"
)

// untagged takes a FETCH response; others are routed.
func (f *fetch) untagged(r *response) error {
	w := &f.row
	ok, err := w.begin(r, f.section)
	if !ok {
		r.pos = 2
		before := f.c.activity.Expunged
		err := f.c.route(r)
		if f.c.activity.Expunged != before { // sequence numbers mean others now
			f.forget()
			clear(f.names)
		}
		return err
	}
	if err == nil {
		err = f.take(r, w)
	}
	if err == errSyntax {
		f.odd = true // whatever it was, it is not what was asked for
		err = nil
	}
	if err == nil {
		err = r.finish()
	}
	if err == nil {
		err = f.c.spend(r)
	}
	return err
}

// forget forgets rows without a body, of which none will come any more.
func (f *fetch) forget() {
	for _, w := range f.early {
		if w.sum.UID == 0 {
			f.c.noteChange(w)
		}
	}
	clear(f.early)
	f.held = 0
}

// take takes a FETCH response.
func (f *fetch) take(r *response, w *row) error {
	if err := w.items(r); err != nil {
		return err
	}
	w.octets = r.octets
	if w.body == noBody && w.sum.UID != 0 && f.want[w.sum.UID] == 0 {
		f.c.noteChange(w)
	}
	if e := f.early[w.seq]; e != nil {
		w.merge(e)
		f.held -= e.octets
		delete(f.early, w.seq)
	}
	if w.body == noBody {
		if len(f.early) < maxBatches*batchMessages && f.held+w.octets <= maxKept {
			early := *w
			f.early[w.seq] = &early // the body may come in another
			f.held += w.octets
		}
		return nil
	}
	m := newMessage(r, w)
	if m.UID == 0 {
		return f.nameless(r, w, m)
	}
	if err := f.deliver(m); err != nil {
		return err
	}
	uid := m.UID
	if err := w.rest(r); err != nil {
		return err
	}
	if w.sum.UID != uid {
		return f.c.conn.ProtocolError("imap: UID FETCH: message %d was sent as %d", w.sum.UID, uid)
	}
	return nil
}

// nameless takes a body that comes before its UID. It is held until the UID is
// known. One that is too large for that is asked for again: then its sequence
// number tells the UID, and its end, which proves that, comes before the
// message's.
func (f *fetch) nameless(r *response, w *row, m *Message) error {
	if m.octets <= maxHeld {
		if err := m.hold(); err != nil {
			return err
		}
		if err := w.rest(r); err != nil {
			return err
		}
		if w.sum.UID == 0 {
			return errSyntax
		}
		m.Summary = w.sum
		return f.deliver(m)
	}
	uid := f.names[w.seq]
	m.UID = uid
	m.proof = func() error {
		err := w.rest(r)
		if err == nil && uid != 0 && w.sum.UID != uid {
			err = f.c.conn.ProtocolError("imap: UID FETCH: message %d was sent as %d", w.sum.UID, uid)
		}
		return err
	}
	if uid != 0 {
		return f.deliver(m)
	}
	if err := m.finish(); err != nil {
		return err
	}
	if uid := w.sum.UID; f.want[uid] > 0 {
		delete(f.want, uid)
		f.names[w.seq] = uid
		f.queue = append(f.queue, UIDs(uid))
		return nil
	}
	return f.refuse(m)
}

// refuse counts a body that nobody asked for. A server that sends such without
// end, or one, would otherwise be listened to for ever.
func (f *fetch) refuse(m *Message) error {
	if f.unwanted += m.octets; f.unwanted > maxUnwanted {
		return f.c.conn.ProtocolError("imap: UID FETCH: more than %d octets of messages that nobody asked for", maxUnwanted)
	}
	return nil
}

// deliver hands a message on, if it is wanted, and reads what is left of it.
func (f *fetch) deliver(m *Message) error {
	if f.want[m.UID] > 0 {
		delete(f.want, m.UID)
		f.now = m.UID
		f.refused = 0
		f.guess += (m.octets - f.guess) / 16
		f.guess = max(f.guess, 256)
		switch {
		case f.stopped:
		case m.isNil:
			f.fail(m.UID, f.noBody)
		case m.octets == 0 && m.Size > 0:
			f.fail(m.UID, transport.Mark(ErrTruncated, fmt.Errorf("imap: the server sent nothing of %d octets", m.Size)))
		default:
			f.stopped = !f.yield(m, nil)
		}
		f.c.unasked = 0
	} else if err := f.refuse(m); err != nil {
		return err
	}
	if err := m.finish(); err != nil {
		return err
	}
	f.now = 0
	return nil
}

// fail tells that a message cannot be had.
func (f *fetch) fail(uid uint32, err error) {
	if !f.stopped {
		f.stopped = !f.yield(nil, &MessageError{uid, err})
	}
}
