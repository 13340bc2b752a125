package imapclient_test

import (
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

// A server that tells of ever more mailboxes is kept in mind up to a bound, and
// that is told.
func TestWatchBounds(t *testing.T) {
	const names, size = 800, 60_000 // 48 MB
	for _, tt := range []struct{ name, form string }{
		{"STATUS", "S: * STATUS \"%s\" (MESSAGES 1)"},
		{"LIST", "S: * LIST () \"/\" \"%s\""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script := []string{"C: n1 NOTIFY SET …"}
			for i := range names {
				script = append(script, fmt.Sprintf(tt.form, fmt.Sprint(i)+strings.Repeat("x", size)))
			}
			script = append(script, "S: n1 OK")
			watching(t, "NOTIFY", lines(script...), &imapclient.WatchOptions{All: true}, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
				n, err := w.Wait(t.Context())
				if kept := len(n.Mailboxes) + len(n.Listed); err != nil || !n.Lost || kept < 500 || kept > 600 {
					t.Errorf("%d mailboxes, lost is %t, %v; want those that 32 MiB hold", kept, n.Lost, err)
				}
			})
		})
	}
}

// A server may end an IDLE while DONE is on the way, which is no command then.
func TestDoneTooLate(t *testing.T) {
	c := selected(t, "IDLE", lines("C: i1 IDLE", "S: + idling", "S: * 5 EXISTS", "C: DONE", "S: i1 OK timeout", "S: DONE BAD what is that?", "C: i2 NOOP", "S: i2 OK"))
	if a, err := c.Idle(t.Context(), 0); err != nil || a.Arrived != 1 {
		t.Errorf("Idle = %+v, %v", a, err)
	}
	_, err := c.Noop(t.Context())
	wants(t, "Noop", err, nil)
}

// All mailboxes cannot be watched together with more names than a line holds.
func TestWatchTooMany(t *testing.T) {
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprint("mailbox ", i))
	}
	c := selected(t, "NOTIFY IDLE", "")
	if _, err := c.Watch(t.Context(), &imapclient.WatchOptions{All: true, Mailboxes: many}); err == nil {
		t.Error("Watch watches less than it was asked for, and does not say so")
	}
	if _, err := c.Watch(t.Context(), &imapclient.WatchOptions{Mailboxes: many}); err != nil {
		t.Errorf("Watch of many = %v", err)
	}
}
