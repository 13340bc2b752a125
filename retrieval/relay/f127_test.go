//go:build unix

package relay_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/relay"
)

// TestF127Phases has a server refuse, hang up or talk nonsense at each step.
func TestF127Phases(t *testing.T) {
	phases := []struct{ name, line string }{
		{"hello", "HLO"}, {"MAIL", "MAIL"}, {"RCPT", "RCPT"}, {"DATA", "DATA"}, {"the final dot", "."},
	}
	for _, tt := range []struct {
		reply string
		want  [5]string // at each phase
	}{
		{"450 4.2.0 later", [5]string{"the run ends", "deferred", "deferred", "deferred", "deferred"}},
		{"550 5.1.1 never", [5]string{"the run ends", "rejected", "rejected", "rejected", "rejected"}},
		{"421 4.3.2 going down", [5]string{"the run ends", "the run ends", "the run ends", "the run ends", "deferred"}},
		{"530 5.7.0 log in first", [5]string{"the run ends", "the run ends", "the run ends", "the run ends", "rejected"}},
		{hangUp, [5]string{"the run ends", "the run ends", "the run ends", "the run ends", "deferred"}},
		{"25000 five digits", [5]string{"the run ends", "the run ends", "the run ends", "the run ends", "deferred"}},
		{"junk \x1b[2J", [5]string{"the run ends", "the run ends", "the run ends", "the run ends", "deferred"}},
		{"334 VXNlcm5hbWU6", [5]string{"the run ends", "the run ends", "the run ends", "the run ends", "deferred"}},
		{strings.Repeat("250-endless\r\n", 10_000), [5]string{"the run ends", "the run ends", "the run ends", "the run ends", "deferred"}},
		{"250 " + strings.Repeat("x", 5000), [5]string{"the run ends", "the run ends", "the run ends", "the run ends", "deferred"}},
	} {
		for i, phase := range phases {
			for _, lmtp := range []bool{false, true} {
				t.Run(fmt.Sprintf("%.10q at %s, lmtp %t", tt.reply, phase.name, lmtp), func(t *testing.T) {
					noLeaks(t)
					s := (&scripted{lmtp: lmtp, on: func(_ int, line string) string {
						if strings.HasPrefix(strings.TrimLeft(line, "EL"), phase.line) {
							return tt.reply
						}
						return ""
					}}).start(t)
					_, err := newSink(t, lmtp, s.addr, nil).Deliver(t.Context(), message("1.1", mail))
					if got := about(err); got != tt.want[i] {
						t.Errorf("Deliver = %v: %s, want %s", err, got, tt.want[i])
					}
					if len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\x1b\r\n") {
						t.Errorf("the error is not fit to be printed: %q", err)
					}
				})
			}
		}
	}
}

