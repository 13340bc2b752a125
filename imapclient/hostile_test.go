package imapclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/session"
)

// commands are what a hostile server may be asked.
func commands(c *imapclient.Client) map[string]func(context.Context) error {
	src := func() io.Reader { return strings.NewReader("hello") }
	return map[string]func(context.Context) error{
		"List": func(ctx context.Context) error {
			_, err := c.List(ctx, &imapclient.ListOptions{WithStatus: true})
			return err
		},
		"Create": func(ctx context.Context) error { _, err := c.CreateMailbox(ctx, "a"); return err },
		"Append": func(ctx context.Context) error { _, err := c.Append(ctx, "a", src(), 5, nil); return err },
		"Search": func(ctx context.Context) error { _, err := c.Search(ctx, nil, nil); return err },
		"SearchText": func(ctx context.Context) error {
			_, err := c.Search(ctx, &imapclient.Query{Body: "ü"}, nil)
			return err
		},
		"Matching": func(ctx context.Context) error {
			for _, err := range c.Matching(ctx, nil) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"Store": func(ctx context.Context) error {
			_, err := c.SetFlagsUnlessChanged(ctx, 5, imapclient.AddFlags, []string{"x"}, imapclient.UIDs(1))
			return err
		},
		"Copy": func(ctx context.Context) error { _, err := c.Copy(ctx, imapclient.UIDs(1), "a"); return err },
		"Move": func(ctx context.Context) error { _, err := c.Move(ctx, imapclient.UIDs(1), "a", nil); return err },
	}
}

const everyExtension = "ESEARCH SEARCHRES SORT THREAD=REFERENCES CONDSTORE MOVE UIDPLUS QUOTA NAMESPACE LIST-EXTENDED LIST-STATUS LITERAL+"

// Whatever a server says to these commands, they end: in a result, or in an
// error that says of what kind it is.
func TestHostileAnswers(t *testing.T) {
	each := func(f func(prefix string) string) string {
		var b strings.Builder
		for _, p := range []string{`LIST () "/" `, "STATUS a ", "NAMESPACE ", "QUOTA ", "QUOTAROOT ", "SEARCH ", `ESEARCH `, "SORT ", "THREAD "} {
			b.WriteString("* " + f(p) + "\r\n")
		}
		return b.String()
	}
	for name, answer := range map[string]string{
		"F109 a literal without end":   "* LIST () \"/\" {4294967295}\r\n",
		"F109 a literal beyond memory": "* STATUS {18446744073709551616}\r\n* STATUS {18446744073709551615} x\r\n",
		"F109 literals that are none":  each(func(p string) string { return p + "{-1}" }) + each(func(p string) string { return p + "{x}" }),
		"F109 empty literals":          each(func(p string) string { return p + "{0}\r\n{3+}\r\nabc" }),
		"F109 a literal, then nothing": "* LIST () \"/\" {5}\r\nab",
		"F110 parentheses":             each(func(p string) string { return p + strings.Repeat("(", 1<<20-100) }),
		"F110 closed parentheses":      each(func(p string) string { return p + strings.Repeat("(", 1<<19-100) + strings.Repeat(")", 1<<19-100) }),
		"F110 tiny literals":           "* LIST () \"/\" " + strings.Repeat("{1}\r\na ", 100_000) + "x\r\n",
		"F110 response codes":          strings.Repeat("* OK [COPYUID 1 1:4294967295 1:4294967295] x\r\n", 10_000) + "* OK [MODIFIED 1] ]]]\r\n* OK [[[[\r\n",
		"F111 an unknown tag":          "B9 OK who?\r\n",
		"F111 a continuation":          "+ go\r\n+ go\r\n",
		"F112 a long code":             "* OK [" + strings.Repeat("x", 2<<20) + "\r\n",
		"F112 a long line":             "* SEARCH" + strings.Repeat(" 1", 9<<20) + "\r\n",
		"F113 another protocol":        "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n",
		"F113 nonsense":                "\x00\xff\x16\x03\x01\r\n*\r\n* \r\n*  \r\n",
		"numbers that are none":        each(func(p string) string { return p + "-1 99999999999999999999999 0x5 1e9 (a b)" }),
		"strings that are none":        each(func(p string) string { return p + `"\` }) + each(func(p string) string { return p + `"a""b" ""` }),
		"half of everything":           each(func(p string) string { return p[:len(p)/2] }) + each(func(p string) string { return p + "(" }) + each(func(p string) string { return p + ")" }),
	} {
		t.Run(name, func(t *testing.T) {
			for what := range commands(nil) {
				// The tags that the client gives are its first ones.
				script := "* PREAUTH [CAPABILITY IMAP4rev1 " + everyExtension + "] hi\r\n* 3 EXISTS\r\n* OK [UIDNEXT 9] n\r\nT1 OK [READ-WRITE]\r\n" + answer
				for _, read := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader} { // F116
					ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, errors.New("it hangs"))
					c, err := imapclient.New(ctx, octets{read(strings.NewReader(script))}, nil)
					if err != nil {
						t.Fatal(err)
					}
					_, err = c.Select(ctx, "INBOX")
					wants(t, "Select", err, nil)
					err = commands(c)[what](ctx)
					if !errors.Is(err, imapclient.ErrProtocol) && !errors.Is(err, imapclient.ErrUnavailable) {
						t.Errorf("%s = %v", what, err)
					}
					c.Close()
					cancel()
					if len(answer) > 10_000 {
						break
					}
				}
			}
		})
	}
}

// again is a reader of the same without end.
type again struct {
	line string
	at   int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.line[a.at:])
	a.at = (a.at + n) % len(a.line)
	return n, nil
}

// A result without end is bounded.
func TestEndlessResults(t *testing.T) {
	for what, line := range map[string]string{
		"List":   "* LIST () \"/\" {60000}\r\n" + strings.Repeat("x", 60000) + "\r\n",
		"Search": "* SEARCH" + strings.Repeat(" 1 3", 20000) + "\r\n",
		"Move":   "* OK [COPYUID 1 " + strings.Repeat("1,3,", 10000) + "5 " + strings.Repeat("1,3,", 10000) + "5] x\r\n",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			start := "* PREAUTH [CAPABILITY IMAP4rev1 " + everyExtension + "] hi\r\n* 3 EXISTS\r\n* OK [UIDNEXT 9] n\r\nT1 OK [READ-WRITE]\r\n"
			c, err := imapclient.New(t.Context(), octets{io.MultiReader(strings.NewReader(start), &again{line: line})}, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Select(t.Context(), "INBOX")
			wants(t, "Select", err, nil)
			wants(t, what, commands(c)[what](t.Context()), imapclient.ErrProtocol)
		})
	}
}

// F116, F117: an answer may come in any pieces, and slowly, but it must come.
func TestSlowAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var script []string
		for _, ch := range "* SEARCH 3 5\r\n" {
			script = append(script, "~ 59s", "S64: "+b64text(string(ch)))
		}
		c := selected(t, "", lines(append(append([]string{"C: a1 UID SEARCH ALL"}, script...), "S: a1 OK", "C: a2 UID SEARCH ALL", "S64: "+b64text("* SEARCH 3"), "~ 61s")...))
		r, err := c.Search(t.Context(), nil, nil)
		if err != nil || r.UIDs.String() != "3,5" {
			t.Errorf("Search = %+v, %v", r, err)
		}
		_, err = c.Search(t.Context(), nil, nil)
		wants(t, "Search", err, imapclient.ErrUnavailable)
		c.Close()
	})
}

// F115: a server that does not take a message is given up.
func TestAppendIsNotTaken(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	go func() {
		io.WriteString(server, "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n")
		io.ReadFull(server, make([]byte, len("A1 APPEND \"a\" {1048576}\r\n")))
		io.WriteString(server, "+ go\r\n")
	}()
	c, err := imapclient.New(t.Context(), client, &imapclient.Options{StallTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Append(t.Context(), "a", zero('x'), 1<<20, nil)
	wants(t, "Append", err, imapclient.ErrUnavailable)
}

// Cancelling ends a command that is under way, with the context's cause.
func TestCancelled(t *testing.T) {
	for what := range commands(nil) {
		synctest.Test(t, func(t *testing.T) {
			cause := errors.New("enough")
			client, server := session.Pipe()
			io.WriteString(server, "* PREAUTH [CAPABILITY IMAP4rev1 "+everyExtension+"] hi\r\n* 3 EXISTS\r\n* OK [UIDNEXT 9] n\r\nT1 OK [READ-WRITE]\r\n")
			c, err := imapclient.New(t.Context(), client, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Select(t.Context(), "INBOX")
			wants(t, "Select", err, nil)
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
			defer cancel()
			wants(t, what, commands(c)[what](ctx), cause)
			wants(t, "then "+what, commands(c)[what](t.Context()), cause)
			c.Close()
		})
	}
}

// Another command in a loop over bodies is refused, and the session goes on.
func TestBusy(t *testing.T) {
	c := selected(t, everyExtension, lines("C: a1 UID FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])", `S: * 1 FETCH (UID 1 BODY[] "x")`, "S: a1 OK", "C: a2 NOOP", "S: a2 OK"))
	for _, err := range c.Bodies(t.Context(), 1) {
		wants(t, "Bodies", err, nil)
		for what, do := range commands(c) {
			wants(t, what, do(t.Context()), imapclient.ErrBusy)
		}
	}
	_, err := c.Noop(t.Context())
	wants(t, "Noop", err, nil)
}
