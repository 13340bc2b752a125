package retrievaltest_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/postbag/retrieval"
	rt "example.com/postbag/retrieval/retrievaltest"
)

// memoryStore keeps pages in memory, and a second copy of them as if on a
// disk. bug is the name of the case that it is to fail.
type memoryStore struct {
	bug     string
	name    string
	mu      sync.Mutex
	boxes   map[retrieval.Box]*memoryBox
	holders map[retrieval.Box]*memoryPage
	changed chan struct{} // gets a value with each Update, if someone waits
}

type memoryBox struct {
	retrieval.State
	disk retrieval.State
}

func newMemoryStore(bug string) *memoryStore {
	return &memoryStore{
		bug: bug, name: "memory", boxes: make(map[retrieval.Box]*memoryBox),
		holders: make(map[retrieval.Box]*memoryPage), changed: make(chan struct{}),
	}
}

func (s *memoryStore) underTest() rt.StoreUnderTest {
	return rt.StoreUnderTest{
		Store: s,
		Reopen: func() (retrieval.Store, error) {
			n := newMemoryStore(s.bug)
			for key, b := range s.boxes {
				n.boxes[key] = &memoryBox{State: b.disk, disk: b.disk}
			}
			if s.has("Identity") {
				n.name = "another"
			}
			return n, nil
		},
		OpenAgain: func() (retrieval.Store, error) {
			if s.has("Locked") {
				return newMemoryStore(""), nil
			}
			return nil, retrieval.ErrLocked
		},
		TakeOver: func(box retrieval.Box) (retrieval.Page, error) {
			delete(s.holders, box)
			return s.Open(context.Background(), box)
		},
	}
}

func (s *memoryStore) has(bug string) bool { return s.bug == bug }

func (s *memoryStore) box(box retrieval.Box) *memoryBox {
	if s.has("Boxes") {
		box = retrieval.Box{Account: box.Account + box.Mailbox}
	}
	if s.boxes[box] == nil {
		s.boxes[box] = new(memoryBox)
	}
	return s.boxes[box]
}

func (s *memoryStore) Open(_ context.Context, box retrieval.Box) (retrieval.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holders[box] != nil {
		if s.has("Taken") {
			delete(s.holders, box)
		}
		return nil, retrieval.ErrLocked
	}
	p := &memoryPage{s: s, b: s.box(box), box: box}
	s.holders[box] = p
	return p, nil
}

type memoryPage struct {
	s      *memoryStore
	b      *memoryBox
	box    retrieval.Box
	closed bool
}

func (p *memoryPage) has(bug string) bool { return p.s.bug == bug }

// mine tells whether the page is its holder's still.
func (p *memoryPage) mine() error {
	switch {
	case p.closed:
		return fs.ErrClosed
	case p.s.holders[p.box] != p:
		return retrieval.ErrLocked
	}
	return nil
}

func (p *memoryPage) Close() error {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.s.holders[p.box] == p || p.closed && p.has("CloseTwice") || !p.closed && p.has("FencedClose") {
		delete(p.s.holders, p.box)
	}
	p.closed = true
	return nil
}

func (p *memoryPage) Load(context.Context) (retrieval.State, error) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if err := p.mine(); err != nil && !(p.closed && p.has("Closed")) {
		return retrieval.State{}, err
	}
	st := p.b.State
	st.Store = p.s.name
	switch {
	case p.has("LoadNothing") && st.Records == nil && len(p.s.boxes) > 1:
		return retrieval.State{}, errors.New("no such mailbox")
	case p.has("Own"):
		return st, nil
	case p.has("Many") && len(st.Records) > 1<<14:
		st.Records = nil
	}
	return cloneState(st), nil
}

func cloneState(st retrieval.State) retrieval.State {
	st.Cursor, st.Hours = slices.Clone(st.Cursor), slices.Clone(st.Hours)
	recs := make(map[retrieval.UID]retrieval.Record)
	for uid, r := range st.Records {
		r.Flags = slices.Clone(r.Flags)
		recs[uid] = r
	}
	st.Records = recs
	return st
}

