package pop3client_test

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"example.com/postbag/internal/pop3server"
	"example.com/postbag/pop3client"
)

func TestCapabilities(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		capa       []string
		expire     time.Duration
		hasExpire  bool
		delay      time.Duration
		hasDelay   bool
		serverName string
	}{
		{capa: []string{"TOP"}},
		{capa: []string{"EXPIRE 60 USER", "LOGIN-DELAY 900 USER", "IMPLEMENTATION Shlemazle-Plotz v302"}, // RFC 2449
			expire: 60 * day, hasExpire: true, delay: 15 * time.Minute, hasDelay: true, serverName: "Shlemazle-Plotz v302"},
		{capa: []string{"expire never"}, expire: pop3client.Never, hasExpire: true},
		{capa: []string{"EXPIRENEVER"}, expire: pop3client.Never, hasExpire: true}, // Mailutils
		{capa: []string{"EXPIRE 0"}, hasExpire: true},
		{capa: []string{"EXPIRE 9223372036854775807"}, expire: pop3client.Never, hasExpire: true},
		{capa: []string{"EXPIRE", "LOGIN-DELAY"}},
		{capa: []string{"EXPIRE -1", "LOGIN-DELAY soon"}},
		{capa: []string{"", " ", "EXPIRE 1 2 3"}, expire: day, hasExpire: true},
	} {
		cs := pop3client.Capabilities(tt.capa)
		if d, ok := cs.Expire(); d != tt.expire || ok != tt.hasExpire {
			t.Errorf("%q: Expire = %v, %v", tt.capa, d, ok)
		}
		if d, ok := cs.LoginDelay(); d != tt.delay || ok != tt.hasDelay {
			t.Errorf("%q: LoginDelay = %v, %v", tt.capa, d, ok)
		}
		if s := cs.Implementation(); s != tt.serverName {
			t.Errorf("%q: Implementation = %q", tt.capa, s)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	c, err := start(t, nil, func(s *script) {
		s.send("+OK ready")
		s.capa("LOGIN-DELAY 120")
		s.expect("USER joe")
		s.send("+OK")
		s.expect("PASS secret")
		s.send("-ERR [LOGIN-DELAY] patience")
	})
	if err != nil {
		t.Fatal(err)
	}
	var e *pop3client.Error
	if err := c.Login(t.Context(), "joe", "secret"); !errors.As(err, &e) || e.RetryAfter != 2*time.Minute || !e.Temporary() || e.Permanent() {
		t.Errorf("Login = %#v, want RetryAfter of two minutes", err)
	}
}

func TestClasses(t *testing.T) {
	for _, tt := range []struct {
		e                    pop3client.Error
		temporary, permanent bool
	}{
		{pop3client.Error{Command: "PASS", Code: "SYS/TEMP"}, true, false},
		{pop3client.Error{Command: "PASS", Code: "SYS/TEMP/DISK"}, true, false},
		{pop3client.Error{Command: "PASS", Code: "SYS/PERM"}, false, true},
		{pop3client.Error{Command: "PASS", Code: "SYS/PERMIT"}, false, false},
		{pop3client.Error{Command: "PASS", Code: "IN-USE"}, true, false},
		{pop3client.Error{Command: "PASS"}, false, false},
		{pop3client.Error{Command: "greeting"}, true, false},
	} {
		if tt.e.Temporary() != tt.temporary || tt.e.Permanent() != tt.permanent || errors.Is(&tt.e, pop3client.ErrUnavailable) != tt.temporary {
			t.Errorf("%v: temporary %v, permanent %v", &tt.e, tt.e.Temporary(), tt.e.Permanent())
		}
	}
}

// TOP and UIDL where CAPA does not list them, or lists what is not there.
func TestProbing(t *testing.T) {
	for _, tt := range []struct {
		name      string
		capa      []string
		refusal   string
		supported bool // so that the refusal is of this message alone
		remembers bool
	}{
		{"not listed, refused", []string{"UIDL"}, "-ERR no", false, false},
		{"not listed, unknown", []string{"UIDL"}, "-ERR Unknown command.", false, true},
		{"listed, unknown", []string{"TOP"}, "-ERR not implemented", false, true},
		{"listed, refused", []string{"TOP"}, "-ERR no", true, false},
		{"not listed, gone", nil, "-ERR no such message", true, false},
		{"not listed, code", nil, "-ERR [SYS/TEMP] not supported just now", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := loggedIn(t, nil, tt.capa, func(s *script) {
				s.expect("TOP 1 0")
				s.send(tt.refusal)
				if !tt.remembers {
					s.expect("TOP 2 0")
					s.send("+OK", ".")
				}
				s.expect("NOOP")
				s.send("+OK")
			})
			_, err := c.Top(t.Context(), 1, 0)
			if errors.Is(err, errors.ErrUnsupported) == tt.supported {
				t.Errorf("Top = %v", err)
			}
			if _, err := c.Top(t.Context(), 2, 0); errors.Is(err, errors.ErrUnsupported) != tt.remembers {
				t.Errorf("the second Top = %v", err)
			}
			for _, err := range c.TopEach(t.Context(), 0, nil...) {
				t.Errorf("TopEach of nothing yields %v", err)
			}
			if err := c.Noop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("UIDL", func(t *testing.T) {
		c := loggedIn(t, nil, nil, func(s *script) {
			s.expect("UIDL")
			s.send("-ERR")
			s.expect("NOOP")
			s.send("+OK")
		})
		for range 2 {
			if _, err := c.UIDL(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("UIDL = %v, want ErrUnsupported", err)
			}
		}
		for _, err := range c.UIDLEach(t.Context(), 1) {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("UIDLEach = %v, want ErrUnsupported", err)
			}
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("not listed, but there", func(t *testing.T) {
		srv := serve(t, pop3server.Options{User: "joe", Password: "secret", NoCAPA: true})
		messages(srv, 1)
		c := session(t, srv, nil)
		b, err := c.Top(t.Context(), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(b); err != nil {
			t.Error(err)
		}
		if list, err := c.UIDL(t.Context()); len(list) != 1 || err != nil {
			t.Errorf("UIDL = %v, %v", list, err)
		}
	})
}

func TestUTF8(t *testing.T) {
	c, err := start(t, nil, func(s *script) {
		s.send("+OK ready")
		s.capa("UTF8 USER", "LANG")
		s.expect("UTF8")
		s.send("+OK")
		s.expect("LANG")
		s.send("+OK", "en English", "de Deutsch", "i-default", ".")
		s.expect("LANG de")
		s.send("+OK de Sprache gewechselt")
		s.expect("LANG xx")
		s.send("-ERR kenne ich nicht")
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.UTF8(t.Context()); err != nil {
		t.Error(err)
	}
	want := []pop3client.Language{{"en", "English"}, {"de", "Deutsch"}, {"i-default", ""}}
	if list, err := c.Languages(t.Context()); err != nil || !slices.Equal(list, want) {
		t.Errorf("Languages = %v, %v", list, err)
	}
	if text, err := c.SetLanguage(t.Context(), "de"); err != nil || text != "de Sprache gewechselt" {
		t.Errorf("SetLanguage(de) = %q, %v", text, err)
	}
	if _, err := c.SetLanguage(t.Context(), "xx"); err == nil {
		t.Error("SetLanguage(xx) works")
	}
	for _, tag := range []string{"", "de en", "de\r\nQUIT"} {
		if _, err := c.SetLanguage(t.Context(), tag); err == nil {
			t.Errorf("SetLanguage(%q) works", tag)
		}
	}
}

func TestNotOffered(t *testing.T) {
	c := loggedIn(t, nil, nil, func(s *script) { s.expectEnd() })
	_, err1 := c.Languages(t.Context())
	_, err2 := c.SetLanguage(t.Context(), "de")
	for _, err := range []error{c.UTF8(t.Context()), err1, err2} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v, want ErrUnsupported", err)
		}
	}
	c.Close()
}

// What was found out before login is nothing to go by after it.
func TestForgottenAtLogin(t *testing.T) {
	c, err := start(t, nil, func(s *script) {
		s.send("+OK ready")
		s.capa("PIPELINING")
		s.expect("TOP 1 0")
		s.send("-ERR unknown command before login")
		s.expect("USER joe")
		s.send("+OK")
		s.expect("PASS secret")
		s.send("+OK")
		s.expect("CAPA")
		s.send("-ERR not now")
		s.expect("TOP 1 0")
		s.send("+OK", ".")
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Top(t.Context(), 1, 0); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Top before login = %v", err)
	}
	if err := c.Login(t.Context(), "joe", "secret"); err != nil {
		t.Fatal(err)
	}
	if c.Pipelining() || c.Capabilities() != nil {
		t.Errorf("the capabilities from before login: %q", c.Capabilities())
	}
	if _, err := c.Top(t.Context(), 1, 0); err != nil {
		t.Errorf("Top after login = %v", err)
	}
}
