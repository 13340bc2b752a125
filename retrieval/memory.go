package retrieval

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// Memory is a [Store] that forgets everything at the program's end. Its zero
// value is ready for use.
type Memory struct {
	mu    sync.Mutex
	boxes map[Box]*State
	taken map[Box]*memoryPage
}

// Open implements [Store].
func (s *Memory) Open(ctx context.Context, box Box) (Page, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[box] != nil {
		return nil, fmt.Errorf("memory: %s: %w", box.Mailbox, ErrLocked)
	}
	if s.boxes == nil {
		s.boxes, s.taken = make(map[Box]*State), make(map[Box]*memoryPage)
	}
	if s.boxes[box] == nil {
		s.boxes[box] = &State{Records: make(map[UID]Record)}
	}
	p := &memoryPage{s, box}
	s.taken[box] = p
	return p, nil
}

// memoryPage is valid while its store says that it is taken.
type memoryPage struct {
	s   *Memory
	box Box
}

func (p *memoryPage) Load(ctx context.Context) (State, error) {
	var st State
	err := p.with(ctx, func(held *State) {
		st = *held
		st.Records = make(map[UID]Record, len(held.Records))
		for uid, r := range held.Records {
			st.Records[uid] = r.clone()
		}
		st.Cursor, st.Hours = slices.Clone(held.Cursor), slices.Clone(held.Hours)
	})
	return st, err
}

func (p *memoryPage) Update(ctx context.Context, ch Change) error {
	return p.with(ctx, func(held *State) {
		for _, uid := range ch.Forget {
			delete(held.Records, uid)
		}
		for _, r := range ch.Put {
			held.Records[r.UID] = r.clone()
		}
		if ch.Cursor != nil {
			held.Cursor = slices.Clone(ch.Cursor)
		}
		if len(held.Cursor) == 0 {
			held.Cursor = nil
		}
		if ch.Clock != nil {
			held.Clock = *ch.Clock
		}
		if ch.Hours != nil {
			held.Hours = slices.Clone(ch.Hours)
		}
		if len(held.Hours) == 0 {
			held.Hours = nil
		}
	})
}

func (p *memoryPage) with(ctx context.Context, f func(*State)) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.s.taken[p.box] != p {
		return fmt.Errorf("memory: %s: %w", p.box.Mailbox, fs.ErrClosed)
	}
	f(p.s.boxes[p.box])
	return nil
}

func (p *memoryPage) Close() error {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	maps.DeleteFunc(p.s.taken, func(_ Box, q *memoryPage) bool { return p == q })
	return nil
}

func (r Record) clone() Record {
	r.Flags = slices.Clone(r.Flags)
	return r
}
