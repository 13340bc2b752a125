package retrieval

import "fmt"

// marks are the messages to be deleted at Commit, in the order of marking.
type marks struct {
	uids []UID
	set  map[UID]bool
}

// add marks uids if known tells that each of them was listed.
func (m *marks) add(known func(UID) bool, uids []UID) error {
	for _, uid := range uids {
		if !known(uid) {
			return &MessageError{uid, fmt.Errorf("delete: not in the listing: %w", ErrGone)}
		}
	}
	if m.set == nil {
		m.set = make(map[UID]bool)
	}
	for _, uid := range uids {
		if !m.set[uid] {
			m.set[uid] = true
			m.uids = append(m.uids, uid)
		}
	}
	return nil
}
