package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
)

func TestParseURL(t *testing.T) {
	type account struct {
		protocol retrieval.Protocol
		security retrieval.Security
		user     string
		host     string
		port     int
		mailbox  string
		identity string
	}
	for _, tt := range []struct {
		url  string
		want account
	}{
		{"imaps://joe@mail.example.com", account{retrieval.IMAP, retrieval.TLS, "joe", "mail.example.com", 0, "", "imap://joe@mail.example.com"}},
		{"imap://joe@mail.example.com/Sent", account{retrieval.IMAP, retrieval.StartTLS, "joe", "mail.example.com", 0, "Sent", "imap://joe@mail.example.com"}},
		{"imaps://joe%40example.com@[::1]:1993/Lists/a%20b", account{retrieval.IMAP, retrieval.TLS, "joe@example.com", "::1", 1993, "Lists/a b", "imap://joe@example.com@[::1]:1993"}},
		{"pop3s://joe@Mail.Example.com/", account{retrieval.POP3, retrieval.TLS, "joe", "Mail.Example.com", 0, "", "pop3://joe@mail.example.com"}},
		{"imaps://joe@[::1]:993", account{retrieval.IMAP, retrieval.TLS, "joe", "::1", 993, "", "imap://joe@[::1]"}},
		{"imaps://joe@mail.example.com:143", account{retrieval.IMAP, retrieval.TLS, "joe", "mail.example.com", 143, "", "imap://joe@mail.example.com"}},
		{"pop3://joe@mail.example.com", account{retrieval.POP3, retrieval.StartTLS, "joe", "mail.example.com", 0, "", "pop3://joe@mail.example.com"}},
	} {
		a, err := retrieval.ParseURL(tt.url)
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		got := account{a.Protocol, a.Security, a.User, a.Host, a.Port, a.Mailbox, a.Identity()}
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.url, got, tt.want)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	const secret = "hunter2"
	for _, url := range []string{
		"", "mail.example.com", "http://joe@mail.example.com", "imaps://mail.example.com", "imaps://joe@",
		"imaps://joe@mail.example.com:0", "imaps://joe@mail.example.com:65536", "imaps://joe@mail.example.com:x",
		"pop3s://joe@mail.example.com/INBOX", "imaps://joe@mail.example.com/a?b", "imaps://joe@mail.example.com/a#b",
		"imaps://joe:" + secret + "@mail.example.com", "imaps://joe:" + secret + "@mail.example.com:x", "imaps://joe:" + secret + "%zz@mail.example.com",
		"imaps://joe:" + secret + "/x@mail.example.com", "imaps://joe:x/" + secret + "@mail.example.com", "imaps://joe:" + secret + "?@mail.example.com",
		"imaps://joe:765432/@mail.example.com", "imaps://joe:%" + secret, "imaps://joe@[" + secret + "]", secret + " x://joe@mail.example.com",
	} {
		_, err := retrieval.ParseURL(url)
		if err == nil {
			t.Errorf("%q is accepted", url)
		} else if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "765432") {
			t.Errorf("%q: the password is in the error: %v", url, err)
		}
	}
}

func TestAccountShowsNoSecret(t *testing.T) {
	const secret = "hunter2"
	a := retrieval.Account{Protocol: retrieval.POP3, Host: "localhost", User: "joe", Password: func(context.Context) (string, error) { return secret, nil }}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, a); strings.Contains(s, secret) {
			t.Errorf("%s of an Account shows the password: %s", verb, s)
		}
	}
}

// What a protocol cannot do is said before anything is sent: there is no
// server at this address.
func TestOpenRefuses(t *testing.T) {
	password := func(context.Context) (string, error) { return "", nil }
	good := retrieval.Account{Protocol: retrieval.POP3, Host: "127.0.0.1", Port: 1, User: "joe", Password: password}
	for _, tt := range []struct {
		name   string
		change func(*retrieval.Account)
		kind   error // nil: any
	}{
		{"ServerSync over POP3", func(a *retrieval.Account) { a.Policy = retrieval.ServerSync }, errors.ErrUnsupported},
		{"a mailbox over POP3", func(a *retrieval.Account) { a.Mailbox = "Sent" }, errors.ErrUnsupported},
		{"no protocol", func(a *retrieval.Account) { a.Protocol = "" }, nil},
		{"no password", func(a *retrieval.Account) { a.Password = nil }, nil},
		{"no user", func(a *retrieval.Account) { a.User = "" }, nil},
	} {
		a := good
		tt.change(&a)
		_, err := retrieval.Open(t.Context(), a)
		if err == nil || errors.Is(err, retrieval.ErrUnavailable) || tt.kind != nil && !errors.Is(err, tt.kind) {
			t.Errorf("%s: %v, want a refusal before the connection is tried", tt.name, err)
		}
	}
	if _, err := retrieval.Open(t.Context(), good); !errors.Is(err, retrieval.ErrUnavailable) {
		t.Errorf("a port where nobody listens: %v, want ErrUnavailable", err)
	}
}
