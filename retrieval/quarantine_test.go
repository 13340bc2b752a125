package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/postbag/message"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// A message over which the server hangs up each time does not keep the others
// from coming, and is tried again less and less often. F58.
func TestPoison(t *testing.T) {
	t.Run("retrieved", func(t *testing.T) { poison(t, retrieval.Filter{}) })
	t.Run("asked about", func(t *testing.T) {
		poison(t, retrieval.Filter{Envelope: func(_ retrieval.Summary, e *message.Envelope) bool { return true }})
	})
}

func poison(t *testing.T, filter retrieval.Filter) {
	o := &retrievaltest.ServerOptions{Security: retrieval.Plaintext}
	quickly(t, o, func(t *testing.T, q *quick) {
		q.acct.Policy, q.acct.Filter = retrieval.DownloadAndDelete, filter
		q.server.Deliver(mail("A", 1), mail("POISON", 1), mail("C", 1))
		sound := q.acct.Dial
		q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := sound(ctx, network, addr)
			return &allergicConn{c, "Subject: POISON"}, err
		}
		for n := range 3 {
			if _, err := q.try(); !errors.Is(err, retrieval.ErrSession) {
				t.Fatalf("run %d: %v, want ErrSession", n, err)
			}
			if filter.Envelope == nil {
				q.shelf.mustHave(t, "A")
			}
		}
		if rep := q.run(); rep.Quarantined != 1 {
			t.Errorf("%+v, want one in quarantine", rep)
		}
		q.want("A C", "POISON")
		q.acct.Dial = sound
		time.Sleep(59 * time.Minute)
		q.run()
		q.want("A C", "POISON")
		time.Sleep(2 * time.Minute)
		q.run()
		q.want("A C POISON", "")
	})
}

// A server that hangs up over a command before it has sent anything of it does
// not tell over which of its messages. That is found, and all others come.
func TestPoisonedCommand(t *testing.T) {
	o := &retrievaltest.ServerOptions{Security: retrieval.Plaintext}
	quickly(t, o, func(t *testing.T, q *quick) {
		const all, bad = 500, 300
		for n := range all {
			q.server.Deliver(mail(strconv.Itoa(n+1), 1))
		}
		sound := q.acct.Dial
		q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := sound(ctx, network, addr)
			return &poisonedConn{c, bad}, err
		}
		var got []int
		for n := range 3 {
			if _, err := q.try(); !errors.Is(err, retrieval.ErrSession) {
				t.Fatalf("run %d: %v, want ErrSession", n, err)
			}
			got = append(got, len(q.shelf.copies))
		}
		rep := q.run()
		if got = append(got, len(q.shelf.copies)); got[3] != all-1 || rep.Quarantined != 1 {
			t.Errorf("after each run there are %d messages, and at last %+v; want all but one, which is in quarantine", got, rep)
		}
		if got[0] >= got[1] || got[1] >= got[2] {
			t.Errorf("after each run there are %d messages, want more each time", got)
		}
		q.acct.Dial = sound
		time.Sleep(2 * time.Hour)
		q.run()
		q.shelf.mustHave(t, strconv.Itoa(bad))
	}, retrieval.IMAP)
}

// poisonedConn hangs up instead of answering a command that asks for a message,
// as soon as the commands before it are answered.
type poisonedConn struct {
	net.Conn
	uid uint64
}

func (c *poisonedConn) Write(p []byte) (int, error) {
	f := strings.Fields(string(p))
	if len(f) < 4 || f[2] != "FETCH" || !strings.Contains(string(p), "BODY.PEEK[]") {
		return c.Conn.Write(p)
	}
	for part := range strings.SplitSeq(f[3], ",") {
		from, to, ok := strings.Cut(part, ":")
		if !ok {
			to = from
		}
		first, _ := strconv.ParseUint(from, 10, 32)
		last, _ := strconv.ParseUint(to, 10, 32)
		if first <= c.uid && c.uid <= last {
			_, err := fmt.Fprintf(c.Conn, "%s LOGOUT\r\n", f[0])
			return len(p), err
		}
	}
	return c.Conn.Write(p)
}

// allergicConn breaks when something is received.
type allergicConn struct {
	net.Conn
	to string
}

