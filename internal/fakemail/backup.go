package fakemail

import "slices"

// Backup remembers a mailbox as it is, and returns a function that puts it back
// under the same UIDVALIDITY, as often as it is called: the UIDs and modseqs that
// were given since are given again. Sessions that have the mailbox selected then
// are told BYE.
func (s *Store) Backup(userName, name string) (restore func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(userName, name)
	if err != nil {
		return nil, err
	}
	saved := *b
	saved.gone, saved.msgs = slices.Clone(b.gone), nil
	for _, m := range b.msgs {
		held := *m
		saved.msgs = append(saved.msgs, &held)
	}
	return func() error { return s.restore(userName, name, saved) }, nil
}

func (s *Store) restore(userName, name string, saved box) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(userName, name)
	if err != nil {
		return err
	}
	b.die()
	for _, m := range b.msgs {
		m.leave()
	}
	fresh := saved
	fresh.gone, fresh.views, fresh.msgs = slices.Clone(saved.gone), make(map[*view]struct{}), nil
	for _, m := range saved.msgs {
		held := *m
		held.box = &fresh
		held.places = append(held.places, &held)
		fresh.msgs = append(fresh.msgs, &held)
	}
	b.user.boxes[b.name] = &fresh
	return nil
}
