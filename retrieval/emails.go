package retrieval

import (
	"context"
	"strconv"

	"example.com/postbag/imapclient"
)

// name finds out how messages are called over all mailboxes, if that is
// wanted and the server has such names.
func (s *imapSession) name(ctx context.Context, sums []Summary) error {
	var items imapclient.Items
	switch {
	case !s.emails || len(sums) == 0:
		return nil
	case s.caps.Has("X-GM-EXT-1"):
		items.Gmail = true
	case s.caps.Has("OBJECTID"):
		items.ObjectIDs = true
	default:
		return nil
	}
	uids := make([]UID, len(sums))
	for i := range sums {
		uids[i] = sums[i].UID
	}
	names := make(map[UID]string, len(sums))
	for info, err := range s.c.Fetch(ctx, imapclient.UIDs(s.numbers(uids)...), items) {
		switch {
		case err != nil && s.c.Err() != nil:
			return s.failure(err)
		case err != nil: // one message, which has no name then
		case info.Gmail.MessageID != 0:
			names[s.uid(info.UID)] = "gm" + strconv.FormatUint(info.Gmail.MessageID, 10)
		default:
			names[s.uid(info.UID)] = info.EmailID
		}
	}
	for i := range sums {
		sums[i].Email = names[sums[i].UID]
		s.listed[sums[i].UID] = sums[i]
	}
	return nil
}
