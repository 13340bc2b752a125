package retrieval_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// from tells from which mailboxes there are copies on the shelf.
func (s *shelf) from() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var from []string
	for ref, m := range s.copies {
		from = append(from, ref[:strings.LastIndexByte(ref, ' ')]+":"+subject(m))
	}
	slices.Sort(from)
	return strings.Join(from, " ")
}

func TestMailboxes(t *testing.T) {
	for _, tt := range []struct {
		patterns []string
		want     string
	}{
		{[]string{"*"}, "INBOX:A Lists/Go:C Lists:B Sent:D Work:E"},
		{[]string{"%"}, "INBOX:A Lists:B Sent:D Work:E"},
		{[]string{"inbox", "Lists/%"}, "INBOX:A Lists/Go:C"},
		{[]string{"*", "-Lists*", "Lists/Go", "-Work"}, "INBOX:A Lists/Go:C Sent:D"},
		{[]string{"L%s/*"}, "Lists/Go:C"},
	} {
		t.Run(fmt.Sprint(tt.patterns), func(t *testing.T) {
			quickly(t, nil, func(t *testing.T, q *quick) {
				for name, m := range map[string]string{"Lists": "B", "Lists/Go": "C", "Sent": "D", "Work": "E"} {
					q.server.Create(name)
					q.server.DeliverTo(name, mail(m, 1))
				}
				q.server.Deliver(mail("A", 1))
				q.acct.Mailboxes = tt.patterns
				rep := q.run()
				if got := q.shelf.from(); got != tt.want {
					t.Errorf("delivered %q, want %q", got, tt.want)
				}
				if n := len(rep.Mailboxes); n != len(strings.Fields(tt.want)) || rep.Delivered != n {
					t.Errorf("%+v", rep)
				}
				if _, all := q.server.Sessions(); all != 1 {
					t.Errorf("%d sessions, want 1", all)
				}
			}, retrieval.IMAP)
		})
	}
}

// A mailbox that the server lists twice is gone through once, and reported.
func TestMailboxListedTwice(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Work")
		q.server.Deliver(mail("A", 1))
		q.server.DeliverTo("Work", mail("B", 1))
		q.acct.Mailboxes = []string{"*"}
		q.acct = retrievaltest.Faulty(t, q.acct, retrievaltest.Answer(retrievaltest.AfterCommand("LIST", 1),
			"* LIST () \"/\" INBOX\r\n* LIST () \"/\" Work\r\n* LIST () \"/\" Work\r\n* LIST () \"/\" Inbox\r\nOK done"))
		if rep := q.run(); rep.Listed != 2 || rep.Delivered != 2 || len(rep.Mailboxes) != 2 {
			t.Errorf("%+v, want two delivered", rep)
		}
	}, retrieval.IMAP)
}

// Mailboxes in which nothing has happened are not even opened.
func TestQuietMailboxes(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		for i := range 20 {
			name := fmt.Sprint("Box ", i)
			q.server.Create(name)
			q.server.DeliverTo(name, mail(fmt.Sprint("M", i), 1))
		}
		q.acct.Mailboxes = []string{"*"}
		q.run()
		q.run() // the cursors
		before := len(q.server.Commands())
		if rep := q.run(); rep.Listed != 20 || rep.Skipped != 20 || rep.RoundTrips > 6 {
			t.Errorf("%+v, want 20 listed and skipped in a few round trips", rep)
		}
		for _, c := range q.server.Commands()[before:] {
			if c.Name == "SELECT" {
				t.Errorf("%v", c)
			}
		}
		q.server.DeliverTo("Box 7", mail("NEW", 1))
		if rep := q.run(); rep.Delivered != 1 || rep.Mailboxes["Box 7"].Delivered != 1 {
			t.Errorf("%+v, want the new message", rep)
		}
	}, retrieval.IMAP)
}

