package disk

import (
	"context"
	"fmt"
	"io/fs"
	"sync"

	"go.etcd.io/bbolt"

	"example.com/postbag/retrieval"
)

// Open implements [retrieval.Store].
func (l *Ledger) Open(ctx context.Context, box retrieval.Box) (retrieval.Page, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := l.damage(); err != nil {
		return nil, l.wrap(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken[box] != nil {
		return nil, l.wrap(fmt.Errorf("%s %s: %w", box.Account, box.Mailbox, retrieval.ErrLocked))
	}
	if l.taken == nil {
		l.taken = make(map[retrieval.Box]*page)
	}
	p := &page{l: l, box: box}
	l.taken[box] = p
	return p, nil
}

// page is the [retrieval.Page] of a ledger.
type page struct {
	l   *Ledger
	box retrieval.Box

	mu     sync.Mutex // held over a transaction
	closed bool
}

func (p *page) Load(ctx context.Context) (st retrieval.State, err error) {
	err = p.with(ctx, (*bbolt.DB).View, func(tx *bbolt.Tx) error {
		st, err = readBox(tx, boxKey(p.box))
		return err
	})
	if err != nil {
		return retrieval.State{}, err
	}
	return st, nil
}

func (p *page) Update(ctx context.Context, ch retrieval.Change) error {
	return p.with(ctx, (*bbolt.DB).Update, func(tx *bbolt.Tx) error {
		b, err := openBox(tx, boxKey(p.box))
		if err != nil {
			return err
		}
		return b.change(ch)
	})
}

func (p *page) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	delete(p.l.taken, p.box)
	return nil
}

func (p *page) with(ctx context.Context, kind transaction, f func(tx *bbolt.Tx) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return p.l.wrap(fmt.Errorf("%s %s: %w", p.box.Account, p.box.Mailbox, fs.ErrClosed))
	}
	return p.l.transact(ctx, kind, f)
}
