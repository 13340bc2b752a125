package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// A server that dies over what it is to list of one message is listed without
// that: the message is known by its flags, and the others come. Whether it can
// be retrieved is another question.
func TestPoisonedListing(t *testing.T) {
	const unlike = 3456 // octets in the poison
	poison := mail("POISON", unlike)
	size := fmt.Sprintf("RFC822.SIZE %d", len(poison))
	o := &retrievaltest.ServerOptions{Security: retrieval.Plaintext}
	for _, tt := range []struct {
		name      string
		to        string // what the server dies over
		policy    retrieval.Policy
		mailboxes []string
		delivered int
		failed    int
		here      string
		there     string
	}{
		{"its size", size, retrieval.LeaveOnServer, nil, 4, 1, "A B D E", "A B D E POISON"},
		{"its size, and the others are deleted", size, retrieval.DownloadAndDelete, nil, 4, 1, "A B D E", "POISON"},
		{"its size, but in a listing only", size + ")", retrieval.DownloadAndDelete, nil, 5, 0, "A B D E POISON", ""},
		{"one of several mailboxes", size, retrieval.LeaveOnServer, []string{"*"}, 4, 1, "A B D E", "A B D E POISON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			quickly(t, o, func(t *testing.T, q *quick) {
				q.acct.Policy, q.acct.Retries, q.acct.Mailboxes = tt.policy, 2, tt.mailboxes
				q.server.Deliver(mail("A", 1), mail("B", 1), poison, mail("D", 1), mail("E", 1))
				sound := q.acct.Dial
				q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					c, err := sound(ctx, network, addr)
					return &allergicConn{c, tt.to}, err
				}
				rep := q.run()
				if rep.Listed != 5 && tt.mailboxes == nil || rep.Delivered != tt.delivered || rep.Failed != tt.failed {
					t.Errorf("%+v", rep)
				}
				for _, err := range rep.Failures {
					if one := (*retrieval.MessageError)(nil); !errors.As(err, &one) || !strings.HasSuffix(string(one.UID), ".3") {
						t.Errorf("%v, want the third message's", err)
					}
				}
				q.want(tt.here, tt.there)
				q.acct.Dial = sound
				time.Sleep(2 * time.Hour)
				q.run()
				if !strings.Contains(q.shelf.subjects(), "POISON") {
					t.Errorf("here is %q", q.shelf.subjects())
				}
			}, retrieval.IMAP)
		})
	}
}

// Without retries, a listing that loses the server is the end.
func TestPoisonedListingWithoutRetries(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Security: retrieval.Plaintext}, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1), mail("B", 3456))
		sound := q.acct.Dial
		q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := sound(ctx, network, addr)
			return &allergicConn{c, fmt.Sprintf("RFC822.SIZE %d", len(mail("B", 3456)))}, err
		}
		hung := (*imapclient.HangUpError)(nil)
		if _, err := q.try(); !errors.Is(err, retrieval.ErrSession) || !errors.As(err, &hung) {
			t.Errorf("%v, want ErrSession", err)
		}
		if _, all := q.server.Sessions(); all != 1 {
			t.Errorf("%d sessions, want one", all)
		}
	}, retrieval.IMAP)
}

// A message whose flags cannot be had either is not taken for gone, nor for one
// without flags.
func TestPoisonedFlags(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Security: retrieval.Plaintext}, func(t *testing.T, q *quick) {
		q.acct.Policy, q.acct.Retries = retrieval.ServerSync, 1
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
		q.run()
		sound := q.acct
		q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := sound.Dial(ctx, network, addr)
			return &allergicConn{c, "UID 2 FLAGS"}, err
		}
		q.store = &aimless{q.store}
		if _, err := q.try(); err == nil {
			t.Error("no error")
		}
		q.want("A B C", "A B C")
	}, retrieval.IMAP)
}

// aimless is a store that loses where changes are to be counted from.
type aimless struct{ retrieval.Store }

func (s *aimless) Open(ctx context.Context, box retrieval.Box) (retrieval.Page, error) {
	p, err := s.Store.Open(ctx, box)
	return aimlessPage{p}, err
}

type aimlessPage struct{ retrieval.Page }

func (p aimlessPage) Load(ctx context.Context) (retrieval.State, error) {
	st, err := p.Page.Load(ctx)
	st.Cursor = nil
	return st, err
}

// A new message over which the server dies when it tells of changes is found by
// a listing.
func TestPoisonedChanges(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Security: retrieval.Plaintext}, func(t *testing.T, q *quick) {
		q.acct.Policy, q.acct.Retries = retrieval.ServerSync, 1
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.run()
		poison := mail("POISON", 3456)
		q.server.Deliver(poison, mail("D", 1))
		sound := q.acct.Dial
		q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := sound(ctx, network, addr)
			return &allergicConn{c, fmt.Sprintf("RFC822.SIZE %d", len(poison))}, err
		}
		rep := q.run()
		if rep.Delivered != 1 || rep.Failed != 1 {
			t.Errorf("%+v", rep)
		}
		q.want("A B D", "A B D POISON")
	}, retrieval.IMAP)
}

// A Watch goes on, too, and so it does in several mailboxes.
func TestPoisonedListingWatched(t *testing.T) {
	poison := mail("POISON", 3456)
	for _, mailboxes := range [][]string{nil, {"*"}} {
		quickly(t, &retrievaltest.ServerOptions{Security: retrieval.Plaintext}, func(t *testing.T, q *quick) {
			q.acct.Mailboxes = mailboxes
			q.server.Deliver(mail("A", 1), poison, mail("C", 1))
			sound := q.acct.Dial
			q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := sound(ctx, network, addr)
				return &allergicConn{c, fmt.Sprintf("RFC822.SIZE %d", len(poison))}, err
			}
			q.watching(nil, nil, func() {
				time.Sleep(30 * time.Minute)
				q.want("A C", "A C POISON")
				q.server.Deliver(mail("D", 1))
				time.Sleep(time.Hour)
				q.want("A C D", "A C D POISON")
			})
		}, retrieval.IMAP)
	}
}
