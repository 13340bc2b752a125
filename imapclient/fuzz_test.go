package imapclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"example.com/postbag/imapclient"
)

// octets is a server that says what it has to say, whatever it hears.
type octets struct{ io.Reader }

func (octets) Write(p []byte) (int, error)      { return len(p), nil }
func (octets) Close() error                     { return nil }
func (octets) LocalAddr() net.Addr              { return nil }
func (octets) RemoteAddr() net.Addr             { return nil }
func (octets) SetDeadline(time.Time) error      { return nil }
func (octets) SetReadDeadline(time.Time) error  { return nil }
func (octets) SetWriteDeadline(time.Time) error { return nil }

// FuzzSession: whatever a server says, a session ends in results or errors:
// no panic, no hang, and no message that is not whole.
func FuzzSession(f *testing.F) {
	const preauth, login, selected = "* PREAUTH [CAPABILITY IMAP4rev1 UIDPLUS IDLE] hi\r\n", "* OK [CAPABILITY IMAP4rev1] hi\r\nA1 OK [CAPABILITY IMAP4rev1 UIDPLUS IDLE] in\r\n",
		"* 3 EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 7] v\r\nT1 OK [READ-WRITE] done\r\n"
	for _, s := range []string{
		preauth + selected + "* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 3)\r\nA1 OK\r\n" +
			"* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n* 2 FETCH (BODY[] \"x\" UID 2)\r\nA2 OK\r\nT2 OK\r\nT3 OK\r\n* LIST () \"/\" a\r\nT4 OK\r\n+ idling\r\n* 4 EXISTS\r\nA3 OK\r\n* BYE\r\nA4 OK\r\n",
		login + selected + "* 1 FETCH (UID 1 BODY[] NIL)\r\nA2 NO [SERVERBUG] x\r\n",
		"* BYE go\r\n", "* OK [CAPABILITY (\r\n", "+OK\r\n",
		preauth + selected + "* 1 FETCH (UID 1 BODYSTRUCTURE ((((((\"a\" {3}\r\nabc)\r\nA1 OK\r\n",
		"* STATUS a (MESSAGES 1)\r\nA1 OK\r\n+ idling\r\n* 2 EXISTS\r\n* LIST (\\NonExistent) NIL a\r\nA2 OK\r\n+ idling\r\n* OK [NOTIFICATIONOVERFLOW] x\r\nA3 OK\r\n+ idling\r\n* 1 EXPUNGE\r\nA4 OK\r\nA5 OK\r\n",
		"A1 NO [BADEVENT (MessageNew MessageExpunge)] x\r\nA2 NO x\r\nA3 NO [NONEXISTENT] x\r\nA4 BAD x\r\n* 2 EXISTS\r\nA5 OK\r\n",
		preauth + "* LIST (\\x) NIL {4}\r\n&A-b\r\n* STATUS\r\n* SEARCH 0\r\nT1 BAD\r\n",
	} {
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, drip bool) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, errors.New("the session hangs"))
		defer cancel()
		var r io.Reader = bytes.NewReader(data)
		if drip {
			r = iotest.OneByteReader(r)
		}
		c, err := imapclient.New(ctx, octets{r}, nil)
		if err != nil {
			return
		}
		defer c.Close()
		c.Login(ctx, "joe", "secret")
		c.Select(ctx, "INBOX")
		n := 0
		for s, err := range c.Summaries(ctx, imapclient.All()) {
			if err == nil && s.UID == 0 {
				t.Error("a summary without UID")
			}
			if n++; n > len(data) {
				t.Fatal("summaries without end")
			}
		}
		for m, err := range c.Bodies(ctx, 1, 2, 3) {
			if err == nil {
				if b, err := io.ReadAll(m); err == nil && int64(len(b)) != m.Octets() {
					t.Errorf("%d octets without an error, of %d", len(b), m.Octets())
				}
			}
		}
		c.SetFlags(ctx, imapclient.AddFlags, []string{`\Deleted`}, 1)
		c.Expunge(ctx, 1)
		c.Mailboxes(ctx, "")
		c.Idle(ctx, time.Minute)
		c.Logout(ctx)
		fuzzWatch(ctx, t, data)
		if err := context.Cause(ctx); err != nil {
			t.Fatal(err)
		}
	})
}

// fuzzWatch watches a mailbox of a server that says anything.
func fuzzWatch(ctx context.Context, t *testing.T, data []byte) {
	begin := "* PREAUTH [CAPABILITY IMAP4rev1 NOTIFY IDLE] hi\r\n* 1 EXISTS\r\nT1 OK\r\n"
	c, err := imapclient.New(ctx, octets{strings.NewReader(begin + string(data))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Select(ctx, "INBOX")
	w, err := c.Watch(ctx, &imapclient.WatchOptions{Mailboxes: []string{"a"}, Heartbeat: time.Millisecond, Poll: time.Millisecond, Gather: -1})
	if err != nil {
		return
	}
	for range 3 {
		if n, err := w.Wait(ctx); err == nil && !n.Any() {
			t.Error("Wait returned without news")
		}
	}
	w.Close(ctx)
}

// FuzzBodies: the octets of a message arrive as they were sent, however they
// are sent and read.
func FuzzBodies(f *testing.F) {
	f.Add([]byte("Subject: x\r\n\r\nbody\r\n"), uint8(0), uint8(3))
	f.Add([]byte("A2 OK done\r\n)\r\n* BYE\r\n{5}\r\n"), uint8(1), uint8(0))
	f.Add([]byte{}, uint8(2), uint8(1))
	f.Fuzz(func(t *testing.T, body []byte, form, read uint8) {
		var row []byte
		switch form % 3 {
		case 0:
			row = fmt.Appendf(nil, "* 1 FETCH (UID 1 BODY[] {%d}\r\n%s FLAGS (a))\r\n", len(body), body)
		case 1:
			row = fmt.Appendf(nil, "* 1 FETCH (BODY[] {%d}\r\n%s UID 1)\r\n", len(body), body)
		case 2:
			row = fmt.Appendf(nil, "* 1 FETCH (UID 1)\r\n* 1 FETCH (BODY[] ~{%d}\r\n%s)\r\n", len(body), body)
		}
		script := append([]byte("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n* 1 EXISTS\r\nT1 OK\r\n"), row...)
		script = append(script, row...)
		script = append(script, "* 2 FETCH (UID 2 BODY[] \"next\")\r\nA1 OK\r\n"...)
		var r io.Reader = bytes.NewReader(script)
		if read&1 != 0 {
			r = iotest.OneByteReader(r)
		}
		c, err := imapclient.New(t.Context(), octets{r}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		got := make(map[uint32]string)
		for m, err := range c.Bodies(t.Context(), 1, 2) {
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if read&2 != 0 {
				io.CopyN(&b, m, int64(read>>2))
			}
			if read&4 != 0 {
				_, err = m.WriteTo(&b)
			} else {
				_, err = b.ReadFrom(iotest.OneByteReader(m))
			}
			if err != nil {
				t.Fatal(err)
			}
			got[m.UID] = b.String()
		}
		if got[1] != string(body) || got[2] != "next" || len(got) != 2 {
			t.Fatalf("got %v, want %q and \"next\"", got, body)
		}
	})
}
