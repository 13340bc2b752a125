package retrievaltest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/retrieval"
	rt "example.com/postbag/retrieval/retrievaltest"
)

// inbox is a sink in memory, and the store with it: what one run leaves to the
// next.
type inbox struct {
	retrieval.Memory
	got []string
}

func (b *inbox) Deliver(_ context.Context, m *retrieval.Message) (string, error) {
	data, err := io.ReadAll(m)
	if err != nil {
		return "", err
	}
	if !slices.Contains(b.got, string(data)) { // the test's messages are all different
		b.got = append(b.got, string(data))
	}
	return "", nil
}

func (b *inbox) run(t *testing.T, a retrieval.Account) error {
	_, err := retrieval.Run(t.Context(), a, b, &b.Memory)
	return err
}

// wantAll fails unless each message is here and none on the server.
func (b *inbox) wantAll(t *testing.T, m *maildrop, msgs [][]byte) {
	t.Helper()
	var want []string
	for _, msg := range msgs {
		want = append(want, string(msg))
	}
	slices.Sort(want)
	slices.Sort(b.got)
	if !slices.Equal(b.got, want) {
		t.Fatalf("delivered are %d messages, want %d", len(b.got), len(want))
	}
	if n := m.count(); n != 0 {
		t.Fatalf("%d messages are left on the server", n)
	}
}

// TestFaultyEverywhere lets the connection end at every command in each way,
// and at many octets, and lets a clean run follow.
func TestFaultyEverywhere(t *testing.T) {
	points := map[string]func(n int) rt.Point{
		"before command": func(n int) rt.Point { return rt.BeforeCommand("", n+1) },
		"after command":  func(n int) rt.Point { return rt.AfterCommand("", n+1) },
		"within reply":   func(n int) rt.Point { return rt.WithinReply("", n+1, 5) },
		"received":       func(n int) rt.Point { return rt.AfterReceived(int64(n * 97)) },
		"sent":           func(n int) rt.Point { return rt.AfterSent(int64(n * 13)) },
	}
	for kind, o := range inMemory {
		for _, p := range bothProtocols {
			t.Run(fmt.Sprintf("%s %s", p, kind), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { // where a stall takes no time
					m := newMaildrop(t, p, &o)
					for name, point := range points {
						if n := m.endAt(t, point); n < 6 {
							t.Errorf("%s: only %d points", name, n)
						}
					}
				})
			})
		}
	}
}

// endAt lets the connection end at one point after the other, and returns how
// many there are.
func (m *maildrop) endAt(t *testing.T, point func(n int) rt.Point) int {
	for n := 0; ; n++ {
		f := rt.Cut(point(n))
		switch n % 3 {
		case 1:
			f = rt.Reset(point(n))
		case 2:
			f = rt.Stall(point(n), 0)
		}
		msgs := mails(3)
		m.Deliver(msgs...)
		b := new(inbox)
		err := b.run(t, rt.Faulty(t, m.account, f))
		struck := f.Struck() > 0
		if err != nil && (!struck || !errors.Is(err, retrieval.ErrUnavailable)) {
			t.Fatalf("%s, struck: %v: %v, want ErrUnavailable", f, struck, err)
		}
		if err := b.run(t, m.account); err != nil {
			t.Fatalf("after %s: %v", f, err)
		}
		b.wantAll(t, m, msgs)
		if !struck {
			return n
		}
	}
}

