package pop3client_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"example.com/postbag/pop3client"
)

func TestFuzzSeeds(t *testing.T) {
	for _, dir := range []string{"testdata/fuzz/FuzzBody", "testdata/fuzz/FuzzSession"} {
		if seeds, err := os.ReadDir(dir); err != nil || len(seeds) == 0 {
			t.Errorf("%s: %d seeds, %v", dir, len(seeds), err)
		}
	}
}

// undot is the dot reader as RFC 1939 section 3 tells it, line by line: the
// data, what is behind its end, and whether there is an end.
func undot(wire string) (data, behind string, ended bool) {
	for {
		line, rest, ok := strings.Cut(wire, "\r\n")
		if !ok {
			return data, "", false
		}
		if line == "." {
			return data, rest, true
		}
		data += strings.TrimPrefix(line, ".") + "\r\n"
		wire = rest
	}
}

// dot makes the wire's text of a message whose last line has an end.
func dot(data string) string {
	data = strings.ReplaceAll("\r\n"+data, "\r\n.", "\r\n..")
	return data[2:] + ".\r\n"
}

// pieces cuts s after every n octets.
func pieces(s string, n int) []string {
	var p []string
	for ; len(s) > n; s = s[n:] {
		p = append(p, s[:n])
	}
	return append(p, s)
}

// FuzzBody: whatever the pieces that it comes in, what a server sends is read
// as RFC 1939 says, and a message that is stuffed and read again is the same.
func FuzzBody(f *testing.F) {
	f.Fuzz(func(t *testing.T, wire string, size byte) {
		n := int(size)%17 + 1
		for _, r := range readers {
			want, behind, ended := undot(wire)
			c, b := retr(t, nil, append([]string{"+OK\r\n"}, pieces(wire, n)...)...)
			got, err := r.read(b)
			if !ended {
				if !errors.Is(err, pop3client.ErrTruncated) {
					t.Fatalf("%s of %q in pieces of %d without an end: %v", r.name, wire, n, err)
				}
				continue
			}
			if err != nil || string(got) != want {
				t.Fatalf("%s of %q in pieces of %d = %q, %v, want %q", r.name, wire, n, got, err, want)
			}
			if err := c.Noop(t.Context()); err == nil && !strings.HasPrefix(behind, "+OK") {
				t.Fatalf("%q behind the end was taken for success", behind)
			}
		}
		whole := wire
		if whole != "" && !strings.HasSuffix(whole, "\r\n") {
			whole += "\r\n"
		}
		_, b := retr(t, nil, append([]string{"+OK\r\n"}, pieces(dot(whole), n)...)...)
		if got, err := io.ReadAll(b); err != nil || string(got) != whole {
			t.Fatalf("%q stuffed and read = %q, %v", whole, got, err)
		}
	})
}

// FuzzSession: whatever a server sends, every call ends, with no more than
// was sent, and an error that is not a refusal has ended the session.
func FuzzSession(f *testing.F) {
	f.Fuzz(func(t *testing.T, server string, size byte) {
		conn := &dribble{pieces: pieces(server, int(size)+1)}
		c, err := pop3client.New(t.Context(), conn, &pop3client.Options{
			AllowPlaintext: true, ForcePipelining: size%2 == 0, Window: int(size) % 5, MaxDrain: 500, MaxMessageSize: 200,
		})
		check := func(call string, err error) {
			var refused *pop3client.Error
			if err != nil && !errors.As(err, &refused) && c.Err() == nil {
				t.Fatalf("%s = %v, and the session goes on", call, err)
			}
		}
		if err != nil {
			return
		}
		defer c.Close()
		if size%3 == 0 {
			err := c.Auth(t.Context(), pop3client.Credentials{User: "joe", Password: "secret", Token: "token", Mechanisms: []string{"OAUTHBEARER", "SCRAM-SHA-1", "CRAM-MD5", "LOGIN"}})
			if err != nil && c.Err() == nil {
				err = &pop3client.Error{} // refused, or cancelled
			}
			check("Auth", err)
		} else {
			check("Login", c.Login(t.Context(), "joe", "secret"))
		}
		list, err := c.Listing(t.Context())
		if !errors.Is(err, errors.ErrUnsupported) {
			check("Listing", err)
		}
		list = append(list[:min(len(list), 10)], pop3client.Entry{Number: 1, Size: -1}, pop3client.Entry{Number: 2, Size: 1 << 62})
		var all bytes.Buffer
		i := 0
		for b, err := range c.RetrEach(t.Context(), list...) {
			if err != nil {
				check("RetrEach", err)
				continue
			}
			if i++; i%3 == 0 {
				continue
			}
			if _, err := io.Copy(&all, b); err != nil && !errors.Is(err, pop3client.ErrTooLarge) {
				check("reading", err)
			}
		}
		for b, err := range c.TopEach(t.Context(), 0, list...) {
			if err == nil {
				io.CopyN(&all, b, 3)
			}
			break
		}
		if all.Len() > len(server) {
			t.Fatalf("%d octets of messages from %d octets of the server", all.Len(), len(server))
		}
		_, err = c.Dele(t.Context(), 1, 2, 3)
		check("Dele", err)
		if err := c.Quit(t.Context()); err == nil && !strings.Contains(server, "+OK") {
			t.Fatal("Quit is confirmed by a server that never said +OK")
		}
		if c.Err() == nil {
			t.Fatal("the session goes on after Quit")
		}
	})
}
