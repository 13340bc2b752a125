package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
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

// destination is what one -to says.
type destination struct{ flag, kind, rest string }

func toDestination(s string) destination {
	kind, rest, _ := strings.Cut(s, ":")
	return destination{s, kind, strings.TrimSpace(rest)}
}

// isSound tells whether it says a place.
func (d destination) isSound() bool {
	switch d.kind {
	case "maildir", "mbox", "pipe", "lmtp", "smtp":
		return d.rest != ""
	}
	return d.flag == "none"
}

// goesTo tells whether one of the destinations is of one of these kinds.
func (o *options) goesTo(kinds ...string) bool {
	return slices.ContainsFunc(o.to, func(d destination) bool { return slices.Contains(kinds, d.kind) })
}

// sink is a retrieval.Sink to be closed.
type sink struct {
	retrieval.Sink
	io.Closer
}

// openSink opens all that -to names, each by open.
func (c *command) openSink(a *retrieval.Account, open func(*retrieval.Account, destination) (sink, error)) (sink, error) {
	var all []retrieval.Sink
	var each closers
	for _, d := range c.to {
		s, err := open(a, d)
		if err != nil {
			each.Close()
			return sink{}, err
		}
		all, each = append(all, s.Sink), append(each, s)
	}
	if len(all) == 1 {
		return sink{all[0], each}, nil
	}
	return sink{retrieval.Tee(all...), each}, nil
}

// closers are closed together.
type closers []io.Closer

func (cs closers) Close() error {
	var errs []error
	for _, c := range cs {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// openOne opens one destination.
func (c *command) openOne(a *retrieval.Account, d destination) (sink, error) {
	switch d.kind {
	case "maildir":
		return c.openMaildir(d.rest)
	case "mbox":
		m, err := disk.OpenMbox(d.rest, nil)
		if err != nil {
			return sink{}, diskError(err)
		}
		return sink{m, m}, nil
	case "pipe":
		if os.Geteuid() == 0 && !c.allowRoot {
			return sink{}, usageError("-to pipe: root runs no program for mail that others have written, unless there is -allow-root")
		}
		p, err := relay.NewCommand(strings.Fields(d.rest), &relay.CommandOptions{AllowRoot: c.allowRoot})
		if err != nil {
			return sink{}, usageError("-to pipe: %v", err)
		}
		return sink{p, nothing{}}, nil
	case "lmtp", "smtp":
		return c.openRelay(a, d)
	}
	// What was thrown away must never count as delivered: with the same
	// ledger a later run would delete it on the server.
	a.Name = a.Identity() + " to none"
	return sink{discard, nothing{}}, nil
}

// openRelay opens a mail server.
func (c *command) openRelay(a *retrieval.Account, d destination) (sink, error) {
	addr := d.rest
	if strings.HasPrefix(addr, "/") {
		addr = "unix:" + addr
	}
	o := &relay.Options{Recipients: c.rcpt, TLSConfig: a.TLSConfig}
	if d.kind == "smtp" {
		s, err := relay.NewSMTP(addr, o)
		if err != nil {
			return sink{}, usageError("-to smtp: %v", err)
		}
		return sink{s, s}, nil
	}
	l, err := relay.NewLMTP(addr, o)
	if err != nil {
		return sink{}, usageError("-to lmtp: %v", err)
	}
	return sink{l, l}, nil
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