func (p *memoryPage) Update(ctx context.Context, ch retrieval.Change) error {
	over := context.Cause(ctx)
	n := len(ch.Put) + len(ch.Forget)
	switch {
	case over != nil && (!p.has("Cancelled") || n > 100):
		return over
	case p.has("Nothing") && n == 0 && ch.Cursor == nil && ch.Clock == nil && ch.Hours == nil:
		return errors.New("nothing to do")
	case p.has("CancelledMeanwhile") && n > 1000 && n < 2000:
		p.update(retrieval.Change{Put: ch.Put[:len(ch.Put)/2], Forget: ch.Forget[:len(ch.Forget)/2]})
		<-ctx.Done()
		return context.Cause(ctx)
	}
	if p.has("Refused") {
		for i, r := range ch.Put {
			if len(r.UID) > 2000 {
				p.update(retrieval.Change{Put: ch.Put[:i]})
				return errors.New("a UID that is too long")
			}
		}
	}
	return errors.Join(p.update(ch), over)
}

func (p *memoryPage) update(ch retrieval.Change) error {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	err := p.mine()
	if err != nil && (p.closed || !p.has("Fenced")) {
		return err
	}
	if p.has("Concurrent") && p.box.Account == "own" {
		p.loseOthers()
	}
	if !p.has("Given") {
		ch.Cursor, ch.Put, ch.Hours = slices.Clone(ch.Cursor), slices.Clone(ch.Put), slices.Clone(ch.Hours)
		for i := range ch.Put {
			ch.Put[i].Flags = slices.Clone(ch.Put[i].Flags)
		}
	}
	before := cloneState(p.b.State)
	for _, st := range []*retrieval.State{&p.b.State, &p.b.disk} {
		if e := p.change(st, &before, ch, st == &p.b.disk); e != nil {
			return e
		}
	}
	return err
}

// loseOthers writes back what all pages held some time ago.
func (p *memoryPage) loseOthers() {
	old := make(map[*memoryBox]retrieval.State)
	for _, b := range p.s.boxes {
		old[b] = cloneState(b.State)
	}
	p.s.mu.Unlock()
	select {
	case p.s.changed <- struct{}{}:
	case <-p.s.changed:
	case <-time.After(10 * time.Millisecond):
	}
	p.s.mu.Lock()
	for b, st := range old {
		b.State = st
	}
}

func (p *memoryPage) change(st, before *retrieval.State, ch retrieval.Change, disk bool) error {
	if st.Records == nil {
		st.Records = make(map[retrieval.UID]retrieval.Record)
	}
	if !p.has("ForgetAndPut") {
		if err := p.forget(st, ch, disk); err != nil {
			return err
		}
	}
	for _, r := range ch.Put {
		uid := p.uid(r.UID)
		old, known := before.Records[uid]
		switch {
		case p.has("Replace") && known && r.Stage < old.Stage, p.has("Durable") && known && disk:
			continue
		case p.has("Put") && r.Attempts == 0:
			r.Retry = time.Time{}
		}
		st.Records[uid] = r
	}
	if p.has("ForgetAndPut") {
		if err := p.forget(st, ch, disk); err != nil {
			return err
		}
	}
	if ch.Hours != nil && !(disk && p.has("HoursDurable")) {
		st.Hours = ch.Hours
		if p.has("Hours") && len(ch.Hours) > 24 {
			st.Hours = ch.Hours[1:] // a day has 24 hours
		}
	}
	if len(st.Hours) == 0 {
		st.Hours = nil
	}
	if disk && p.has("StateDurable") {
		return nil
	}
	if ch.Cursor != nil && (len(ch.Cursor) > 0 || !p.has("Cursor")) {
		st.Cursor = ch.Cursor
	}
	if len(st.Cursor) == 0 {
		st.Cursor = nil
	}
	if ch.Clock != nil {
		st.Clock = *ch.Clock
		if p.has("Clock") {
			st.Clock.Time = st.Clock.Time.Truncate(time.Second)
		}
	}
	return nil
}

func (p *memoryPage) forget(st *retrieval.State, ch retrieval.Change, disk bool) error {
	for _, uid := range ch.Forget {
		uid = p.uid(uid)
		if _, ok := st.Records[uid]; !ok && p.has("Forget") {
			return errors.New("no such record")
		}
		if !disk || !p.has("ForgetDurable") {
			delete(st.Records, uid)
		}
	}
	return nil
}

func (p *memoryPage) uid(uid retrieval.UID) retrieval.UID {
	if p.has("AwkwardUIDs") {
		return retrieval.UID(strings.TrimRight(string(uid), "\x00"))
	}
	return uid
}
