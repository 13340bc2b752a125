package retrieval_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// watching runs f while accounts are watched, and ends the watch after it.
func (q *quick) watching(o *retrieval.WatchOptions, accounts []retrieval.Account, f func()) {
	q.t.Helper()
	if accounts == nil {
		accounts = []retrieval.Account{q.acct}
	}
	ctx, stop := context.WithCancelCause(q.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- retrieval.Watch(ctx, &locked{shelf: q.shelf}, q.store, o, accounts...) }()
	f()
	enough := errors.New("enough")
	stop(enough)
	if err := <-ended; err != nil && !errors.Is(err, enough) {
		q.t.Errorf("Watch ended with %v", err)
	}
	synctest.Wait()
	if open, _ := q.server.Sessions(); open > 0 {
		q.t.Errorf("%d sessions are left open", open)
	}
}

// locked is a shelf for several goroutines.
type locked struct {
	mu sync.Mutex
	*shelf
}

func (l *locked) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shelf.Deliver(ctx, m)
}

// New mail comes, over POP3 with the next poll, and over IMAP at once and over
// the connection that is there.
func TestWatch(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.server.Deliver(mail("A", 1))
		q.watching(nil, nil, func() {
			time.Sleep(10 * time.Second)
			q.want("A", "")
			q.server.Deliver(mail("B", 1), mail("C", 1))
			wait := 10 * time.Second
			if q.acct.Protocol == retrieval.POP3 {
				wait = 5 * time.Minute
			}
			time.Sleep(wait)
			q.want("A B C", "")
			time.Sleep(3 * time.Hour)
			q.server.Deliver(mail("D", 1))
			time.Sleep(wait)
			q.want("A B C D", "")
			if _, all := q.server.Sessions(); q.acct.Protocol == retrieval.IMAP && all != 1 {
				t.Errorf("%d sessions, want one", all)
			}
		})
	})
}

// Of a server without IDLE and NOTIFY it is the polls that tell.
func TestWatchByPolling(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Without: []string{"IDLE"}}, func(t *testing.T, q *quick) {
		var how []string
		o := &retrieval.WatchOptions{Poll: time.Minute, Observe: func(e retrieval.Event) {
			if e.Kind == retrieval.Waits {
				how = append(how, e.How)
			}
		}}
		q.watching(o, nil, func() {
			time.Sleep(time.Hour)
			q.server.Deliver(mail("A", 1))
			time.Sleep(70 * time.Second)
			q.want("A", "A")
		})
		if len(how) == 0 || how[0] != "NOOP" {
			t.Errorf("waited by %q, want NOOP", how)
		}
	}, retrieval.IMAP)
}

// News in any of several mailboxes are news.
func TestWatchMailboxes(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Work")
		q.acct.Mailboxes = []string{"*"}
		runs := 0
		o := &retrieval.WatchOptions{Poll: time.Minute, Observe: func(e retrieval.Event) {
			if e.Kind == retrieval.RunEnds {
				runs++
			}
		}}
		q.watching(o, nil, func() {
			time.Sleep(5 * time.Minute)
			q.server.DeliverTo("Work", mail("A", 1))
			time.Sleep(2 * time.Minute)
			if got := q.shelf.from(); got != "Work:A" {
				t.Errorf("delivered %q", got)
			}
			q.server.Deliver(mail("B", 1))
			time.Sleep(2 * time.Minute)
			if got := q.shelf.from(); got != "INBOX:B Work:A" {
				t.Errorf("delivered %q", got)
			}
		})
		if runs > 12 {
			t.Errorf("%d runs in 9 minutes with two messages", runs)
		}
	}, retrieval.IMAP)
}

// A server that hangs up after every login is not logged in to again and again
// without end. F94.
func TestWatchHangingUp(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct = retrievaltest.Faulty(t, q.acct, retrievaltest.Always(retrievaltest.Cut(retrievaltest.AfterCommand(
			map[retrieval.Protocol]string{retrieval.POP3: "UIDL", retrieval.IMAP: "SELECT"}[q.acct.Protocol], 1))))
		q.watching(nil, nil, func() {
			time.Sleep(24 * time.Hour)
			if _, all := q.server.Sessions(); all < 24*4 || all > 24*12 {
				t.Errorf("%d sessions in a day", all)
			}
		})
	})
}

// Nor is one that hangs up as soon as it is waited upon, although each run goes
// well. F90.
func TestWatchNoIdling(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct = retrievaltest.Faulty(t, q.acct, retrievaltest.Always(retrievaltest.Answer(retrievaltest.BeforeCommand("IDLE", 1), "* BYE too many")),
			retrievaltest.Always(retrievaltest.Cut(retrievaltest.AfterCommand("IDLE", 1))))
		q.watching(nil, nil, func() {
			time.Sleep(24 * time.Hour)
			if _, all := q.server.Sessions(); all < 24*4 || all > 24*12 {
				t.Errorf("%d sessions in a day", all)
			}
		})
	}, retrieval.IMAP)
}

// Credentials that are refused are hardly tried again, and work when they do.
func TestWatchRefusedLogin(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.SetPassword("another")
		q.watching(nil, nil, func() {
			time.Sleep(48 * time.Hour)
			_, all := q.server.Sessions()
			if all < 5 || all > 12 {
				t.Errorf("%d logins in two days", all)
			}
			q.server.SetPassword(retrievaltest.Password)
			q.server.Deliver(mail("A", 1))
			time.Sleep(27 * time.Hour)
			q.want("A", "A")
		})
	})
}