// A mailbox that cannot be opened, or that is not there, is an error, and the
// others are gone through.
func TestBadMailbox(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Work")
		q.server.Deliver(mail("A", 1))
		q.server.DeliverTo("Work", mail("B", 1))
		sound := q.acct
		sound.Mailboxes = []string{"*"}
		q.acct = retrievaltest.Faulty(t, sound, retrievaltest.Answer(retrievaltest.AfterCommand("SELECT", 1), "NO [NOPERM] not today"))
		if rep, err := q.try(); err == nil || rep.Delivered != 1 {
			t.Errorf("%+v, %v, want an error and one delivered", rep, err)
		}
		q.acct = sound
		q.acct.Mailboxes = []string{"INBOX", "Wrok"}
		if rep, err := q.try(); !errors.Is(err, retrieval.ErrNoMailbox) || rep.Delivered > 0 {
			t.Errorf("%+v, %v, want ErrNoMailbox before anything is done", rep, err)
		}
	}, retrieval.IMAP)
}

// A connection that is lost in one mailbox is opened again for the next.
func TestMailboxesLostLine(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Work")
		q.server.Deliver(mail("A", 1))
		q.server.DeliverTo("Work", mail("B", 1))
		sound := q.acct
		sound.Mailboxes = []string{"*"}
		q.acct = retrievaltest.Faulty(t, sound, retrievaltest.Cut(retrievaltest.AfterCommand("UID FETCH", 1)))
		if rep, err := q.try(); !errors.Is(err, retrieval.ErrSession) || rep.Delivered != 1 {
			t.Errorf("%+v, %v, want ErrSession and one delivered", rep, err)
		}
		q.acct = sound
		q.run()
		if got := q.shelf.from(); got != "INBOX:A Work:B" {
			t.Errorf("delivered %q", got)
		}
	}, retrieval.IMAP)
}

// With Gmail what is in a mailbox is in that of all mail as well, and comes
// once.
func TestAllMail(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Profile: retrievaltest.Gmail}, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.server.DeliverTo("[Gmail]/All Mail", mail("ARCHIVED", 1))
		q.acct.Mailboxes = []string{"*", `-\Trash`, `-\Junk`}
		for range 3 {
			q.run()
			if got, want := q.shelf.from(), "INBOX:A INBOX:B [Gmail]/All Mail:ARCHIVED"; got != want {
				t.Fatalf("delivered %q, want %q", got, want)
			}
		}
	}, retrieval.IMAP)
}

// A mailbox of all messages that is added later does not bring again what was
// delivered before anybody had asked for the messages' names.
func TestAllMailLater(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Profile: retrievaltest.Gmail}, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.acct.Mailboxes = []string{"INBOX"}
		q.run()
		q.run()
		q.acct.Mailboxes = []string{"*"}
		for range 3 {
			q.run()
			if got, want := q.shelf.from(), "INBOX:A INBOX:B"; got != want {
				t.Fatalf("delivered %q, want %q", got, want)
			}
		}
	}, retrieval.IMAP)
}

// What was moved away after its delivery is not delivered from there.
func TestAfterWithinMailboxes(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Done")
		q.acct.Mailboxes = []string{"*"}
		q.acct.After.MoveTo = "Done"
		q.server.Deliver(mail("A", 1), mail("B", 1))
		for range 3 {
			q.run()
		}
		if got, want := q.shelf.from(), "INBOX:A INBOX:B"; got != want {
			t.Errorf("delivered %q, want %q", got, want)
		}
		q.acct.Mailboxes, q.acct.Mailbox = nil, "Done"
		if rep, err := q.try(); err == nil {
			t.Errorf("%+v, want an error: it is the mailbox to move to", rep)
		}
	}, retrieval.IMAP)
}

// What is still to come from a mailbox, because of a limit or a failure, does
// not come from that of all messages meanwhile.
func TestAllMailMeanwhile(t *testing.T) {
	for name, hinder := range map[string]func(q *quick){
		"limit": func(q *quick) { q.acct.Limits.Messages = 1 },
		"failure": func(q *quick) {
			failed := make(map[string]bool)
			q.shelf.refuse = func(m *retrieval.Message, data string) error {
				if s := subject(data); m.Box.Mailbox == "INBOX" && !failed[s] {
					failed[s] = true
					return retrieval.ErrDeferred
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			quickly(t, &retrievaltest.ServerOptions{Profile: retrievaltest.Gmail}, func(t *testing.T, q *quick) {
				q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
				q.acct.Mailboxes = []string{"*"}
				hinder(q)
				for range 6 {
					q.run()
				}
				if got, want := q.shelf.from(), "INBOX:A INBOX:B INBOX:C"; got != want {
					t.Errorf("delivered %q, want %q", got, want)
				}
			}, retrieval.IMAP)
		})
	}
}
