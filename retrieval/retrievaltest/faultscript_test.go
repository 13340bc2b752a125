package retrievaltest_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	rt "example.com/postbag/retrieval/retrievaltest"
)

// scripted is a server that answers each line with what the script says, and
// notes what it was asked. It is in memory, so that it can live in a bubble of
// testing/synctest.
type scripted struct {
	greeting string
	script   map[string]string // by line; "" hangs up

	mu    sync.Mutex
	asked []string
}

func (s *scripted) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		io.WriteString(server, s.greeting)
		lines := bufio.NewScanner(server)
		for lines.Scan() {
			s.mu.Lock()
			s.asked = append(s.asked, lines.Text())
			s.mu.Unlock()
			reply, ok := s.script[lines.Text()]
			if !ok {
				reply = "-ERR what?\r\n"
			}
			if reply == "" {
				return
			}
			if _, err := io.WriteString(server, reply); err != nil {
				return
			}
		}
	}()
	return client, nil
}

var pop3Script = map[string]string{
	"USER joe": "+OK\r\n",
	"LIST":     "+OK\r\n1 10\r\n.\r\n",
	"LIST 1":   "+OK 1 10\r\n",
	"RETR 1":   "+OK\r\nab\n.\r\ncd\r\n..\r\n.\r\n",
	"AUTH X":   "+ \r\n",
	"secret":   "+OK in\r\n",
	"QUIT":     "+OK bye\r\n",
}

const pop3Greeting = "+OK hi\r\n"

var imapScript = map[string]string{
	"a LIST":           "* LIST () {4}\r\nA)\r\n (x)\r\na OK done\r\n",
	"b FETCH":          "* 1 FETCH (BODY[] {9}\r\nb OK no\r\n)\r\n* 2 EXISTS\r\nb OK done {3}\r\n",
	"c LOGIN {3}":      "+ go\r\n",
	"joe pw":           "c OK in\r\n",
	"d LOGIN {3}":      "d NO not so\r\n",
	"e IDLE":           "+ idling\r\n* 3 EXISTS\r\n",
	"DONE":             "e OK done\r\n",
	"f NOOP":           "f OK done\r\n",
	"g APPEND {4+}":    "",
	"z LOGOUT":         "* BYE\r\nz OK bye\r\n",
	"h AUTHENTICATE X": "+ \r\n",
	"secret":           "h OK in\r\n",
}

const imapGreeting = "* OK hi\r\n"

