package retrieval

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// A new message that has the name of a settled one is found out if the server
// says other things of it than of the old one: the size, or with IMAP when it was
// received. That is compared with what the server itself said then, so that one
// whose sizes are wrong is not suspected for it. What is suspected has its header
// section compared, and is remembered with what is said of it now, so that it is
// looked at once. Where there is no header section to compare, because the message
// was not delivered ([Reseed]) or was found after a crash, both have to be other.

// differs tells whether the server says other things of a settled message than
// when it was delivered.
func (r *run) differs(rec *Record, s Summary) bool {
	if rec.Stage != Settled || !rec.Vanished.IsZero() {
		return false // or it was compared as it came back
	}
	date, size := rec.isOtherDate(s), r.isOtherSize(rec, s)
	return date && size || (date || size) && rec.Print != (Print{})
}

// isOtherSize tells whether a message has another size than the one that is known
// by its name. If that turned out to be larger than was said, a smaller one is no
// sign.
func (r *run) isOtherSize(rec *Record, s Summary) bool {
	hasGrown := rec.HeaderOnly && rec.Size == r.a.Limits.MessageSize+1 // see note
	return rec.Size > 0 && s.Size > 0 && (s.Size > rec.Size || s.Size < rec.Size && !hasGrown)
}

func (rec *Record) isOtherDate(s Summary) bool {
	return !rec.Received.IsZero() && !s.Received.IsZero() && !rec.Received.Equal(s.Received)
}

// as is the record with the name that a message has now, and with what the
// server says of it now.
func (rec Record) as(s Summary) Record {
	rec.UID = s.UID
	if s.Size > 0 && (!rec.HeaderOnly || s.Size > rec.Size) {
		rec.Size = s.Size
	}
	if !s.Received.IsZero() {
		rec.Received = s.Received
	}
	return rec
}

// isOther tells whether a message is another than the one that is known by its
// name, by what compare has told. A header section may also have been changed by
// the server. With IMAP that is believed while the message was received at the
// same moment; with POP3 it cannot be told, and to have a message twice is better
// than not to have another at all.
func (r *run) isOther(same map[UID]bool, s Summary) bool {
	is, known := same[s.UID]
	rec := r.known[s.UID]
	if rec.Print == (Print{}) {
		return rec.isOtherDate(s) && r.isOtherSize(&rec, s)
	}
	return known && !is && (s.Received.IsZero() || rec.Received.IsZero() || rec.isOtherDate(s))
}

// replaced looks at listed messages of which the server says other things than
// of the settled ones whose names they have. Those that are others are new. If
// very many are, the account's rule for a renumbered mailbox is followed.
func (r *run) replaced(ctx context.Context, listed []Summary) error {
	var odd []Summary // the newest first
	for _, s := range slices.Backward(listed) {
		if rec := r.known[s.UID]; r.differs(&rec, s) {
			odd = append(odd, s)
		}
	}
	if len(odd) == 0 {
		return nil
	}
	sample := odd
	if len(odd) > massive { // the server's ways may have changed
		sample = odd[:3]
	}
	ch, err := r.judge(ctx, sample)
	if err == nil && len(ch.Forget) > 0 && len(sample) < len(odd) {
		ch, err = r.judge(ctx, odd)
	}
	if err != nil {
		return err
	}
	if len(ch.Forget) > massive {
		_, numbered := r.r.(counter)
		return r.renumbered(ctx, listed, fmt.Sprintf("%d of %d messages are others under their old names", len(ch.Forget), len(listed)), numbered)
	}
	return r.update(ctx, ch)
}

// judge looks at messages. What are others is to be forgotten, before they are
// delivered; what are not is to be remembered with what is said of them now.
// Where it cannot be told, nothing is changed.
func (r *run) judge(ctx context.Context, odd []Summary) (ch Change, err error) {
	uids := namesOf(odd)
	same, err := r.compare(ctx, uids)
	if errors.Is(err, errors.ErrUnsupported) { // no TOP
		if err = nil; !r.dry() {
			err = r.peekAt(ctx, uids, same)
		}
	}
	if err != nil {
		return ch, err
	}
	for _, s := range odd {
		rec := r.known[s.UID]
		if r.isOther(same, s) {
			ch.Forget = append(ch.Forget, s.UID)
		} else if _, known := same[s.UID]; known {
			ch.Put = append(ch.Put, rec.as(s))
		}
	}
	return ch, nil
}
