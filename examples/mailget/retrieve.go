package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"example.com/postbag/retrieval"
)

// retrieve runs once and reports, also when the run was cut short.
func (c *command) retrieve(ctx context.Context, a retrieval.Account) error {
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

// print prints the report. Nobody needs a summary of a run that never began.
func (c *command) print(r retrieval.Report, err error) error {
	if c.json {
		return json.NewEncoder(c.stdout).Encode(struct {
			retrieval.Report
			ElapsedMS int64 `json:"elapsed_ms"`
			RoomInMS  int64 `json:"room_in_ms,omitempty"`
		}{r, r.Elapsed.Milliseconds(), r.RoomIn.Milliseconds()})
	}
	if err != nil && r.Listed == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(r.Mailboxes)) {
		fmt.Fprintf(c.stdout, "%s: %s\n", cell(name, 0, false), summary(r.Mailboxes[name]))
	}
	s := summary(r)
	if r.RoomIn > 0 && r.WireIn == 0 {
		s = unasked
	}
	_, err = fmt.Fprintln(c.stdout, s+room(r.RoomIn))
	return err
}

// unasked is all there is to tell when -limit-day is used up.
const unasked = "the server was not asked"

// room says how long nothing more is received, if that is so.
func room(in time.Duration) string {
	if in <= 0 {
		return ""
	}
	return fmt.Sprintf("; -limit-day has room again in %v", in.Round(time.Minute)+time.Minute)
}

// summary tells a report in one line; what did not happen is left out.
func summary(r retrieval.Report) string {
	s := fmt.Sprintf("%s on the server, %d delivered", count(r.Listed), r.Delivered)
	if r.Delivered > 0 {
		s += fmt.Sprintf(" (%s)", size(r.Bytes))
	}
	return s + listed([]happened{
		{r.HeaderOnly, "of them as headers only"},
		{r.Deleted, "deleted there"},
		{r.Acted, "marked or moved there"},
		{r.Sent, "changed there as here"},
		{r.Held, "missing here, believed if still so in an hour"},
		{r.Reflagged, "got other flags here"},
		{r.Discarded, "removed here"},
		{r.Rematched, "known again"},
		{r.Skipped, "left as they were"},
		{r.Failed, "failed"},
	}) + fmt.Sprintf(" in %.1f s", r.Elapsed.Seconds())
}

// happened is how often something was done.
type happened struct {
	n    int
	what string
}

// listed tells what was done at all.
func listed(all []happened) string {
	s := ""
	for _, h := range all {
		if h.n > 0 {
			s += fmt.Sprintf(", %d %s", h.n, h.what)
		}
	}
	return s
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
