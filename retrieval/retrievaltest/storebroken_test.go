package retrievaltest_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"example.com/postbag/retrieval"
	rt "example.com/postbag/retrieval/retrievaltest"
)

// memoryStore keeps records in memory, and a second copy of them as if on a
// disk. bug is the name of the case that it is to fail.
type memoryStore struct {
	bug    string
	mu     sync.Mutex
	boxes  map[retrieval.Box]records
	disk   map[retrieval.Box]records
	looked chan struct{} // gets a value with each Load, if someone waits
}

type records map[retrieval.UID]retrieval.Record

func newMemoryStore(bug string) *memoryStore {
	return &memoryStore{bug: bug, boxes: make(map[retrieval.Box]records), disk: make(map[retrieval.Box]records), looked: make(chan struct{})}
}

func (s *memoryStore) underTest() rt.StoreUnderTest {
	return rt.StoreUnderTest{
		Store: s,
		Reopen: func() (retrieval.Store, error) {
			n := newMemoryStore(s.bug)
			n.boxes = s.disk
			return n, nil
		},
		OpenAgain: func() (retrieval.Store, error) {
			if s.has("Locked") {
				return s, nil
			}
			return nil, retrieval.ErrLocked
		},
	}
}

func (s *memoryStore) has(bug string) bool { return s.bug == bug }

func (s *memoryStore) key(box retrieval.Box) retrieval.Box {
	if s.has("Boxes") {
		return retrieval.Box{Account: box.Account + box.Mailbox}
	}
	return box
}

func (s *memoryStore) uid(uid retrieval.UID) retrieval.UID {
	if s.has("AwkwardUIDs") {
		return retrieval.UID(strings.TrimRight(string(uid), "\x00"))
	}
	return uid
}

func (s *memoryStore) Load(_ context.Context, box retrieval.Box) (map[retrieval.UID]retrieval.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.looked <- struct{}{}:
	default:
	}
	recs, ok := s.boxes[s.key(box)]
	switch {
	case !ok && s.has("LoadNothing") && len(s.boxes) > 0:
		return nil, errors.New("no such mailbox")
	case s.has("Own") && len(recs) == 3:
		return recs, nil
	case len(recs) > 1<<14 && s.has("Many"):
		return nil, nil
	}
	return maps.Clone(recs), nil
}

// pause lets someone look at what is half done.
func (s *memoryStore) pause() {
	select {
	case <-s.looked:
	case <-time.After(10 * time.Millisecond):
	}
}

func (s *memoryStore) Put(ctx context.Context, box retrieval.Box, recs ...retrieval.Record) error {
	if err := context.Cause(ctx); err != nil && !s.has("Cancelled") {
		return err
	}
	if len(recs) == 0 && s.has("Nothing") {
		return errors.New("nothing to put")
	}
	if s.has("Concurrent") {
		s.mu.Lock()
		old := maps.Clone(s.boxes[box])
		s.mu.Unlock()
		time.Sleep(time.Millisecond)
		s.mu.Lock()
		s.boxes[box] = old
		s.mu.Unlock()
	}
	if n := len(recs) / 2; s.has("PutAtOnce") && n > 10 && n < 1000 {
		s.put(box, recs[:n])
		s.pause()
		recs = recs[n:]
	}
	for i, rec := range recs {
		if len(rec.UID) > 2000 && s.has("PutRefused") {
			s.put(box, recs[:i])
			return errors.New("a UID that is too long")
		}
	}
	s.put(box, recs)
	return context.Cause(ctx)
}

func (s *memoryStore) put(box retrieval.Box, recs []retrieval.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	box = s.key(box)
	for _, at := range []map[retrieval.Box]records{s.boxes, s.disk} {
		if at[box] == nil {
			at[box] = make(records)
		}
	}
	for _, rec := range recs {
		rec.UID = s.uid(rec.UID)
		old, known := s.boxes[box][rec.UID]
		switch {
		case known && rec.Stage < old.Stage && s.has("Replace"):
			continue
		case s.has("Put"):
			rec.Since = rec.Since.Truncate(time.Second)
		}
		s.boxes[box][rec.UID] = rec
		if !known || !s.has("Durable") {
			s.disk[box][rec.UID] = rec
		}
	}
}

func (s *memoryStore) Forget(ctx context.Context, box retrieval.Box, uids ...retrieval.UID) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if n := len(uids) / 2; s.has("ForgetAtOnce") && n > 5 && n < 1000 {
		s.forget(box, uids[:n])
		s.pause()
		uids = uids[n:]
	}
	return s.forget(box, uids)
}

func (s *memoryStore) forget(box retrieval.Box, uids []retrieval.UID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	box = s.key(box)
	for _, uid := range uids {
		uid = s.uid(uid)
		if _, ok := s.boxes[box][uid]; !ok && s.has("Forget") {
			return errors.New("no such record")
		}
		delete(s.boxes[box], uid)
		if !s.has("ForgetDurable") {
			delete(s.disk[box], uid)
		}
	}
	return nil
}