// TestF127Greeting is about what comes before the first command.
func TestF127Greeting(t *testing.T) {
	for _, greeting := range []string{"554 no service", "421 busy", hangUp, "* OK IMAP", "220", strings.Repeat("220-x\r\n", 20_000)} {
		t.Run(fmt.Sprintf("%.8q", greeting), func(t *testing.T) {
			noLeaks(t)
			s := (&scripted{greeting: greeting}).start(t)
			if _, err := newSink(t, false, s.addr, nil).Deliver(t.Context(), message("1.1", mail)); about(err) != "the run ends" {
				t.Errorf("Deliver = %v, want the run to end", err)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if _, err := newSink(t, true, l.Addr().String(), nil).Deliver(t.Context(), message("1.1", mail)); about(err) != "the run ends" {
			t.Errorf("Deliver = %v, want the run to end", err)
		}
	})
	t.Run("no LMTP", func(t *testing.T) {
		s := (&scripted{on: replies("LHLO", "500 what")}).start(t)
		_, err := newSink(t, true, s.addr, nil).Deliver(t.Context(), message("1.1", mail))
		if about(err) != "the run ends" || !strings.Contains(err.Error(), "LMTP") {
			t.Errorf("Deliver = %v, want the run to end", err)
		}
		if slices.ContainsFunc(s.told(), func(l string) bool { return strings.HasPrefix(l, "HELO") }) {
			t.Errorf("the server was told %q", s.told())
		}
	})
}

// TestF127Mix is about recipients that do not get the same answer: those that
// have a message get it no second time.
func TestF127Mix(t *testing.T) {
	to := []string{"ann@example.com", "bob@example.com", "cho@example.com"}
	for _, tt := range []struct {
		name   string
		lmtp   bool
		on     func(n int, line string) string
		want   string
		taken  []string
		second []string // who gets it at the second try, when all is well
	}{
		{"all refused", true, replies(".", "550 a\r\n550 b\r\n550 c"), "rejected", nil, to},
		{"all later", true, replies(".", "450 a\r\n450 b\r\n450 c"), "deferred", nil, to},
		{"one later", true, replies(".", "250 a\r\n450 b\r\n250 c"), "deferred", []string{to[0], to[2]}, to[1:2]},
		{"one refused", true, replies(".", "250 a\r\n550 b\r\n250 c"), "rejected", []string{to[0], to[2]}, to[1:2]},
		{"one each", true, replies(".", "250 a\r\n550 b\r\n450 c"), "deferred", to[:1], to[1:]},
		{"421 in the middle", true, replies(".", "250 a\r\n421 b\r\n421 c"), "deferred", to[:1], to[1:]},
		{"one RCPT refused", true, replies("RCPT TO:<bob", "550 b"), "rejected", []string{to[0], to[2]}, to[1:2]},
		{"one RCPT later, SMTP", false, replies("RCPT TO:<bob", "450 b"), "deferred", []string{to[0], to[2]}, to[1:2]},
		{"all RCPT refused, SMTP", false, replies("RCPT", "550 no"), "rejected", nil, to},
		{"all refused, SMTP", false, replies(".", "550 no"), "rejected", nil, to},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			var well atomic.Bool
			s := (&scripted{lmtp: tt.lmtp, on: func(n int, line string) string {
				if well.Load() {
					return ""
				}
				return tt.on(n, line)
			}}).start(t)
			sink := newSink(t, tt.lmtp, s.addr, &relay.Options{Recipients: to})
			_, err := sink.Deliver(t.Context(), message("1.1", mail))
			var e *relay.RecipientError
			if about(err) != tt.want || !errors.As(err, &e) {
				t.Fatalf("Deliver = %v: %s, want %s", err, about(err), tt.want)
			}
			if !slices.Equal(e.Taken, tt.taken) {
				t.Errorf("taken by %q, want %q", e.Taken, tt.taken)
			}
			well.Store(true)
			before := len(s.got())
			if _, err := sink.Deliver(t.Context(), message("1.1", mail)); err != nil {
				t.Fatalf("the second Deliver = %v", err)
			}
			if got := s.got()[before:]; len(got) != 1 || !slices.Equal(got[0].to, tt.second) {
				t.Errorf("the second try went out as %+v, want one to %q", got, tt.second)
			}
			// Another message with that name's like goes to all, and so does the same one now.
			for _, uid := range []retrieval.UID{"1.2", "1.1"} {
				if _, err := sink.Deliver(t.Context(), message(uid, mail)); err != nil {
					t.Fatal(err)
				}
				before++
				if all := s.got(); len(all) != before+1 || !slices.Equal(all[before].to, to) {
					t.Errorf("%s went out as %+v, want one more to all", uid, all)
				}
			}
		})
	}
}