// TestFaultyCommit is the difference between a commit that the server has not
// heard of and one whose confirmation is lost.
func TestFaultyCommit(t *testing.T) {
	commit := map[retrieval.Protocol]string{retrieval.POP3: "QUIT", retrieval.IMAP: "UID EXPUNGE"}
	each(t, func(t *testing.T, m *maildrop) {
		command := commit[m.account.Protocol]
		for _, tt := range []struct {
			fault *rt.Fault
			left  int
		}{
			{rt.Cut(rt.BeforeCommand(command, 1)), 3},
			{rt.Cut(rt.AfterCommand(command, 1)), 0},
			{rt.Answer(rt.AfterCommand(command, 1), map[string]string{"QUIT": "-ERR sorry", "UID EXPUNGE": "NO sorry"}[command]), 0},
			{rt.Answer(rt.BeforeCommand(command, 1), map[string]string{"QUIT": "-ERR sorry", "UID EXPUNGE": "NO sorry"}[command]), 3},
		} {
			rt.MustStrike(t, tt.fault)
			msgs := mails(3)
			m.Deliver(msgs...)
			b := new(inbox)
			if err := b.run(t, rt.Faulty(t, m.account, tt.fault)); !errors.Is(err, retrieval.ErrUncommitted) {
				t.Fatalf("%s: %v, want ErrUncommitted", tt.fault, err)
			}
			if n := m.count(); n != tt.left {
				t.Fatalf("%s: %d messages left on the server, want %d", tt.fault, n, tt.left)
			}
			if err := b.run(t, m.account); err != nil {
				t.Fatal(err)
			}
			b.wantAll(t, m, msgs)
		}
	})
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		protocol retrieval.Protocol
		fault    *rt.Fault
		want     error
	}{
		{retrieval.POP3, rt.Answer(rt.AtGreeting(), "-ERR [SYS/TEMP] not now"), retrieval.ErrUnavailable},
		{retrieval.POP3, rt.Answer(rt.AfterCommand("PASS", 1), "-ERR [IN-USE] busy"), retrieval.ErrUnavailable},
		{retrieval.POP3, rt.Answer(rt.BeforeCommand("PASS", 1), "-ERR [AUTH] no"), retrieval.ErrAuth},
		{retrieval.POP3, rt.Answer(rt.AfterCommand("UIDL", 1), "+OK\r\n1 same\r\n2 same\r\n3 c\r\n."), retrieval.ErrAmbiguous},
		{retrieval.POP3, rt.Inject(rt.AfterCommand("UIDL", 1), "\x16\x03\x01 garbage\r\n"), retrieval.ErrProtocol},
		{retrieval.POP3, rt.Flood(rt.WithinReply("UIDL", 1, 5), "x", 10<<20), retrieval.ErrProtocol},
		{retrieval.IMAP, rt.Answer(rt.AtGreeting(), "* BYE not now"), retrieval.ErrUnavailable},
		{retrieval.IMAP, rt.Answer(rt.BeforeCommand("SELECT", 1), "NO [NONEXISTENT] what?"), retrieval.ErrNoMailbox},
		{retrieval.IMAP, rt.Answer(rt.AtGreeting(), "HTTP/1.1 400 Bad Request"), retrieval.ErrProtocol},
		{retrieval.IMAP, rt.Flood(rt.AfterCommand("SELECT", 1), "* OK [", 10<<20), retrieval.ErrProtocol},
	} {
		t.Run(fmt.Sprintf("%s %s", tt.protocol, tt.fault), func(t *testing.T) {
			m := newMaildrop(t, tt.protocol, nil)
			m.Deliver(mails(3)...)
			rt.MustStrike(t, tt.fault)
			if err := new(inbox).run(t, rt.Faulty(t, m.account, tt.fault)); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if n := m.count(); n != 3 {
				t.Errorf("%d messages left on the server, want 3", n)
			}
		})
	}
}

func TestWhichConnection(t *testing.T) {
	s := &scripted{greeting: pop3Greeting, script: pop3Script}
	for _, tt := range []struct {
		fault *rt.Fault
		want  []string
	}{
		{rt.Refuse(), []string{"refused", "ok", "ok"}},
		{rt.OnConnection(2, rt.Cut(rt.AfterReceived(1))), []string{"ok", "+", "ok"}},
		{rt.Always(rt.Cut(rt.AfterReceived(1))), []string{"+", "+", "+"}},
	} {
		dial := rt.WithFaults(s.dial, tt.fault)
		var got []string
		for range tt.want {
			c, err := dial(t.Context(), "tcp", "x:1")
			if err != nil {
				got = append(got, "refused")
				continue
			}
			c.SetDeadline(time.Now().Add(time.Minute))
			p := make([]byte, len(pop3Greeting))
			n, _ := io.ReadFull(c, p)
			c.Close()
			if p = p[:n]; string(p) == pop3Greeting {
				p = []byte("ok")
			}
			got = append(got, string(p))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.fault, got, tt.want)
		}
		strikes := 0
		for _, g := range got {
			if g != "ok" {
				strikes++
			}
		}
		if tt.fault.Struck() != strikes {
			t.Errorf("%s: struck %d times, want %d", tt.fault, tt.fault.Struck(), strikes)
		}
	}
}

// TestMustStrike is about a test that believes it has seen a fault.
func TestMustStrike(t *testing.T) {
	f := rt.Cut(rt.BeforeCommand("XYZZY", 1))
	tb := &fakeTB{TB: t}
	rt.MustStrike(tb, f)
	tb.cleanup()
	if want := "the fault never happened: cut before XYZZY no. 1"; !bytes.Contains(tb.log.Bytes(), []byte(want)) {
		t.Errorf("logged %q, want %q", &tb.log, want)
	}
}

type fakeTB struct {
	testing.TB
	cleanup func()
	log     bytes.Buffer
}

func (f *fakeTB) Cleanup(c func()) { f.cleanup = c }

func (f *fakeTB) Errorf(format string, args ...any) { fmt.Fprintf(&f.log, format, args...) }
