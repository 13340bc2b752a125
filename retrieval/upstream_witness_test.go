package retrieval_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"example.com/postbag/retrieval"
)

// wrapper puts something between Run and the disk.
type wrapper = func(retrieval.Sink, retrieval.Store) (retrieval.Sink, retrieval.Store)

// witnessed makes a Maildir a witness of a store with an identity.
func witnessed(b *box) wrapper {
	return func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
		return &witnessedSink{s.(inventory), filepath.Join(b.dir, "mail", "witness"), func() error { return nil }}, &namedStore{st}
	}
}

type inventory interface {
	maildir
	retrieval.Inventory
}

type witnessedSink struct {
	inventory
	file   string
	before func() error
}

func (s *witnessedSink) Witnessed(context.Context, retrieval.Box) (string, error) {
	data, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(data), err
}

func (s *witnessedSink) Note(_ context.Context, _ retrieval.Box, store string) error {
	if err := s.before(); err != nil {
		return err
	}
	return os.WriteFile(s.file, []byte(store), 0o600)
}

type namedStore struct{ retrieval.Store }

func (s *namedStore) Open(ctx context.Context, box retrieval.Box) (retrieval.Page, error) {
	p, err := s.Store.Open(ctx, box)
	return &namedPage{p}, err
}

type namedPage struct{ retrieval.Page }

func (p *namedPage) Load(ctx context.Context) (retrieval.State, error) {
	st, err := p.Page.Load(ctx)
	st.Store = "the test's"
	return st, err
}
