package imapclient_test

import (
	"errors"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

// TestAuthFaults are the faults of the catalogue that befall a login.
func TestAuthFaults(t *testing.T) {
	t.Run("F105 mechanisms are taken away", func(t *testing.T) {
		// Somebody on the way leaves none but LOGIN, where the caller wants better.
		c := play(t, lines("S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi", "C: a1 AUTHENTICATE SCRAM-SHA-256", "S: a1 NO no such mechanism"), nil)
		err := c.Auth(t.Context(), imapclient.Credentials{User: "joe", Password: "secret pass", Mechanisms: []string{"SCRAM-SHA-256"}})
		if err == nil {
			t.Error("no error")
		}
	})
	t.Run("F105 the server hangs up over the first mechanism", func(t *testing.T) {
		c := play(t, lines("S: * OK [CAPABILITY IMAP4rev1 AUTH=CRAM-MD5] hi", "C: a1 AUTHENTICATE CRAM-MD5", "S: + "+b64text("<1.2@mail>"), "C: …", "S: a1 NO [AUTHENTICATIONFAILED] wrong", "C: a2 LOGIN …", "= CLOSE"), nil)
		err := c.Auth(t.Context(), imapclient.Credentials{User: "joe", Password: "secret pass"})
		wants(t, "Auth", err, imapclient.ErrAuth)
		wants(t, "Auth", err, imapclient.ErrUnavailable)
	})
	t.Run("F105 LOGINDISABLED", func(t *testing.T) {
		c := play(t, "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\n", nil)
		wants(t, "Login", c.Login(t.Context(), "joe", "secret pass"), errors.ErrUnsupported)
	})
	t.Run("F105 challenges that are none", func(t *testing.T) {
		for name, challenge := range map[string]string{"not base64": "S: + !!!", "10 MB": "S: + " + strings.Repeat("QUFB", 10<<20/4), "2^32 iterations": "S: + " + b64text("r=x,s=AAAA,i=4294967296")} {
			for _, mechanism := range []string{"CRAM-MD5", "SCRAM-SHA-256"} {
				script := lines("S: * OK [CAPABILITY IMAP4rev1] hi", "C: a1 AUTHENTICATE "+mechanism, challenge)
				if mechanism == "SCRAM-SHA-256" {
					script = lines("S: * OK [CAPABILITY IMAP4rev1] hi", "C: a1 AUTHENTICATE "+mechanism, "S: + ", "C: …", challenge)
				}
				if name == "2^32 iterations" && mechanism == "CRAM-MD5" {
					continue
				}
				err := play(t, script, nil).Auth(t.Context(), imapclient.Credentials{User: "joe", Password: "secret pass", Mechanisms: []string{mechanism}})
				wants(t, name+" "+mechanism, err, imapclient.ErrProtocol)
			}
		}
	})
	t.Run("F105 OK without a signature", func(t *testing.T) {
		c := play(t, lines("S: * OK [CAPABILITY IMAP4rev1] hi", "C: a1 AUTHENTICATE SCRAM-SHA-256", "S: + ", "C: …", "S: a1 OK [CAPABILITY IMAP4rev1] in"), nil)
		err := c.Auth(t.Context(), imapclient.Credentials{User: "joe", Password: "secret pass", Mechanisms: []string{"SCRAM-SHA-256"}})
		wants(t, "Auth", err, imapclient.ErrProtocol)
		_, err = c.Select(t.Context(), "INBOX")
		wants(t, "Select", err, imapclient.ErrProtocol)
	})
	t.Run("F106 odd credentials", func(t *testing.T) {
		long := strings.Repeat("x", 64<<10)
		for _, tt := range []struct{ user, password, line string }{
			{`a"b\c`, `"\`, `C: a1 LOGIN "a\"b\\c" "\"\\"`},
			{"joe", long, `C: a1 LOGIN "joe" "` + long + `"`},
			{"", "", `C: a1 LOGIN "" ""`},
		} {
			c := play(t, lines("S: * OK [CAPABILITY IMAP4rev1] hi", tt.line, "S: a1 OK [CAPABILITY IMAP4rev1] in"), nil)
			wants(t, "Login", c.Login(t.Context(), tt.user, tt.password), nil)
		}
	})
	t.Run("F106 what is said of a token", func(t *testing.T) {
		for mechanism, answer := range map[string]string{"XOAUTH2": "C: ", "OAUTHBEARER": "C: " + b64text("\x01")} {
			c := play(t, lines("S: * OK [CAPABILITY IMAP4rev1 SASL-IR] hi", "C: a1 AUTHENTICATE "+mechanism+" …", "S: + "+b64text(`{"status":"401","schemes":"bearer"}`), answer, "S: a1 NO refused"), nil)
			err := c.Auth(t.Context(), imapclient.Credentials{User: "joe", Token: "t", Mechanisms: []string{mechanism}})
			var e *imapclient.OAuthError
			if wants(t, mechanism, err, imapclient.ErrAuth); !errors.As(err, &e) || e.Status != "401" {
				t.Errorf("%v, want an OAuthError", err)
			}
		}
	})
	t.Run("F107 a line of capabilities of 1 MB", func(t *testing.T) {
		for n, want := range map[int]error{900 << 10: nil, 2 << 20: imapclient.ErrProtocol} {
			caps := strings.Repeat("X-SOMETHING-OR-OTHER ", n/21)
			c := play(t, lines("S: * OK hi", "C: a1 CAPABILITY", "S: * CAPABILITY IMAP4rev1 "+caps+"IDLE", "S: a1 OK"), nil)
			_, err := c.Capabilities(t.Context())
			wants(t, "Capabilities", err, want)
			if want == nil && has(t, c, "IMAP4rev1", "IDLE") == "" {
				t.Error("the capabilities are lost")
			}
		}
	})
	t.Run("F108 not the password", func(t *testing.T) {
		for _, tt := range []struct {
			answer string
			want   error
		}{
			{"NO [UNAVAILABLE] later", imapclient.ErrUnavailable}, {"NO [SYS/TEMP] later", imapclient.ErrUnavailable}, {"NO [LIMIT] 10 connections", imapclient.ErrUnavailable}, {"NO [INUSE] locked", imapclient.ErrUnavailable},
			{"NO [ALERT] Too many simultaneous connections. (Failure)", imapclient.ErrUnavailable}, {"NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", imapclient.ErrAuth}, {"NO [ALERT] Application-specific password required", imapclient.ErrAuth},
			{"NO [EXPIRED] change it", imapclient.ErrAuth}, {"NO [PRIVACYREQUIRED] not so", imapclient.ErrTLS}, {"NO LOGIN failed", imapclient.ErrAuth},
		} {
			c := play(t, lines("S: * OK [CAPABILITY IMAP4rev1] hi", "C: a1 LOGIN …", "S: a1 "+tt.answer), nil)
			err := c.Login(t.Context(), "joe", "secret pass")
			wants(t, tt.answer, err, tt.want)
			if errors.Is(err, imapclient.ErrAuth) != (tt.want == imapclient.ErrAuth) {
				t.Errorf("%s: %v is of two kinds", tt.answer, err)
			}
		}
	})
}