// An account that hangs, one that is impossible and one whose sink panics
// disturb nobody, and the last two are given up.
func TestWatchIsolation(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Users: map[string]string{"a": "p", "b": "p", "c": "p", "d": "p"}}, func(t *testing.T, q *quick) {
		user := func(name string) retrieval.Account { return q.server.For(name).Account(q.acct.Protocol) }
		hanging, sound, bad, panicking := user("a"), user("b"), user("c"), user("d")
		hanging = retrievaltest.Faulty(t, hanging, retrievaltest.Always(retrievaltest.Stall(retrievaltest.AtGreeting(), 365*24*time.Hour)))
		bad.Password = nil
		q.server.For("d").Deliver(mail("PANIC", 1))
		q.shelf.refuse = func(m *retrieval.Message, data string) error {
			if strings.Contains(data, "PANIC") {
				panic("a mistake")
			}
			return nil
		}
		given := make(map[string]error)
		var log bytes.Buffer
		o := &retrieval.WatchOptions{PerHost: 2, Log: slog.New(slog.NewTextHandler(&log, nil)), Observe: func(e retrieval.Event) {
			if e.Kind == retrieval.GivenUp {
				given[e.Account] = e.Err
			}
		}}
		q.watching(o, []retrieval.Account{hanging, bad, panicking, sound}, func() {
			time.Sleep(time.Minute)
			for i := range 5 {
				q.server.For("b").Deliver(mail(fmt.Sprint("M", i), 1))
				time.Sleep(10 * time.Minute)
				q.shelf.mustHave(t, fmt.Sprint("M", i))
			}
		})
		if len(given) != 2 || given[bad.Identity()] == nil || given[panicking.Identity()] == nil {
			t.Errorf("given up: %v", given)
		}
		if !strings.Contains(log.String(), "given up") {
			t.Errorf("the log does not tell: %s", log.String())
		}
	})
}

// News do not hurry a run that failed on this side.
func TestWatchFullDisk(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		full := errors.New("the disk is full")
		q.shelf.refuse = func(*retrieval.Message, string) error { return full }
		runs := 0
		o := &retrieval.WatchOptions{Observe: func(e retrieval.Event) {
			if e.Kind == retrieval.RunEnds {
				runs++
			}
		}}
		q.watching(o, nil, func() {
			for i := range 3600 {
				q.server.Deliver(mail(fmt.Sprint("M", i), 1))
				time.Sleep(time.Second)
			}
		})
		if runs < 4 || runs > 60 {
			t.Errorf("%d runs in an hour, in which %d messages came", runs, 3600)
		}
	})
}

// When no account is left, Watch ends and says why.
func TestWatchEnds(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.ServerSync
		if err := retrieval.Watch(t.Context(), q.shelf, q.store, nil, q.acct); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v, want ErrUnsupported", err)
		}
	}, retrieval.POP3)
}

// No more sessions of one host at a time than allowed.
func TestWatchPerHost(t *testing.T) {
	users := make(map[string]string)
	for i := range 12 {
		users[fmt.Sprint("user", i)] = "p"
	}
	quickly(t, &retrievaltest.ServerOptions{Users: users}, func(t *testing.T, q *quick) {
		var accounts []retrieval.Account
		for name := range users {
			q.server.For(name).Deliver(mail("A", 1))
			a := q.server.For(name).Account(q.acct.Protocol)
			accounts = append(accounts, a)
		}
		most := 0
		now := 0
		o := &retrieval.WatchOptions{PerHost: 3, Observe: func(e retrieval.Event) {
			switch e.Kind {
			case retrieval.RunBegins:
				now++
				most = max(most, now)
			case retrieval.RunEnds:
				now--
			}
		}}
		q.shelf.refuse = func(*retrieval.Message, string) error { return nil }
		q.watching(o, accounts, func() { time.Sleep(59 * time.Minute) })
		if most != 3 || len(q.shelf.copies) != 12 {
			t.Errorf("%d at a time, %d delivered; want 3 and 12", most, len(q.shelf.copies))
		}
	}, retrieval.POP3)
}

// An access token that the server does not take any more while it is waited
// for news costs one login with another. F93.
func TestWatchToken(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Users: map[string]string{"joe": "token"}}, func(t *testing.T, q *quick) {
		asked := 0
		q.acct.Password = nil
		q.acct.Token = func(context.Context) (string, error) {
			asked++
			return "token", nil
		}
		q.acct = retrievaltest.Faulty(t, q.acct, retrievaltest.Answer(retrievaltest.BeforeCommand("IDLE", 2), "* BYE Session invalidated - AccessTokenExpired"),
			retrievaltest.Cut(retrievaltest.AfterCommand("IDLE", 2)))
		q.watching(nil, nil, func() {
			time.Sleep(2 * time.Hour)
			q.server.Deliver(mail("A", 1))
			time.Sleep(time.Minute)
			q.want("A", "A")
		})
		if asked != 2 {
			t.Errorf("asked for %d tokens, want 2", asked)
		}
	}, retrieval.IMAP)
}

// A server that wants an hour between two logins gets it.
func TestWatchLoginDelay(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		capa := "+OK\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN\r\nPIPELINING\r\nLOGIN-DELAY 3600\r\n."
		q.acct = retrievaltest.Faulty(t, q.acct, retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("CAPA", 1), capa)),
			retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("CAPA", 2), capa)))
		q.watching(nil, nil, func() {
			time.Sleep(10*time.Hour + time.Minute)
			if _, all := q.server.Sessions(); all != 11 {
				t.Errorf("%d sessions in ten hours, want one at first and one an hour", all)
			}
		})
	}, retrieval.POP3)
}

// What a limit leaves to later runs does not wait for news.
func TestWatchLimits(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Limits.Messages = 1
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
		q.watching(nil, nil, func() {
			time.Sleep(11 * time.Minute)
			q.want("A B C", "A B C")
		})
	})
}