// TestF127Lost is about a connection that is lost after the final dot: nobody
// knows (RFC 1047), and it is sent again.
func TestF127Lost(t *testing.T) {
	for _, lmtp := range []bool{false, true} {
		t.Run(fmt.Sprintf("lmtp %t", lmtp), func(t *testing.T) {
			noLeaks(t)
			s := (&scripted{lmtp: lmtp, on: func(n int, line string) string {
				if n == 1 && line == "." {
					return hangUp
				}
				return ""
			}}).start(t)
			sink := newSink(t, lmtp, s.addr, nil)
			_, err := sink.Deliver(t.Context(), message("1.1", mail))
			if about(err) != "deferred" || !strings.Contains(err.Error(), "nobody knows") {
				t.Errorf("Deliver = %v, want it deferred and unknown", err)
			}
			if _, err := sink.Deliver(t.Context(), message("1.1", mail)); err != nil {
				t.Errorf("the second Deliver = %v", err)
			}
			if n := len(s.got()); n != 2 {
				t.Errorf("the server got it %d times, want 2", n)
			}
		})
	}
	t.Run("LMTP between two answers", func(t *testing.T) {
		s := (&scripted{lmtp: true, on: func(n int, line string) string {
			if n == 1 && line == "." {
				return "250 the first\r\n" + strings.Repeat("x", 3000)
			}
			return ""
		}}).start(t)
		sink := newSink(t, true, s.addr, &relay.Options{Recipients: []string{"ann", "bob"}})
		var e *relay.RecipientError
		if _, err := sink.Deliver(t.Context(), message("1.1", mail)); !errors.As(err, &e) || !slices.Equal(e.Taken, []string{"ann"}) || len(e.Deferred) != 1 {
			t.Errorf("Deliver = %v, want it taken by ann and unknown for bob", err)
		}
		if _, err := sink.Deliver(t.Context(), message("1.1", mail)); err != nil || !slices.Equal(s.got()[1].to, []string{"bob"}) {
			t.Errorf("the second Deliver = %v, to %q", err, s.got()[1].to)
		}
	})
}

// TestF127Cut is about a connection that takes no more before the final dot,
// for a reason that the server may have told.
func TestF127Cut(t *testing.T) {
	big := mail + strings.Repeat("0123456789abcdef\r\n", 10_000)
	for _, tt := range []struct{ name, last, want, text string }{
		{"hangs up", "", "deferred", "within the message"},
		{"too big", "552 5.3.4 too big\r\n", "rejected", "too big"},
		{"going down", "421 bye\r\n", "deferred", "bye"},
		{"taken too early", "250 taken\r\n", "deferred", "within the message"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			s := (&scripted{body: func(conn net.Conn, r *bufio.Reader) {
				io.CopyN(io.Discard, r, 1000)
				io.WriteString(conn, tt.last)
			}}).start(t)
			o := &relay.Options{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, addr)
				return &narrow{c, 100_000}, err
			}}
			_, err := newSink(t, false, s.addr, o).Deliver(t.Context(), message("1.1", big))
			if about(err) != tt.want || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Deliver = %v: %s, want %s with %q", err, about(err), tt.want, tt.text)
			}
		})
	}
}

// narrow breaks for writing after some octets.
type narrow struct {
	net.Conn
	left int
}

func (n *narrow) Write(p []byte) (int, error) {
	if n.left -= len(p); n.left < 0 {
		return 0, syscall.EPIPE
	}
	return n.Conn.Write(p)
}

// TestF127Ahead is about replies that nobody asked for: a server that is out of
// step must not make a message look taken.
func TestF127Ahead(t *testing.T) {
	for _, line := range []string{"MAIL", "RCPT", "DATA"} {
		t.Run(line, func(t *testing.T) {
			noLeaks(t)
			s := (&scripted{on: func(_ int, l string) string {
				if strings.HasPrefix(l, line) {
					return map[bool]string{true: "354 go", false: "250 ok"}[line == "DATA"] + "\r\n250 taken"
				}
				if l == "." {
					return "550 no"
				}
				return ""
			}}).start(t)
			if _, err := newSink(t, false, s.addr, nil).Deliver(t.Context(), message("1.1", mail)); err == nil {
				t.Error("a message that was refused counts as taken")
			} else if line != "DATA" && !strings.Contains(err.Error(), "not asked") {
				t.Errorf("Deliver = %v, want it to say what is wrong", err)
			}
		})
	}
}

