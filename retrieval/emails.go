package retrieval

import (
	"context"
	"errors"
	"strconv"

	"example.com/postbag/imapclient"
)

// emails are the messages of the mailboxes so far, by their names over all
// mailboxes: whether they are held, as they were delivered, or still to come.
type emails map[string]bool

func (e emails) add(r *run) {
	for _, s := range r.listed {
		if s.Email != "" && r.known[s.UID].Stage < Settled {
			e[s.Email] = e[s.Email] || false
		}
	}
	for _, rec := range r.known {
		if rec.Stage >= Settled && !rec.Twin && rec.Email != "" {
			e[rec.Email] = true
		}
	}
}

// isHeld tells whether a message was delivered from another mailbox.
func (e emails) isHeld(email string) bool { return e[email] }

// isComing tells whether a message is to be delivered from another mailbox.
func (e emails) isComing(email string) bool {
	held, is := e[email]
	return is && !held
}

// emailItems returns what a server calls messages over all mailboxes.
func emailItems(caps imapclient.Capabilities) (items imapclient.Items, ok bool) {
	items.Gmail = caps.Has("X-GM-EXT-1")
	items.ObjectIDs = !items.Gmail && caps.Has("OBJECTID")
	return items, items.Gmail || items.ObjectIDs
}

// name finds out how messages are called over all mailboxes whose names are not
// known yet, if that is wanted and the server has such names.
func (s *imapSession) name(ctx context.Context, sums []Summary) error {
	items, ok := emailItems(s.caps)
	if !s.emails || !ok {
		return nil
	}
	var uids []UID
	for _, sum := range sums {
		if sum.Email == "" {
			uids = append(uids, sum.UID)
		}
	}
	if len(uids) == 0 {
		return nil
	}
	names := make(map[UID]string, len(sums))
	for info, err := range s.infos(ctx, imapclient.UIDs(s.numbers(uids)...), items) {
		switch {
		case err != nil && !isOne(err):
			return s.failure(err)
		case err != nil: // one message, which has no name then
		case info.Gmail.MessageID != 0:
			names[s.uid(info.UID)] = "gm" + strconv.FormatUint(info.Gmail.MessageID, 10)
		default:
			names[s.uid(info.UID)] = info.EmailID
		}
	}
	for i := range sums {
		if name := names[sums[i].UID]; name != "" {
			sums[i].Email = name
			s.listed[sums[i].UID] = sums[i]
		}
	}
	return nil
}

// isOne tells whether an error is about one message.
func isOne(err error) bool {
	one := (*imapclient.MessageError)(nil)
	return errors.As(err, &one)
}

// learnNames records the names of messages that were settled before anybody
// asked for names.
func (r *run) learnNames(ctx context.Context, listed []Summary) error {
	var recs []Record
	for _, s := range listed {
		if rec, ok := r.known[s.UID]; ok && rec.Email == "" && s.Email != "" {
			rec.Email = s.Email
			recs = append(recs, rec)
		}
	}
	return r.update(ctx, Change{Put: recs})
}
