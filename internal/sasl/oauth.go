package sasl

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"
)

// OAuthError is what a server says of an OAuth 2.0 token that it does not
// accept (RFC 7628 section 3.2.2; XOAUTH2 alike).
type OAuthError struct {
	Status  string // such as "invalid_token" or "401"
	Schemes string // how to authenticate instead
	Scope   string // what the token must be good for
	JSON    string // the whole of it, as it was sent, or as much as there is room for
}

func (e *OAuthError) Error() string {
	if e.Status == "" {
		return fmt.Sprintf("oauth: %q", e.JSON)
	}
	s := fmt.Sprintf("oauth: status %q", e.Status)
	if e.Scope != "" {
		s += fmt.Sprintf(", scope %q", e.Scope)
	}
	return s
}

// oauth is OAUTHBEARER (RFC 7628) or XOAUTH2 (Google's and Microsoft's). The
// server answers a bad token with a challenge that says why, which has to be
// answered, with nothing that matters, before it reports failure.
type oauth struct {
	name   string
	c      *Credentials
	start  func(*Credentials) ([]byte, error)
	answer []byte

	sent   bool
	detail *OAuthError
}

func newOAuthBearer(c *Credentials) Mechanism {
	return &oauth{name: "OAUTHBEARER", c: c, start: oauthBearer, answer: []byte{1}} // RFC 7628 section 3.2.3
}

func oauthBearer(c *Credentials) ([]byte, error) {
	_, ir, err := sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{
		Username: saslName(c.User), Token: c.Token, Host: c.Host, Port: c.Port,
	}).Start()
	return ir, err
}

func xoauth2(c *Credentials) ([]byte, error) {
	return []byte("user=" + c.User + "\x01auth=Bearer " + c.Token + "\x01\x01"), nil
}

func (m *oauth) Name() string { return m.name }

func (m *oauth) Start() ([]byte, error) {
	m.sent = true
	return m.start(m.c)
}

func (m *oauth) Next(challenge []byte) ([]byte, error) {
	if m.detail != nil {
		return nil, fmt.Errorf("sasl: %s: a second error: %.100q", m.name, m.scrub(string(challenge)))
	}
	all := m.scrub(string(challenge))
	m.detail = &OAuthError{JSON: all[:min(len(all), 1000)]}
	var said struct{ Status, Schemes, Scope any }
	if json.Unmarshal(challenge, &said) == nil {
		m.detail.Status, m.detail.Schemes, m.detail.Scope = m.scrub(text(said.Status)), m.scrub(text(said.Schemes)), m.scrub(text(said.Scope))
	}
	return m.answer, nil
}

// scrub takes the token out of what the server says: it ends in an error.
func (m *oauth) scrub(s string) string { return strings.ReplaceAll(s, m.c.Token, "***") }

// text is a JSON value as text. QUIRK: some servers send the status as a number.
func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func (m *oauth) Done() error {
	if m.detail != nil {
		return fmt.Errorf("sasl: %s: the server reports success after %w", m.name, m.detail)
	}
	return early(m.sent)
}

func (m *oauth) Refused() (bool, error) {
	if m.detail == nil {
		return m.sent, nil
	}
	return true, m.detail
}

// saslName escapes what separates the parts of a GS2 header. RFC 5801 section 4.
func saslName(s string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s)
}
