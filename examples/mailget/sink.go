package main

import (
	"context"
	"io"
	"os"
	"strings"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	"example.com/postbag/retrieval/relay"
)

// store is a retrieval.Store to be closed.
type store struct {
	retrieval.Store
	io.Closer
}

func (c *command) openStore() (store, error) {
	if c.ledger == "" {
		return store{new(retrieval.Memory), nothing{}}, nil
	}
	l, err := disk.OpenLedger(c.ledger)
	if err != nil {
		return store{}, diskError(err)
	}
	return store{l, l}, nil
}

var isDestination = map[string]bool{"maildir": true, "mbox": true, "pipe": true, "lmtp": true, "none": true}

// destination splits -to.
func (o *options) destination() (kind, rest string) {
	kind, rest, _ = strings.Cut(o.to, ":")
	return kind, strings.TrimSpace(rest)
}

// sink is a retrieval.Sink to be closed.
type sink struct {
	retrieval.Sink
	io.Closer
}

// openSink opens what -to names.
func (c *command) openSink(a *retrieval.Account) (sink, error) {
	kind, rest := c.destination()
	switch kind {
	case "maildir":
		return c.openMaildir(rest)
	case "mbox":
		m, err := disk.OpenMbox(rest, nil)
		if err != nil {
			return sink{}, diskError(err)
		}
		return sink{m, m}, nil
	case "pipe":
		if os.Geteuid() == 0 && !c.allowRoot {
			return sink{}, usageError("-to pipe: root runs no program for mail that others have written, unless there is -allow-root")
		}
		p, err := relay.NewCommand(strings.Fields(rest), &relay.CommandOptions{AllowRoot: c.allowRoot})
		if err != nil {
			return sink{}, usageError("-to pipe: %v", err)
		}
		return sink{p, nothing{}}, nil
	case "lmtp":
		if strings.HasPrefix(rest, "/") {
			rest = "unix:" + rest
		}
		l, err := relay.NewLMTP(rest, &relay.Options{Recipients: c.rcpt, TLSConfig: a.TLSConfig})
		if err != nil {
			return sink{}, usageError("-to lmtp: %v", err)
		}
		return sink{l, l}, nil
	}
	// What was thrown away must never count as delivered: with the same
	// ledger a later run would delete it on the server.
	a.Name = a.Identity() + " to none"
	return sink{discard, nothing{}}, nil
}

// openMaildir opens a Maildir, which for several mailboxes is a tree.
func (c *command) openMaildir(dir string) (sink, error) {
	if len(c.patterns()) > 0 {
		t, err := disk.OpenMaildirPlus(dir, nil)
		if err != nil {
			return sink{}, diskError(err)
		}
		return sink{t, t}, nil
	}
	d, err := disk.OpenMaildir(dir)
	if err != nil {
		return sink{}, diskError(err)
	}
	return sink{d, d}, nil
}

var discard = retrieval.SinkFunc(func(context.Context, *retrieval.Message) error { return nil })

type nothing struct{}

func (nothing) Close() error { return nil }
