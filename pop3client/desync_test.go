package pop3client_test

import (
	"errors"
	"testing"

	"example.com/postbag/pop3client"
)

// A server that says PIPELINING and is not up to it: the error says so, and a
// window of one gets the mail.
func TestDesync(t *testing.T) {
	want := []pop3client.Entry{{Number: 1}, {Number: 2}, {Number: 3}}
	for _, tt := range []struct {
		name string
		send []string
	}{
		{"the rest is lost", nil},
		{"the rest runs together", []string{"two", "."}},
		{"empty line", []string{""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			timed(t, pipelining, func(s *script) {
				s.expect("RETR 1", "RETR 2", "RETR 3")
				s.send("+OK", "one", ".")
				s.send(tt.send...)
				s.expectEnd()
			}, func(t *testing.T, c *pop3client.Client) {
				var last error
				for _, err := range c.RetrEach(t.Context(), want...) {
					last = err
				}
				if !errors.Is(last, pop3client.ErrDesync) || c.Err() == nil {
					t.Errorf("%v, want ErrDesync", last)
				}
			})
		})
	}
	c := loggedIn(t, &pop3client.Options{Window: 1}, pipelining, func(s *script) {
		for _, n := range []string{"1", "2", "3"} {
			s.expect("RETR " + n)
			s.send("+OK", n, ".")
		}
	})
	n := 0
	for _, err := range c.RetrEach(t.Context(), want...) {
		if n++; err != nil {
			t.Error(err)
		}
	}
	if n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
	// One command under way is no pipelining, and nothing of that sort is to blame.
	c = loggedIn(t, nil, pipelining, func(s *script) {
		s.expect("RETR 1")
		s.send("huh")
	})
	for _, err := range c.RetrEach(t.Context(), want[0]) {
		if !errors.Is(err, pop3client.ErrProtocol) || errors.Is(err, pop3client.ErrDesync) {
			t.Errorf("%v, want ErrProtocol and not ErrDesync", err)
		}
	}
}
