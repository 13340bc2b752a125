package retrievaltest_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"sync"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	rt "example.com/postbag/retrieval/retrievaltest"
)

// database stands for a database that many machines share, and shows what a
// store in one has to do: it has two tables, and does each of the statements
// below at once.
//
//	CREATE TABLE pages   (account, mailbox, fence bigint, until timestamptz, cursor bytea,
//	                      clock_time, clock_wall, hours json, PRIMARY KEY (account, mailbox))
//	CREATE TABLE records (account, mailbox, uid bytea, …, PRIMARY KEY (account, mailbox, uid))
type database struct {
	mu      sync.Mutex
	pages   map[retrieval.Box]pageRow
	records map[recordKey]retrieval.Record
}

type pageRow struct {
	fence  int64     // larger with each Open
	until  time.Time // when the holder's lease runs out; zero if nobody has it
	cursor string
	clock  retrieval.Clock
	hours  []retrieval.Hour
}

type recordKey struct {
	retrieval.Box
	retrieval.UID
}

// sharedStore is a [retrieval.Store] in a database, on one of many machines.
type sharedStore struct {
	db  *database
	now func() time.Time
}

// lease is longer than any run; a page whose holder died is free after it.
const lease = time.Hour

// Open is one statement:
//
//	INSERT INTO pages (account, mailbox, fence, until) VALUES ($1, $2, 1, now() + $3)
//	ON CONFLICT (account, mailbox) DO UPDATE SET fence = pages.fence + 1, until = now() + $3
//	WHERE pages.until IS NULL OR pages.until < now() RETURNING fence
//
// If no row comes back somebody has the page.
func (s *sharedStore) Open(ctx context.Context, box retrieval.Box) (retrieval.Page, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	row := s.db.pages[box]
	if s.now().Before(row.until) {
		return nil, fmt.Errorf("%s: %w", box.Mailbox, retrieval.ErrLocked)
	}
	row.fence++
	row.until = s.now().Add(lease)
	s.db.pages[box] = row
	return &sharedPage{s: s, box: box, fence: row.fence}, nil
}

type sharedPage struct {
	s     *sharedStore
	box   retrieval.Box
	fence int64

	mu     sync.Mutex
	closed bool
}

// Load is one transaction, in which both tables are read.
func (p *sharedPage) Load(ctx context.Context) (retrieval.State, error) {
	st := retrieval.State{Store: "the database's own name", Records: make(map[retrieval.UID]retrieval.Record)}
	err := p.transact(ctx, func(db *database, row *pageRow) {
		for key, r := range db.records {
			if key.Box == p.box {
				r.Flags = append([]retrieval.Flag(nil), r.Flags...)
				st.Records[key.UID] = r
			}
		}
		if row.cursor != "" {
			st.Cursor = []byte(row.cursor)
		}
		st.Clock, st.Hours = row.clock, append(st.Hours, row.hours...)
	})
	if err != nil {
		return retrieval.State{}, err
	}
	return st, nil
}

// Update is one transaction. It begins with
//
//	UPDATE pages SET until = now() + $4 WHERE account = $1 AND mailbox = $2 AND fence = $3
//
// which locks the row until the end. If no row was changed another Open has
// made the fence larger: the transaction is rolled back, and that is ErrLocked.
func (p *sharedPage) Update(ctx context.Context, ch retrieval.Change) error {
	return p.transact(ctx, func(db *database, row *pageRow) {
		row.until = p.s.now().Add(lease)
		for _, uid := range ch.Forget {
			delete(db.records, recordKey{p.box, uid})
		}
		for _, r := range ch.Put {
			r.Flags = append([]retrieval.Flag(nil), r.Flags...)
			db.records[recordKey{p.box, r.UID}] = r
		}
		if ch.Cursor != nil {
			row.cursor = string(ch.Cursor)
		}
		if ch.Clock != nil {
			row.clock = *ch.Clock
		}
		if ch.Hours != nil {
			row.hours = append([]retrieval.Hour(nil), ch.Hours...)
		}
	})
}

func (p *sharedPage) transact(ctx context.Context, f func(db *database, row *pageRow)) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return fs.ErrClosed
	}
	db := p.s.db
	db.mu.Lock()
	defer db.mu.Unlock()
	row := db.pages[p.box]
	if row.fence != p.fence {
		return fmt.Errorf("%s: another holder has it: %w", p.box.Mailbox, retrieval.ErrLocked)
	}
	f(db, &row)
	db.pages[p.box] = row
	return nil
}

// Close is
//
//	UPDATE pages SET until = NULL WHERE account = $1 AND mailbox = $2 AND fence = $3
//
// and it does not matter whether that finds the row.
func (p *sharedPage) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	db := p.s.db
	db.mu.Lock()
	defer db.mu.Unlock()
	if row := db.pages[p.box]; row.fence == p.fence {
		row.until = time.Time{}
		db.pages[p.box] = row
	}
	return nil
}

// TestSharedStore shows that a store in a database can keep the contract, and
// how to prove one: newDatabase would give each test a schema of its own.
func TestSharedStore(t *testing.T) {
	rt.TestStore(t, func(*testing.T) rt.StoreUnderTest {
		db := &database{pages: make(map[retrieval.Box]pageRow), records: make(map[recordKey]retrieval.Record)}
		machine := func(ahead time.Duration) *sharedStore {
			return &sharedStore{db, func() time.Time { return time.Now().Add(ahead) }}
		}
		return rt.StoreUnderTest{
			Store:     machine(0),
			OpenAgain: func() (retrieval.Store, error) { return machine(0), nil },
			Reopen: func() (retrieval.Store, error) { // an hour after the crash
				survived := &database{pages: maps.Clone(db.pages), records: maps.Clone(db.records)}
				return &sharedStore{survived, func() time.Time { return time.Now().Add(lease + 1) }}, nil
			},
			TakeOver: func(box retrieval.Box) (retrieval.Page, error) {
				return machine(lease+time.Minute).Open(context.Background(), box)
			},
		}
	})
}
