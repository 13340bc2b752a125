package retrieval

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Box names a mailbox of an account for a [Store] and a [Sink]. Account is
// [Account.Identity].
type Box struct{ Account, Mailbox string }

// Stage is how far a message has come.
type Stage int

// The stages of a message, in order.
const (
	// Intended: about to be delivered. After a crash nobody knows whether it was.
	Intended Stage = iota + 1
	// Settled: delivered, durable and recorded.
	Settled
	// Doomed: settled, and to be deleted on the server. It stays so until a
	// listing shows that it is gone.
	Doomed
)

// Record is what is remembered of one message.
type Record struct {
	UID   UID
	Stage Stage
	Ref   string    // the sink's name for it
	Flags []Flag    // as the sink has them
	Since time.Time // when it was intended
}

// Store remembers what was settled, so that no message is delivered twice or
// deleted too early. Implementations are safe for use by several goroutines.
// Whoever is refused because another process has the store gets [ErrLocked].
type Store interface {
	// Load returns every record of a mailbox; none is not an error.
	Load(ctx context.Context, box Box) (map[UID]Record, error)

	// Put adds or replaces records in one durable transaction.
	Put(ctx context.Context, box Box, recs ...Record) error

	// Forget removes records in one durable transaction. One that is not
	// there is passed over.
	Forget(ctx context.Context, box Box, uids ...UID) error
}

// Memory is a [Store] that forgets everything at the program's end. Its zero
// value is ready for use.
type Memory struct {
	mu    sync.Mutex
	boxes map[Box]map[UID]Record
}

// Load implements [Store].
func (s *Memory) Load(_ context.Context, box Box) (map[UID]Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	recs := make(map[UID]Record, len(s.boxes[box]))
	for uid, r := range s.boxes[box] {
		r.Flags = slices.Clone(r.Flags)
		recs[uid] = r
	}
	return recs, nil
}

// Put implements [Store].
func (s *Memory) Put(_ context.Context, box Box, recs ...Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.boxes == nil {
		s.boxes = make(map[Box]map[UID]Record)
	}
	if s.boxes[box] == nil {
		s.boxes[box] = make(map[UID]Record)
	}
	for _, r := range recs {
		r.Flags = slices.Clone(r.Flags)
		s.boxes[box][r.UID] = r
	}
	return nil
}

// Forget implements [Store].
func (s *Memory) Forget(_ context.Context, box Box, uids ...UID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, uid := range uids {
		delete(s.boxes[box], uid)
	}
	return nil
}
