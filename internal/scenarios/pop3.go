package scenarios

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"

	"example.com/postbag/pop3client"
)

// DialPOP3 connects a pop3client.
func DialPOP3(ctx context.Context, security Security, addr string, cfg *tls.Config, dial func(context.Context, string, string) (net.Conn, error)) (*pop3client.Client, error) {
	connect := pop3client.DialPlaintext
	switch security {
	case StartTLS:
		connect = pop3client.DialStartTLS
	case TLS:
		connect = pop3client.Dial
	}
	return connect(ctx, addr, &pop3client.Options{TLSConfig: cfg, Dial: dial})
}

// POP3 is what the tests do with pop3client.
func POP3() []Scenario[*pop3client.Client] {
	return []Scenario[*pop3client.Client]{
		{Name: "read", Run: pop3Read},
		{Name: "stls", Security: StartTLS, Run: pop3Hello},
		{Name: "tls", Security: TLS, Run: pop3Hello},
		{Name: "wrong-password", Run: pop3WrongPassword},
		{Name: "delete", Run: pop3Delete},
		{Name: "delete-then-drop", Run: pop3Drop},
		{Name: "gone", Run: pop3Gone},
		{Name: "break", Run: pop3Break},
		{Name: "empty", Empty: true, Run: pop3Empty},
		{Name: "unended", Mail: unended(), Run: pop3Unended},
		{Name: "utf8", Mail: internationalized(), Run: pop3UTF8},
	}
}

// pop3Open logs in and returns what is in the maildrop.
func pop3Open(t testing.TB, c *pop3client.Client) []pop3client.Entry {
	t.Helper()
	if err := c.Login(t.Context(), User, Password); err != nil {
		c.Close()
		t.Fatal(err)
	}
	list, err := c.Listing(t.Context())
	if err != nil {
		c.Close()
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for i, e := range list {
		if e.Number != i+1 || e.UID == "" || e.Size <= 0 || seen[e.UID] {
			t.Errorf("entry %d is %+v", i, e)
		}
		seen[e.UID] = true
	}
	return list
}

func pop3Read(t testing.TB, server string, c *pop3client.Client) {
	defer c.Close()
	list := pop3Open(t, c)
	all := Messages()
	if len(list) != len(all) {
		t.Fatalf("%d messages, want %d", len(list), len(all))
	}
	for b, err := range c.TopEach(t.Context(), 0, list...) {
		if !check(t, "TOP", err) {
			break
		}
		data, err := io.ReadAll(b)
		check(t, "read", err)
		checkMessage(t, server, b.Number(), data, header(all[b.Number()-1]))
	}
	n := 0
	for b, err := range c.RetrEach(t.Context(), list...) {
		if !check(t, "RETR", err) {
			break
		}
		data, err := io.ReadAll(b)
		check(t, "read", err)
		checkMessage(t, server, b.Number(), data, all[b.Number()-1])
		n++
	}
	if n != len(all) {
		t.Errorf("%d messages came, want %d", n, len(all))
	}
	check(t, "Noop", c.Noop(t.Context()))
	check(t, "Quit", c.Quit(t.Context()))
}

func pop3Hello(t testing.TB, _ string, c *pop3client.Client) {
	defer c.Close()
	pop3Open(t, c)
	check(t, "Quit", c.Quit(t.Context()))
}

func pop3WrongPassword(t testing.TB, _ string, c *pop3client.Client) {
	defer c.Close()
	if err := c.Login(t.Context(), User, "wrong horse"); !errors.Is(err, pop3client.ErrAuth) {
		t.Errorf("Login = %v, want ErrAuth", err)
	}
}

func pop3Delete(t testing.TB, _ string, c *pop3client.Client) {
	defer c.Close()
	list := pop3Open(t, c)
	results, err := c.Dele(t.Context(), 1, 3, len(list))
	if check(t, "Dele", err) {
		for _, err := range results {
			check(t, "DELE", err)
		}
	}
	check(t, "Quit", c.Quit(t.Context()))
}

// pop3Drop deletes, and takes it back by hanging up.
func pop3Drop(t testing.TB, _ string, c *pop3client.Client) {
	defer c.Close()
	pop3Open(t, c)
	_, err := c.Dele(t.Context(), 1)
	check(t, "Dele", err)
}

func pop3Gone(t testing.TB, _ string, c *pop3client.Client) {
	defer c.Close()
	list := pop3Open(t, c)
	missing := pop3client.Entry{Number: len(list) + 7}
	var got, failed int
	for b, err := range c.RetrEach(t.Context(), list[0], missing, list[1]) {
		var me *pop3client.MessageError
		if errors.As(err, &me) && me.Number == missing.Number {
			failed++
			continue
		}
		if check(t, "RETR", err) {
			_, err := io.Copy(io.Discard, b)
			check(t, "read", err)
			got++
		}
	}
	if got != 2 || failed != 1 {
		t.Errorf("%d messages and %d errors, want 2 and 1", got, failed)
	}
	check(t, "Quit", c.Quit(t.Context()))
}

func pop3Break(t testing.TB, _ string, c *pop3client.Client) {
	defer c.Close()
	list := pop3Open(t, c)
	for range c.RetrEach(t.Context(), list...) {
		break
	}
	check(t, "Noop", c.Noop(t.Context()))
	check(t, "Quit", c.Quit(t.Context()))
}

func pop3Empty(t testing.TB, _ string, c *pop3client.Client) {
	defer c.Close()
	if list := pop3Open(t, c); len(list) > 0 {
		t.Errorf("messages %v", list)
	}
	check(t, "Quit", c.Quit(t.Context()))
}

// unended is a message whose last line has no end.
func unended() [][]byte {
	return [][]byte{[]byte("From: jane@example.org\r\nSubject: unended\r\n\r\nno end")}
}

// pop3Unended reads a message to which POP3 has to add a line end. What LIST
// says of its size may be without (QUIRK: Dovecot, Courier and Cyrus).
func pop3Unended(t testing.TB, server string, c *pop3client.Client) {
	defer c.Close()
	list := pop3Open(t, c)
	b, err := c.Retr(t.Context(), list[0].Number)
	if check(t, "RETR", err) {
		data, err := io.ReadAll(b)
		check(t, "read", err)
		checkMessage(t, server, 1, data, append(unended()[0], "\r\n"...))
	}
	check(t, "Quit", c.Quit(t.Context()))
}

// internationalized is a message with a header section in UTF-8 (RFC 6532).
func internationalized() [][]byte {
	return [][]byte{[]byte("From: Zo\u00eb <jane@example.org>\r\nSubject: Gr\u00fc\u00dfe\r\n\r\nText.\r\n")}
}

// pop3UTF8 turns UTF8 on, where that can be, and gets such a message as it is.
//
// QUIRK: Courier sends something else in its place to a client that has not;
// RFC 6856 section 3 lets it.
func pop3UTF8(t testing.TB, server string, c *pop3client.Client) {
	defer c.Close()
	err := c.UTF8(t.Context())
	if !errors.Is(err, errors.ErrUnsupported) {
		check(t, "UTF8", err)
	}
	list := pop3Open(t, c)
	b, err := c.Retr(t.Context(), list[0].Number)
	if check(t, "RETR", err) {
		data, err := io.ReadAll(b)
		check(t, "read", err)
		checkMessage(t, server, 1, data, internationalized()[0])
	}
	check(t, "Quit", c.Quit(t.Context()))
}
