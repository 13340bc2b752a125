package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

func bounce(address, action string) []byte {
	return fmt.Appendf(nil, "From: MAILER-DAEMON@example.com\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n"+
		"--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"+
		"Reporting-MTA: dns; mail.example.com\r\n\r\nFinal-Recipient: rfc822; %s\r\nAction: %s\r\nStatus: 5.1.1\r\n\r\n--b--\r\n", address, action)
}

// marks collects addresses.
type marks []string

func (m *marks) mark(address string) error { *m = append(*m, address); return nil }

// world is a mailbox with two bounces for good, one for now, and something
// else, and an account on it.
func world(t *testing.T, p retrieval.Protocol) (*retrievaltest.Server, retrieval.Account) {
	s := retrievaltest.NewServer(t, nil)
	s.Deliver(bounce("a@example.org", "failed"), bounce("b@example.org", "delayed"), []byte("Subject: lunch?\r\n\r\nToday?\r\n"), bounce("c@example.org", "Failed"))
	return s, s.Account(p)
}

func each(t *testing.T, test func(t *testing.T, p retrieval.Protocol)) {
	for _, p := range []retrieval.Protocol{retrieval.POP3, retrieval.IMAP} {
		t.Run(string(p), func(t *testing.T) { test(t, p) })
	}
}

func TestBounces(t *testing.T) {
	each(t, func(t *testing.T, p retrieval.Protocol) {
		s, account := world(t, p)
		var got marks
		if err := readBounces(t.Context(), account, new(retrieval.Memory), got.mark); err != nil {
			t.Fatal(err)
		}
		if want := (marks{"a@example.org", "c@example.org"}); !slices.Equal(got, want) {
			t.Errorf("marked %q, want %q", got, want)
		}
		if n := len(s.Contents()); n != 0 {
			t.Errorf("%d messages are left", n)
		}
	})
}

// The line is cut before the deletions are made: nothing is marked again.
func TestCutBeforeCommit(t *testing.T) {
	each(t, func(t *testing.T, p retrieval.Protocol) {
		s, account := world(t, p)
		point := retrievaltest.BeforeCommand("QUIT", 1)
		if p == retrieval.IMAP {
			point = retrievaltest.BeforeCommand("UID STORE", 1)
		}
		cut := retrievaltest.Cut(point)
		retrievaltest.MustStrike(t, cut)
		var got marks
		store := new(retrieval.Memory)
		if err := readBounces(t.Context(), retrievaltest.Faulty(t, account, cut), store, got.mark); !errors.Is(err, retrieval.ErrUncommitted) {
			t.Errorf("%v, want ErrUncommitted", err)
		}
		if n := len(s.Contents()); n != 4 {
			t.Errorf("%d messages are left, want all 4", n)
		}
		if err := readBounces(t.Context(), account, store, got.mark); err != nil {
			t.Fatal(err)
		}
		if want := (marks{"a@example.org", "c@example.org"}); !slices.Equal(got, want) {
			t.Errorf("marked %q, want each once: %q", got, want)
		}
		if n := len(s.Contents()); n != 0 {
			t.Errorf("%d messages are left", n)
		}
	})
}

// A line that is cut within a message marks nothing of it, and loses nothing.
func TestCutWithinMessage(t *testing.T) {
	each(t, func(t *testing.T, p retrieval.Protocol) {
		_, account := world(t, p)
		command := "RETR"
		if p == retrieval.IMAP {
			command = "UID FETCH"
		}
		cut := retrievaltest.Cut(retrievaltest.WithinReply(command, 1, 350))
		retrievaltest.MustStrike(t, cut)
		var got marks
		store := new(retrieval.Memory)
		if err := readBounces(t.Context(), retrievaltest.Faulty(t, account, cut), store, got.mark); err == nil {
			t.Error("a cut line is no error")
		}
		if err := readBounces(t.Context(), account, store, got.mark); err != nil {
			t.Fatal(err)
		}
		slices.Sort(got) // what has failed comes last
		if want := (marks{"a@example.org", "c@example.org"}); !slices.Equal(slices.Compact(got), want) {
			t.Errorf("marked %q, want %q", got, want)
		}
	})
}
