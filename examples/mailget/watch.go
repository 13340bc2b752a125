package main

import (
	"context"
	"log/slog"

	"example.com/postbag/retrieval"
)

// follow retrieves again and again. To be interrupted is how it should end.
func (c *command) follow(ctx context.Context, a retrieval.Account) error {
	store, err := c.openStore()
	if err != nil {
		return err
	}
	defer store.Close()
	sink, err := c.openSink(&a, c.openOne)
	if err != nil {
		return err
	}
	defer sink.Close()

	var h slog.Handler = slog.NewTextHandler(c.stderr, nil)
	if c.json {
		h = slog.NewJSONHandler(c.stderr, nil)
	}
	err = retrieval.Watch(ctx, sink.Sink, store, &retrieval.WatchOptions{Log: slog.New(h), Poll: c.poll}, a)
	if ctx.Err() != nil {
		return nil
	}
	return err
}