// TestFaultsExactly compares, to the octet, what a client receives and what a
// server is asked.
func TestFaultsExactly(t *testing.T) {
	const forEver = 0
	for _, tt := range []struct {
		name   string
		faults []*rt.Fault
		say    string // each line when there is nothing more to read
		asked  string
		want   string
		err    error
	}{
		{"none", nil,
			"USER joe|LIST|RETR 1|QUIT", "USER joe|LIST|RETR 1|QUIT",
			pop3Greeting + "+OK\r\n+OK\r\n1 10\r\n.\r\n+OK\r\nab\n.\r\ncd\r\n..\r\n.\r\n+OK bye\r\n", nil},
		{"cut at once", faults{rt.Cut(rt.AfterReceived(0))},
			"USER joe", "", "", io.EOF},
		{"cut in the greeting", faults{rt.Cut(rt.AfterReceived(3))},
			"USER joe", "", "+OK", io.EOF},
		{"reset in a reply", faults{rt.Reset(rt.AfterReceived(10))},
			"USER joe", "USER joe", pop3Greeting + "+O", syscall.ECONNRESET},
		{"cut before a command", faults{rt.Cut(rt.BeforeCommand("QUIT", 1))},
			"USER joe|QUIT", "USER joe", pop3Greeting + "+OK\r\n", io.EOF},
		{"cut before the 2nd command", faults{rt.Cut(rt.BeforeCommand("", 2))},
			"USER joe|QUIT", "USER joe", pop3Greeting + "+OK\r\n", io.EOF},
		{"cut after a command", faults{rt.Cut(rt.AfterCommand("QUIT", 1))},
			"USER joe|QUIT", "USER joe|QUIT", pop3Greeting + "+OK\r\n", io.EOF},
		{"cut within a reply", faults{rt.Cut(rt.WithinReply("RETR", 1, 9))},
			"LIST|RETR 1|QUIT", "LIST|RETR 1", pop3Greeting + "+OK\r\n1 10\r\n.\r\n+OK\r\nab\n.", io.EOF},
		{"cut behind a reply", faults{rt.Cut(rt.WithinReply("LIST", 1, 900))},
			"LIST|QUIT", "LIST", pop3Greeting + "+OK\r\n1 10\r\n.\r\n", io.EOF},
		{"cut after octets sent", faults{rt.Cut(rt.AfterSent(14))},
			"USER joe|LIST|QUIT", "USER joe|LIST", pop3Greeting + "+OK\r\n", io.EOF},
		{"cut before anything is sent", faults{rt.Reset(rt.AfterSent(0))},
			"USER joe", "", pop3Greeting, syscall.ECONNRESET},
		{"the name is whole words", faults{rt.Cut(rt.BeforeCommand("LIST 1", 1)), rt.Inject(rt.BeforeCommand("LI", 1), "never")},
			"LIST|LIST 1", "LIST", pop3Greeting + "+OK\r\n1 10\r\n.\r\n", io.EOF},
		{"the nth of a name", faults{rt.Answer(rt.BeforeCommand("list", 3), "-ERR third")},
			"LIST 1|LIST 1|LIST 1|LIST 1", "LIST 1|LIST 1|LIST 1",
			pop3Greeting + "+OK 1 10\r\n+OK 1 10\r\n-ERR third\r\n+OK 1 10\r\n", nil},
		{"another reply", faults{rt.Answer(rt.AfterCommand("RETR", 1), "-ERR no")},
			"RETR 1|QUIT", "RETR 1|QUIT", pop3Greeting + "-ERR no\r\n+OK bye\r\n", nil},
		{"another end of a reply", faults{rt.Answer(rt.WithinReply("RETR", 1, 8), "\r\n.\r\n")},
			"RETR 1|QUIT", "RETR 1|QUIT", pop3Greeting + "+OK\r\nab\n\r\n.\r\n+OK bye\r\n", nil},
		{"another greeting, and hang up", faults{rt.Answer(rt.AtGreeting(), "-ERR [SYS/TEMP] no"), rt.Cut(rt.AtGreeting())},
			"QUIT", "", "-ERR [SYS/TEMP] no\r\n", io.EOF},
		{"answer, then cut", faults{rt.Answer(rt.BeforeCommand("LIST", 1), "-ERR a"), rt.Cut(rt.BeforeCommand("LIST", 1))},
			"LIST", "", pop3Greeting + "-ERR a\r\n", io.EOF},
		{"injected", faults{rt.Inject(rt.AfterReceived(4), "<1>"), rt.Inject(rt.AfterCommand("LIST", 1), "<2>"), rt.Inject(rt.WithinReply("LIST", 1, 3), "<3>"),
			rt.Inject(rt.BeforeCommand("QUIT", 1), "<4>"), rt.Inject(rt.AfterSent(9), "<5>")},
			"LIST|QUIT", "LIST|QUIT", "+OK <1>hi\r\n<2>+OK<3>\r\n1 10\r\n.\r\n<4><5>+OK bye\r\n", nil},
		{"corrupted", faults{rt.Corrupt(rt.AfterReceived(1)), rt.Corrupt(rt.AfterCommand("LIST", 1)), rt.Corrupt(rt.BeforeCommand("QUIT", 1))},
			"LIST|QUIT", "LIST|\xd1UIT", "+\xcfK hi\r\n\xabOK\r\n1 10\r\n.\r\n-ERR what?\r\n", nil},
		{"flooded", faults{rt.Flood(rt.AfterCommand("LIST", 1), "ab", 5)},
			"LIST|QUIT", "LIST|QUIT", pop3Greeting + "ababa+OK\r\n1 10\r\n.\r\n+OK bye\r\n", nil},
		{"a challenge is not a reply", faults{rt.Cut(rt.BeforeCommand("", 2))},
			"AUTH X|secret|QUIT", "AUTH X|secret", pop3Greeting + "+ \r\n+OK in\r\n", io.EOF},
		{"stalled for ever", faults{rt.Stall(rt.WithinReply("USER", 1, 2), forEver)},
			"USER joe", "USER joe", pop3Greeting + "+O", errSilent},
		{"stalled for a time", faults{rt.Stall(rt.WithinReply("USER", 1, 2), time.Minute), rt.Stall(rt.BeforeCommand("QUIT", 1), time.Minute)},
			"USER joe|QUIT", "USER joe|QUIT", pop3Greeting + "+OK\r\n+OK bye\r\n", nil},
		{"stalled before a command", faults{rt.Stall(rt.BeforeCommand("QUIT", 1), forEver)},
			"USER joe|QUIT", "USER joe", pop3Greeting + "+OK\r\n", errSilent},

		{"imap: none", nil,
			"a LIST|b FETCH|f NOOP|z LOGOUT", "a LIST|b FETCH|f NOOP|z LOGOUT",
			imapGreeting + imapScript["a LIST"] + imapScript["b FETCH"] + imapScript["f NOOP"] + imapScript["z LOGOUT"], nil},
		{"imap: a tag within a literal", faults{rt.Cut(rt.AfterCommand("FETCH", 1))},
			"a LIST|b FETCH", "a LIST|b FETCH", imapGreeting + imapScript["a LIST"], io.EOF},
		{"imap: within a literal", faults{rt.Cut(rt.WithinReply("FETCH", 1, 30))},
			"b FETCH", "b FETCH", imapGreeting + imapScript["b FETCH"][:30], io.EOF},
		{"imap: another reply", faults{rt.Answer(rt.AfterCommand("FETCH", 1), "* 1 EXPUNGE\r\nNO [EXPUNGEISSUED] gone")},
			"b FETCH|f NOOP", "b FETCH|f NOOP", imapGreeting + "* 1 EXPUNGE\r\nb NO [EXPUNGEISSUED] gone\r\nf OK done\r\n", nil},
		{"imap: BYE", faults{rt.Answer(rt.BeforeCommand("FETCH", 1), "* BYE down"), rt.Cut(rt.BeforeCommand("FETCH", 1))},
			"b FETCH", "", imapGreeting + "* BYE down\r\n", io.EOF},
		{"imap: a literal is not a command", faults{rt.Cut(rt.BeforeCommand("", 2))},
			"c LOGIN {3}|joe pw|f NOOP", "c LOGIN {3}|joe pw", imapGreeting + "+ go\r\nc OK in\r\n", io.EOF},
		{"imap: a refused literal does not come", faults{rt.Cut(rt.BeforeCommand("", 3))},
			"d LOGIN {3}|f NOOP|f NOOP", "d LOGIN {3}|f NOOP", imapGreeting + "d NO not so\r\nf OK done\r\n", io.EOF},
		{"imap: an answer instead of a literal", faults{rt.Answer(rt.BeforeCommand("LOGIN", 1), "NO [UNAVAILABLE] later")},
			"c LOGIN {3}|f NOOP", "f NOOP", imapGreeting + "c NO [UNAVAILABLE] later\r\nf OK done\r\n", nil},
		{"imap: a literal goes with its command", faults{rt.Answer(rt.BeforeCommand("APPEND", 1), "NO [OVERQUOTA] full")},
			"g APPEND {4+}|ab|)|f NOOP", "f NOOP", imapGreeting + "g NO [OVERQUOTA] full\r\nf OK done\r\n", nil},
		{"imap: DONE is not a command", faults{rt.Cut(rt.BeforeCommand("", 2))},
			"e IDLE|DONE|f NOOP", "e IDLE|DONE", imapGreeting + "+ idling\r\n* 3 EXISTS\r\ne OK done\r\n", io.EOF},
		{"imap: nor is a secret", faults{rt.Cut(rt.BeforeCommand("", 2))},
			"h AUTHENTICATE X|secret|f NOOP", "h AUTHENTICATE X|secret", imapGreeting + "+ \r\nh OK in\r\n", io.EOF},
		{"imap: a huge literal", faults{rt.HugeLiteral(rt.AfterCommand("NOOP", 1), 3)},
			"f NOOP", "f NOOP", imapGreeting + "* 1 FETCH (UID 1 BODY[] {3}\r\nxxx)\r\nf OK done\r\n", nil},
		{"imap: no compression", nil,
			"i COMPRESS DEFLATE|f NOOP", "f NOOP", imapGreeting + "i NO faults could not see what is compressed\r\nf OK done\r\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{greeting: pop3Greeting, script: pop3Script}
				if strings.HasPrefix(tt.name, "imap") {
					s.greeting, s.script = imapGreeting, imapScript
				}
				got, err := talk(t, rt.WithFaults(s.dial, tt.faults...), strings.Split(tt.say, "|"))
				if got != tt.want {
					t.Errorf("received\n%q, want\n%q", got, tt.want)
				}
				if tt.err != nil && !errors.Is(err, tt.err) || tt.err == nil && err != nil {
					t.Errorf("the end is %v, want %v", err, tt.err)
				}
				synctest.Wait()
				if asked := strings.Join(s.asked, "|"); asked != tt.asked {
					t.Errorf("the server was asked %q, want %q", asked, tt.asked)
				}
				for _, f := range tt.faults {
					if want := !strings.Contains(f.String(), "before LI no."); (f.Struck() == 1) != want {
						t.Errorf("%s: has struck %d times", f, f.Struck())
					}
				}
			})
		})
	}
}

type faults = []*rt.Fault

var errSilent = errors.New("silent for an hour")

// talk says lines, each when the server has nothing more to say, and returns
// all that it received.
func talk(t *testing.T, dial rt.DialFunc, lines []string) (string, error) {
	t.Helper()
	c, err := dial(t.Context(), "tcp", "mail.example.com:110")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got []byte
	hear := func() error {
		buf := make([]byte, 100)
		for {
			c.SetReadDeadline(time.Now().Add(time.Hour))
			n, err := c.Read(buf)
			got = append(got, buf[:n]...)
			if err != nil {
				if e := net.Error(nil); errors.As(err, &e) && e.Timeout() {
					return nil
				}
				return err
			}
		}
	}
	var werr error
	for _, line := range slices.Insert(slices.Clone(lines), 0, "") {
		if line != "" {
			if _, werr = io.WriteString(c, line+"\r\n"); werr != nil {
				break
			}
		}
		before := len(got)
		if err := hear(); err != nil {
			return string(got), err
		}
		if werr = nil; len(got) == before || strings.HasSuffix(string(got), "+O") {
			werr = errSilent
		}
	}
	return string(got), werr
}
