package retrievaltest_test

import (
	"context"
	"maps"
	"strings"

	"example.com/postbag/retrieval"
)

// memoryBatch is a memorySink in the hands of one run.
type memoryBatch struct{ *memorySink }

func (s *memorySink) Batch() retrieval.Sink {
	b := &memoryBatch{s}
	if s.has("BatchCan") {
		return struct {
			retrieval.Sink
			retrieval.Flusher
		}{b, b}
	}
	return b
}

func (b *memoryBatch) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	return b.deliver(ctx, m, b)
}

func (b *memoryBatch) Flush(ctx context.Context) error { return b.flush(ctx, b) }

func (s *memorySink) noteOf(box retrieval.Box) retrieval.Box {
	if s.has("WitnessBoxes") {
		box.Mailbox = strings.ToLower(box.Mailbox)
	}
	return box
}

func (s *memorySink) Witnessed(_ context.Context, box retrieval.Box) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notes[s.noteOf(box)], nil
}

func (s *memorySink) Note(_ context.Context, box retrieval.Box, store string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes[s.noteOf(box)] = store
	if !s.has("WitnessDurable") || len(s.diskNotes) == 0 {
		s.diskNotes = maps.Clone(s.notes)
	}
	return nil
}
