package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// retrieve runs once and reports, also when the run was cut short.
func (c *command) retrieve(ctx context.Context, a retrieval.Account) error {
	store, err := c.openStore()
	if err != nil {
		return err
	}
	defer store.Close()
	sink, err := c.openSink(&a)
	if err != nil {
		return err
	}
	defer sink.Close()

	bar := newBar(c.progress, c.stderr)
	a.Progress = bar.show
	report, err := retrieval.Run(ctx, a, sink.Sink, store)
	bar.end()
	for _, f := range report.Failures {
		if err == nil || !lostWithServer(f) { // else err says it
			fmt.Fprintln(c.stderr, "mailget:", oneLine(f))
		}
	}
	printed := c.print(report, err)
	switch {
	case err != nil:
		return err
	case report.Failed > 0:
		return partly(report.Failed)
	}
	return diskError(printed)
}

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

// sink is a retrieval.Sink to be closed.
type sink struct {
	retrieval.Sink
	io.Closer
}

func (c *command) openSink(a *retrieval.Account) (sink, error) {
	if c.to == "none" {
		// What was thrown away must never count as delivered: with the same
		// ledger a later run would delete it on the server.
		a.Name = a.Identity() + " to none"
		return sink{retrieval.SinkFunc(func(context.Context, *retrieval.Message) error { return nil }), nothing{}}, nil
	}
	d, err := disk.OpenMaildir(c.maildir())
	if err != nil {
		return sink{}, diskError(err)
	}
	return sink{d, d}, nil
}

type nothing struct{}

func (nothing) Close() error { return nil }

// print prints the report. Nobody needs a summary of a run that never began.
func (c *command) print(r retrieval.Report, err error) error {
	if c.json {
		return json.NewEncoder(c.stdout).Encode(struct {
			retrieval.Report
			ElapsedMS int64 `json:"elapsed_ms"`
		}{r, r.Elapsed.Milliseconds()})
	}
	if err != nil && r.Listed == 0 {
		return nil
	}
	_, err = fmt.Fprintln(c.stdout, summary(r))
	return err
}

// summary tells a report in one line; what did not happen is left out.
func summary(r retrieval.Report) string {
	s := fmt.Sprintf("%s on the server, %d delivered", count(r.Listed), r.Delivered)
	if r.Delivered > 0 {
		s += fmt.Sprintf(" (%s)", size(r.Bytes))
	}
	for _, p := range []struct {
		n    int
		what string
	}{
		{r.Deleted, "deleted there"},
		{r.Reflagged, "got other flags here"},
		{r.Discarded, "removed here"},
		{r.Skipped, "left as they were"},
		{r.Failed, "failed"},
	} {
		if p.n > 0 {
			s += fmt.Sprintf(", %d %s", p.n, p.what)
		}
	}
	return s + fmt.Sprintf(" in %.1f s", r.Elapsed.Seconds())
}

// size is a number of octets as people read it.
func size(n int64) string {
	switch {
	case n < 0:
		return "?"
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	}
	v := float64(n)
	for _, unit := range []string{"KB", "MB", "GB"} {
		if v /= 1000; v < 999.5 {
			return fmt.Sprintf("%.3g %s", v, unit)
		}
	}
	return fmt.Sprintf("%.0f TB", v/1000)
}