// TestF127Smuggling has servers that take more for an end of line than they
// should: a message is one message, for each of them.
func TestF127Smuggling(t *testing.T) {
	inner := "MAIL FROM:<evil@example.com>\r\nRCPT TO:<victim@example.com>\r\nDATA\r\nSubject: smuggled\r\n\r\n.\r\n"
	for _, end := range []string{
		"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\r\r\n.\r\r\n", "\n\r.\n\r", "\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\x00\n.\r\x00\n", "\r\n.\r\n",
	} {
		for _, lax := range []bool{false, true} {
			t.Run(fmt.Sprintf("%q lax %t", end, lax), func(t *testing.T) {
				s := (&scripted{lax: lax}).start(t)
				sink := newSink(t, false, s.addr, nil)
				data := mail + "text" + end + inner
				if _, err := sink.Deliver(t.Context(), message("1.1", data)); err != nil {
					t.Fatal(err)
				}
				sink.Close()
				for _, line := range s.told() {
					if strings.Contains(line, "evil") || strings.Contains(line, "victim") {
						t.Errorf("the message became a command: %q", line)
					}
				}
				if got := s.got(); len(got) != 1 || got[0].data != string(normal([]byte(data))) {
					t.Errorf("the server has %+q", got)
				}
				strict := newSink(t, false, s.addr, &relay.Options{RefuseUnclean: true})
				want := map[bool]string{true: "taken", false: "rejected"}[end == "\r\n.\r\n"]
				if _, err := strict.Deliver(t.Context(), message("1.2", data)); about(err) != want {
					t.Errorf("with RefuseUnclean: Deliver = %v, want %s", err, want)
				}
			})
		}
	}
}

// TestF127EightBit is about octets beyond ASCII, and long lines.
func TestF127EightBit(t *testing.T) {
	eight := mail + "\xe4\xf6\xfc\r\n"
	long := mail + strings.Repeat("x", 999) + "\r\n"
	fits := mail + strings.Repeat("x", 998) + "\r\n"
	for _, tt := range []struct {
		name, ehlo, data string
		o                relay.Options
		want, mail       string
	}{
		{"8BITMIME", "250-localhost\r\n250 8BITMIME", eight, relay.Options{}, "taken", "MAIL FROM:<> BODY=8BITMIME"},
		{"8bitmime in lower case", "250-localhost\r\n250 8bitmime", eight, relay.Options{}, "taken", "MAIL FROM:<> BODY=8BITMIME"},
		{"not offered", "250 localhost", eight, relay.Options{}, "rejected", "MAIL FROM:<>"},
		{"not offered, sent", "250 localhost", eight, relay.Options{SendEightBit: true}, "taken", "MAIL FROM:<>"},
		{"not needed", "250 localhost", mail, relay.Options{}, "taken", "MAIL FROM:<>"},
		{"SIZE", "250-localhost\r\n250 SIZE 100", mail, relay.Options{}, "taken", fmt.Sprintf("MAIL FROM:<> SIZE=%d", len(mail))},
		{"SMTPUTF8", "250-localhost\r\n250-8BITMIME\r\n250 SMTPUTF8", "Subject: ä\r\n\r\n", relay.Options{}, "taken", "MAIL FROM:<> BODY=8BITMIME SMTPUTF8"},
		{"SMTPUTF8 not needed", "250-localhost\r\n250-8BITMIME\r\n250 SMTPUTF8", eight, relay.Options{}, "taken", "MAIL FROM:<> BODY=8BITMIME"},
		{"SMTPUTF8 for a recipient", "250-localhost\r\n250-8BITMIME\r\n250 SMTPUTF8", mail, relay.Options{Recipients: []string{"jörg@example.com"}}, "taken", "MAIL FROM:<> BODY=8BITMIME SMTPUTF8"},
		{"SMTPUTF8 missing for a recipient", "250-localhost\r\n250 8BITMIME", mail, relay.Options{Recipients: []string{"jörg@example.com"}}, "rejected", ""},
		{"SMTPUTF8 missing for the sender", "250-localhost\r\n250 8BITMIME", mail, relay.Options{Sender: "jörg@example.com"}, "the run ends", ""},
		{"long line", "", long, relay.Options{}, "taken", ""},
		{"long line refused", "", long, relay.Options{RefuseLongLines: true}, "rejected", ""},
		{"longest line", "", fits, relay.Options{RefuseLongLines: true}, "taken", ""},
		{"sender", "", mail, relay.Options{Sender: "bounces@example.com"}, "taken", "MAIL FROM:<bounces@example.com> BODY=8BITMIME"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			s := (&scripted{ehlo: tt.ehlo}).start(t)
			sink := newSink(t, false, s.addr, &tt.o)
			_, err := sink.Deliver(t.Context(), message("1.1", tt.data))
			if got := about(err); got != tt.want {
				t.Errorf("Deliver = %v: %s, want %s", err, got, tt.want)
			}
			if tt.mail != "" && !slices.Contains(s.told(), tt.mail) {
				t.Errorf("the server was told %q, want %q", s.told(), tt.mail)
			}
			if n := len(s.got()); (n == 1) != (tt.want == "taken") {
				t.Errorf("the server has %d messages", n)
			}
		})
	}
}