func (c *allergicConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if i := strings.Index(string(p[:n]), c.to); i >= 0 {
		c.Close()
		return i, nil
	}
	return n, err
}

// What a sink rejects waits a day, what it defers comes back with the next
// run, and the others go on. Neither is deleted.
func TestRefusingSink(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.server.Deliver(mail("A", 1), mail("REJECT", 1), mail("DEFER", 1), mail("D", 1))
		q.shelf.refuse = func(m *retrieval.Message, data string) error {
			switch {
			case strings.Contains(data, "REJECT"):
				return fmt.Errorf("no such user: %w", retrieval.ErrRejected)
			case strings.Contains(data, "DEFER"):
				return fmt.Errorf("greylisted: %w", retrieval.ErrDeferred)
			}
			return nil
		}
		rep := q.run()
		if rep.Failed != 2 || rep.Delivered != 2 || rep.Deleted != 2 {
			t.Errorf("%+v", rep)
		}
		q.want("A D", "DEFER REJECT")
		q.shelf.refuse = nil
		q.run()
		q.want("A D DEFER", "REJECT")
		days(1.1)
		q.run()
		q.want("A D DEFER REJECT", "")
	})
}

// An error of the sink that is not about one message ends the run.
func TestFullSink(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
		q.shelf.refuse = func(m *retrieval.Message, data string) error {
			if strings.Contains(data, "Subject: B") {
				return errors.New("disk full")
			}
			return nil
		}
		if _, err := q.try(); !errors.Is(err, retrieval.ErrSink) {
			t.Errorf("%v, want ErrSink", err)
		}
		q.want("A", "A B C")
		q.shelf.refuse = nil
		q.run()
		q.want("A B C", "A B C")
	})
}

// mustHave fails unless a message is on the shelf once.
func (s *shelf) mustHave(t *testing.T, want string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, m := range s.copies {
		if subject(m) == want {
			n++
		}
	}
	if n != 1 {
		t.Fatalf("%s is on the shelf %d times", want, n)
	}
}

// A message that has failed before, and whose delivery a crash then interrupts,
// is found like any other.
func TestCrashAfterFailure(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		f := &seeker{shelf: q.shelf}
		q.server.Deliver(mail("A", 1))
		q.shelf.refuse = func(*retrieval.Message, string) error { return retrieval.ErrDeferred }
		q.into(f)
		q.shelf.refuse = nil
		q.crashed(f, "A")
		if rep := q.into(f); rep.Delivered > 0 {
			t.Errorf("%+v, want none delivered again", rep)
		}
		q.want("A", "A")
	})
}

// A Tee does not deliver again to those who have it, also if the others have
// put it off.
func TestTeeAfterDeferral(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		one, two := &seeker{shelf: newShelf()}, &seeker{shelf: newShelf()}
		q.server.Deliver(mail("A", 1))
		two.refuse = func(*retrieval.Message, string) error { return retrieval.ErrDeferred }
		for range 5 {
			q.into(retrieval.Tee(one, two))
		}
		two.refuse = nil
		days(2)
		q.into(retrieval.Tee(one, two))
		if got := one.subjects() + "|" + two.subjects(); got != "A|A" {
			t.Errorf("the sinks have %q, want A in each", got)
		}
	})
}

// What the server cannot send is put into quarantine, also when another
// message was the first to arrive.
func TestUnsendable(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1), mail("B", 1))
		sound := q.acct
		for range 3 {
			q.acct = retrievaltest.Faulty(t, sound, retrievaltest.Answer(retrievaltest.BeforeCommand("RETR", 1), "-ERR it is damaged"))
			q.run()
		}
		q.acct = sound
		if rep := q.run(); rep.Quarantined != 1 {
			t.Errorf("%+v, want one in quarantine", rep)
		}
		q.want("B", "A B")
	}, retrieval.POP3)
}

// A clock that was far ahead when a message failed does not keep it in
// quarantine for years.
func TestQuarantineAfterJump(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1))
		q.shelf.refuse = func(*retrieval.Message, string) error { return retrieval.ErrRejected }
		q.run()
		q.shelf.refuse = nil
		for _, rec := range q.state().Records {
			rec.Retry = rec.Retry.AddDate(20, 0, 0)
			q.put(rec)
		}
		q.run()
		q.want("A", "A")
	})
}
