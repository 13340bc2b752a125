package imapclient_test

import (
	"errors"
	"testing"

	"example.com/postbag/imapclient"
)

// A server that asks to be left alone is, also if it might send half as much.
func TestThrottled(t *testing.T) {
	const end = "BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds"
	check := func(n int, last error) {
		t.Helper()
		me, e := (*imapclient.MessageError)(nil), (*imapclient.Error)(nil)
		if n != 1 || errors.As(last, &me) || !errors.As(last, &e) || e.RetryAfter == 0 {
			t.Errorf("%d messages, %v, want one and what the server says", n, last)
		}
	}
	c := examined(t, lines(fetch12, b64("* 1 FETCH (UID 1 BODY[] {2}\r\nab)\r\n"), "S: a1 "+end, "C: a2 UID FETCH 1:3 (UID FLAGS)", "S: * 1 FETCH (UID 1 FLAGS ())", "S: a2 "+end, "C: a3 NOOP", "S: a3 OK"))
	f := fetchAll(t, c, 1, 2)
	check(len(f.bodies)+len(f.gone), f.last)
	n := 0
	var last error
	for _, err := range c.Fetch(t.Context(), imapclient.Range(1, 3), imapclient.Items{Flags: true}) {
		if last = err; err == nil {
			n++
		}
	}
	check(n, last)
	_, err := c.Noop(t.Context())
	wants(t, "Noop", err, nil)
}

// CLOSE would remove messages from a mailbox that a server opens for writing
// although it should for reading.
func TestUnselectNeverWrites(t *testing.T) {
	c := authed(t, "", lines("C: a1 SELECT INBOX", "S: a1 OK [READ-WRITE] done", "C: a2 EXAMINE INBOX", "S: a2 OK [READ-WRITE] done", "C: a3 NOOP", "S: a3 OK"))
	if _, err := c.Select(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	wants(t, "Unselect", c.Unselect(t.Context()), errors.ErrUnsupported)
	_, err := c.Noop(t.Context())
	wants(t, "Noop", err, nil)
}