// TestF127Junk is about a server that plays with AUTH (CVE-2025-61962 is one
// such client's crash).
func TestF127Junk(t *testing.T) {
	for _, tt := range []struct{ name, auth string }{
		{"334 at once", "334 VXNlcm5hbWU6"},
		{"334 junk", "334 !!! not base64 !!!"},
		{"334 empty", "334"},
		{"five digits", "33400 VXNlcm5hbWU6"},
		{"endless", strings.Repeat("334-VXNlcm5hbWU6\r\n", 10_000)},
		{"refused", "535 5.7.8 no"},
		{"later", "454 4.7.0 later"},
		{"hangs up", hangUp},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			s := (&scripted{ehlo: "250-localhost\r\n250 AUTH PLAIN LOGIN", on: func(_ int, line string) string {
				if strings.HasPrefix(line, "AUTH") || !strings.ContainsAny(line, " .") {
					return map[bool]string{true: "", false: tt.auth}[line == "QUIT"]
				}
				return ""
			}}).start(t)
			o := &relay.Options{User: "joe", Password: func(context.Context) (string, error) { return "canary", nil }}
			_, err := newSink(t, false, s.addr, o).Deliver(t.Context(), message("1.1", mail))
			if about(err) != "the run ends" || strings.Contains(err.Error(), "canary") {
				t.Errorf("Deliver = %v, want the run to end", err)
			}
			if len(s.got()) > 0 {
				t.Error("a message was sent without a login")
			}
		})
	}
}

// A server that repeats what it was told does not bring the password into an
// error.
func TestF127Echo(t *testing.T) {
	const secret = "correct horse battery staple"
	filler := strings.Repeat("x", 462) // the secret is where the text is cut
	for _, mech := range []string{"PLAIN", "LOGIN"} {
		for _, reply := range []string{"500 5.5.1 what is %s, %s?", "535 " + filler + "%s %s", "535 x\r\n%s %s"} {
			t.Run(fmt.Sprintf("%s, %.10s", mech, reply), func(t *testing.T) {
				s := (&scripted{ehlo: "250-localhost\r\n250 AUTH " + mech, on: func(_ int, line string) string {
					if line == "AUTH LOGIN" || line == "am9l" {
						return "334 VXNlcm5hbWU6"
					}
					if !strings.Contains(line, " ") || strings.HasPrefix(line, "AUTH") {
						return fmt.Sprintf(reply, line, secret)
					}
					return ""
				}}).start(t)
				o := &relay.Options{User: "joe", Password: func(context.Context) (string, error) { return secret, nil }}
				_, err := newSink(t, false, s.addr, o).Deliver(t.Context(), message("1.1", mail))
				if err == nil {
					t.Fatal("a login that was refused")
				}
				for _, told := range s.told() {
					words := strings.Fields(told)
					if last := words[len(words)-1]; len(last) > 20 && strings.Contains(err.Error(), last[:12]) {
						t.Errorf("the error has what was sent: %v", err)
					}
				}
				if strings.Contains(err.Error(), secret[:7]) {
					t.Errorf("the error has the password: %v", err)
				}
			})
		}
	}
}
