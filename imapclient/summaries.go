package imapclient

import (
	"context"
	"iter"
)

const summaryItems = "(UID FLAGS INTERNALDATE RFC822.SIZE)"

// Summaries asks for the UID, flags, date and size of the messages in set, in
// one round trip (more if the set is too long for a line). They come in the
// order of the mailbox. An error ends the sequence. Breaking out of it leaves
// the session usable: what is on the way is read and thrown away.
func (c *Client) Summaries(ctx context.Context, set Set) iter.Seq2[Summary, error] {
	return func(yield func(Summary, error) bool) {
		end, err := c.beginSelected(ctx)
		if err != nil {
			yield(Summary{}, err)
			return
		}
		defer end()
		if c.box.Messages == 0 {
			// Some servers answer BAD to any set when there is nothing. What
			// has come since is known after a NOOP.
			return
		}
		s := &summaries{c: c, set: set, yield: yield}
		for _, part := range set.split() {
			if err := c.run("UID FETCH", part.String()+" "+summaryItems, s.wait); err != nil {
				if !s.stopped {
					yield(Summary{}, err)
				}
				return
			}
			s.flush()
		}
		if s.n > 0 {
			c.avgBody = max(s.octets/int64(s.n), 256)
		}
	}
}

// summaries hands on rows. A row is held back until the next message's, as a
// server may tell of one message in several.
type summaries struct {
	c       *Client
	set     Set
	yield   func(Summary, error) bool
	held    *row
	n       int
	octets  int64 // of the messages, as announced
	stopped bool
}

func (s *summaries) wait(r *response) (bool, error) {
	w, err := fetchRow(r, "")
	if w == nil || err != nil {
		return false, err
	}
	if err := w.items(r); err != nil {
		return false, err
	}
	if s.held != nil && s.held.seq == w.seq {
		s.held.merge(w)
		return true, nil
	}
	s.flush()
	s.held = w
	if s.n++; s.n > maxMessages {
		return false, s.c.conn.ProtocolError("imap: UID FETCH: more than %d messages", maxMessages)
	}
	return true, nil
}

// flush hands on the row that was held back. Rows that were not asked for are
// not: flags that another client changes, or (QUIRK: GNU Mailutils) the last
// message whatever was asked.
func (s *summaries) flush() {
	w := s.held
	s.held = nil
	if w == nil || s.stopped || w.sum.UID == 0 || !s.set.Has(w.sum.UID) || !w.hasFlags && w.sum.Size < 0 {
		return
	}
	s.octets += max(w.sum.Size, 0)
	s.stopped = !s.yield(w.sum, nil)
}
