package retrieval_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// TestToken logs in with an OAuth 2.0 access token.
func TestToken(t *testing.T) {
	const token = "ya29.a-token"
	said := base64.StdEncoding.EncodeToString([]byte("user=user\x01auth=Bearer " + token + "\x01\x01"))
	why := base64.StdEncoding.EncodeToString([]byte(`{"status":"401","schemes":"bearer"}`))
	for _, tt := range []struct {
		name, session string
		want          error
	}{
		{"imap", "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN] hi\nC: a1 AUTHENTICATE XOAUTH2 " + said + "\nS: a1 OK [CAPABILITY IMAP4rev1 UIDPLUS] in\nC: a2 SELECT INBOX\nS: * 0 EXISTS\nS: * OK [UIDVALIDITY 1] v\nS: a2 OK\n", nil},
		{"imap, refused", "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN] hi\nC: a1 AUTHENTICATE XOAUTH2 " + said + "\nS: + " + why + "\nC: \nS: a1 NO no\n", retrieval.ErrAuth},
		{"pop3", "S: +OK hi\nC: CAPA\nS: +OK\nS: SASL PLAIN XOAUTH2\nS: UIDL\nS: .\nC: AUTH XOAUTH2\nS: + \nC: " + said + "\nS: +OK\nC: CAPA\nS: +OK\nS: UIDL\nS: .\n", nil},
		{"pop3, refused", "S: +OK hi\nC: CAPA\nS: +OK\nS: SASL PLAIN XOAUTH2\nS: UIDL\nS: .\nC: AUTH XOAUTH2\nS: + \nC: " + said + "\nS: + " + why + "\nC: \nS: -ERR no\n", retrieval.ErrAuth},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := retrievaltest.ReplayBytes(t, tt.name, []byte(tt.session))
			a.User, a.Password = "user", nil
			a.Token = func(context.Context) (string, error) { return token, nil }
			r, err := retrieval.Open(t.Context(), a)
			if err == nil {
				r.Close()
			}
			if !errors.Is(err, tt.want) || err != nil && strings.Contains(err.Error(), token) {
				t.Errorf("Open = %v, want %v", err, tt.want)
			}
		})
	}
}

// An account whose token cannot be had says so, and sends nothing.
func TestNoToken(t *testing.T) {
	a := retrievaltest.ReplayBytes(t, "session", []byte("S: +OK hi\nC: CAPA\nS: +OK\nS: SASL XOAUTH2\nS: .\n"))
	expired := errors.New("the refresh token has expired")
	a.Token = func(context.Context) (string, error) { return "", expired }
	if _, err := retrieval.Open(t.Context(), a); !errors.Is(err, expired) || !errors.Is(err, retrieval.ErrAuth) {
		t.Errorf("Open = %v, want ErrAuth and the cause", err)
	}
}
