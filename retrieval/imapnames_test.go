package retrieval_test

import (
	"context"
	"errors"
	"net"
	"regexp"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// fleetingConn is to a server whose UIDs are good for a session.
type fleetingConn struct{ net.Conn }

var validity = regexp.MustCompile(`\[UIDVALIDITY [0-9]+\]`)

func (c fleetingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	copy(p, validity.ReplaceAllFunc(p[:n], func(b []byte) []byte {
		const code = "[UIDNOTSTICKY]"
		return []byte(code + strings.Repeat(".", len(b)-len(code)))
	}))
	return n, err
}

// Where UIDs do not last, Rematch knows messages by their header sections, over
// renumberings without end; two that look the same are not guessed at.
func TestFleetingUIDs(t *testing.T) {
	o := &retrievaltest.ServerOptions{Security: retrieval.Plaintext}
	begin := func(q *quick) {
		sound := q.acct.Dial
		q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := sound(ctx, network, addr)
			return fleetingConn{c}, err
		}
	}
	t.Run("another rule", func(t *testing.T) {
		quickly(t, o, func(t *testing.T, q *quick) {
			begin(q)
			q.server.Deliver(mail("A", 1))
			for _, reset := range []retrieval.Reset{retrieval.Stop, retrieval.Reseed, retrieval.Refetch} {
				q.acct.Reset = reset
				if _, err := q.try(); !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("%v, want errors.ErrUnsupported", err)
				}
			}
		}, retrieval.IMAP)
	})
	t.Run("download and delete", func(t *testing.T) {
		quickly(t, o, func(t *testing.T, q *quick) {
			begin(q)
			q.acct.Reset, q.acct.Policy = retrieval.Rematch, retrieval.DownloadAndDelete
			q.server.Deliver(mail("A", 1), mail("B", 1))
			if rep := q.run(); rep.Delivered != 2 || rep.Deleted != 2 {
				t.Errorf("%+v", rep)
			}
			q.want("A B", "")
		}, retrieval.IMAP)
	})
	t.Run("in step", func(t *testing.T) {
		quickly(t, o, func(t *testing.T, q *quick) {
			q.acct.Reset, q.acct.Policy = retrieval.Rematch, retrieval.ServerSync
			q.server.Deliver(mail("Z", 1), mail("A", 1))
			q.run() // while they lasted
			begin(q)
			for range 3 {
				if rep := q.run(); rep.Delivered != 0 || rep.Listed != 2 {
					t.Errorf("%+v", rep)
				}
				q.server.Renumber()
			}
			q.server.Deliver(mail("M", 1))
			seen := q.server.Contents()[0].UID
			q.server.SetFlags(seen, retrieval.FlagSeen)
			if rep := q.run(); rep.Delivered != 1 || rep.Reflagged != 1 {
				t.Errorf("%+v", rep)
			}
			q.want("A M Z", "A M Z")
			q.server.Delete(q.server.Contents()[1].UID)
			if rep := q.run(); rep.Discarded != 1 {
				t.Errorf("%+v", rep)
			}
			q.want("M Z", "M Z")
			q.server.Deliver(mail("M", 1))
			if _, err := q.try(); !errors.Is(err, retrieval.ErrAmbiguous) {
				t.Errorf("two that look the same: %v, want ErrAmbiguous", err)
			}
			q.want("M Z", "M M Z")
		}, retrieval.IMAP)
	})
}

// A message that another client removes while messages get their names is gone,
// and the others come.
func TestFleetingAndGone(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Security: retrieval.Plaintext}, func(t *testing.T, q *quick) {
		q.acct.Reset = retrieval.Rematch
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
		sound, gone := q.acct.Dial, q.named("B")
		q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := sound(ctx, network, addr)
			return removingConn{fleetingConn{c}, func() { q.server.Delete(gone) }}, err
		}
		if rep := q.run(); rep.Delivered != 2 || rep.Listed != 2 {
			t.Errorf("%+v, want A and C", rep)
		}
		q.want("A C", "A C")
	}, retrieval.IMAP)
}

// One of which the server says nothing, although it is there, is not taken for
// gone: its copy would be removed.
func TestFleetingAndSilent(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Security: retrieval.Plaintext}, func(t *testing.T, q *quick) {
		q.acct.Reset, q.acct.Policy = retrieval.Rematch, retrieval.ServerSync
		sound := q.acct.Dial
		q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := sound(ctx, network, addr)
			return fleetingConn{c}, err
		}
		q.server.Deliver(mail("A", 1))
		q.run()
		silent := retrievaltest.Answer(retrievaltest.AfterCommand("UID FETCH", 2), "OK done") // the first one lists
		if _, err := q.with(retrievaltest.Always(silent)); !errors.Is(err, retrieval.ErrGone) {
			t.Errorf("%v, want an error", err)
		}
		q.want("A", "A")
	}, retrieval.IMAP)
}

// removingConn removes a message before the client asks for header sections.
type removingConn struct {
	fleetingConn
	remove func()
}

func (c removingConn) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "HEADER") {
		c.remove()
	}
	return c.Conn.Write(p)
}
