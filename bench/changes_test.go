package bench

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/servers"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// BenchmarkChanges is what it costs to find out what has happened in a mailbox
// of 100,000 messages: nothing, and then 10 new, 10 flagged and 10 expunged.
// The servers are a Dovecot, and the fake mailbox without QRESYNC and CONDSTORE.
func BenchmarkChanges(b *testing.B) {
	const messages = 100_000
	var msgs [][]byte
	for i := range messages {
		msgs = append(msgs, fmt.Appendf(nil, "From: a@example.com\r\nSubject: %d\r\n\r\nx\r\n", i))
	}
	b.Run("dovecot QRESYNC", func(b *testing.B) {
		d := servers.Start(b, servers.Dovecot, servers.User{Name: user, Password: password})
		d.Deliver(b, user, msgs...)
		dial := func() *imapclient.Client { return login(b, d.IMAP, nil, user, password) }
		changes(b, messages, dial, func(fresh ...[]byte) { d.Deliver(b, user, fresh...) })
	})
	for _, without := range [][]string{{"QRESYNC"}, {"QRESYNC", "CONDSTORE"}} {
		b.Run(fmt.Sprintf("fake without %v", without), func(b *testing.B) {
			s := retrievaltest.NewServer(b, &retrievaltest.ServerOptions{Security: retrieval.Plaintext, Without: without})
			s.Deliver(msgs...)
			a := s.Account(retrieval.IMAP)
			dial := func() *imapclient.Client {
				return login(b, net.JoinHostPort(a.Host, fmt.Sprint(a.Port)), a.Dial, retrievaltest.User, retrievaltest.Password)
			}
			changes(b, messages, dial, s.Deliver)
		})
	}
}

func login(b *testing.B, addr string, dial func(context.Context, string, string) (net.Conn, error), user, password string) *imapclient.Client {
	b.Helper()
	c, err := imapclient.DialPlaintext(b.Context(), addr, &imapclient.Options{Dial: dial, StallTimeout: 5 * time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Login(b.Context(), user, password); err != nil {
		b.Fatal(err)
	}
	return c
}

func changes(b *testing.B, messages int, dial func() *imapclient.Client, deliver func(...[]byte)) {
	c := dial()
	first, err := c.Changes(b.Context(), "INBOX", imapclient.Cursor{}, imapclient.Set{})
	if err != nil || len(first.New) != messages {
		b.Fatal(len(first.New), err)
	}
	c.Close()
	var uids []uint32
	for _, s := range first.New {
		uids = append(uids, s.UID)
	}
	since := first.Cursor
	ask := func(what string) *imapclient.Changes {
		c := dial()
		defer c.Close()
		before, start := c.Stats(), time.Now()
		ch, err := c.Changes(b.Context(), "INBOX", since, imapclient.UIDs(uids...))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(c.Stats().RoundTrips-before.RoundTrips), what+"-trips")
		b.ReportMetric(float64(c.Stats().In-before.In), what+"-octets")
		b.ReportMetric(float64(time.Since(start).Milliseconds()), what+"-ms")
		return ch
	}
	round := 0
	for b.Loop() {
		if ch := ask("nothing"); len(ch.New) > 0 || ch.Vanished.Len() > 0 {
			b.Fatalf("%d new, %d vanished", len(ch.New), ch.Vanished.Len())
		}
		w := dial()
		if _, err := w.Select(b.Context(), "INBOX"); err != nil {
			b.Fatal(err)
		}
		var marked, doomed []uint32
		for i := range 10 {
			marked, doomed = append(marked, uids[i*9000+1]), append(doomed, uids[i*9000+2])
			deliver([]byte("Subject: late\r\n\r\nx\r\n"))
		}
		round++
		for flag, set := range map[string][]uint32{fmt.Sprintf("$round%d", round): marked, `\Deleted`: doomed} {
			if err := w.SetFlags(b.Context(), imapclient.AddFlags, []string{flag}, set...); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Expunge(b.Context(), doomed...); err != nil {
			b.Fatal(err)
		}
		w.Close()
		ch := ask("thirty")
		if len(ch.New) != 10 || ch.Vanished.Len() != 10 || !ch.Partial && len(ch.Changed) != 10 {
			b.Fatalf("%d new, %d changed, %d vanished, want 10 of each", len(ch.New), len(ch.Changed), ch.Vanished.Len())
		}
		uids = slices.DeleteFunc(uids, func(uid uint32) bool { return slices.Contains(doomed, uid) })
		for _, m := range ch.New {
			uids = append(uids, m.UID)
		}
		since = ch.Cursor
	}
}
