package imapclient

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"example.com/postbag/internal/sasl"
)

// Credentials are what [Client.Auth] may show the server.
type Credentials struct {
	User string

	// Password is for SCRAM-SHA-256 and SCRAM-SHA-1, with channel binding
	// (-PLUS) where server and TLS allow it, PLAIN, LOGIN and CRAM-MD5.
	Password string

	// Token is an OAuth 2.0 access token, for OAUTHBEARER and XOAUTH2.
	Token string

	// Identity is whom to act as, if not User (EXTERNAL, PLAIN, SCRAM). With
	// ANONYMOUS it is the trace that the server may note down.
	Identity string

	// Mechanisms, if not empty, are the only ones tried, in this order,
	// whether the server offers them or not. EXTERNAL (a client certificate
	// in Options.TLSConfig) and ANONYMOUS are tried only when named.
	Mechanisms []string
}

// OAuthError is what a server says of an OAuth 2.0 token that it does not
// accept (RFC 7628 section 3.2.2). It is found with errors.As. Its fields are
// Status, such as "invalid_token" or "401", Schemes, Scope, and JSON, the whole
// of it.
type OAuthError = sasl.OAuthError

// maxChallenges is more than any mechanism has.
const maxChallenges = 10

// Auth logs in with SASL (AUTHENTICATE, RFC 9051 section 6.2.2) by the
// strongest mechanism that the server offers and creds are good for. Under TLS
// the order is SCRAM with channel binding, SCRAM, PLAIN, LOGIN, CRAM-MD5, and
// the command LOGIN where neither PLAIN nor LOGIN is offered; or OAUTHBEARER,
// XOAUTH2. If there is none, it is [errors.ErrUnsupported].
//
// A mechanism that the server refuses for other reasons than the credentials,
// as far as that can be told, is followed by the next. Credentials that it
// refuses are [ErrAuth], with an [*OAuthError] if it says why; the session
// goes on. A server that does not prove what the mechanism asks of it is
// [ErrProtocol], and the connection is closed. Without TLS nothing is sent,
// and the error is [ErrTLS], unless plaintext was asked for.
func (c *Client) Auth(ctx context.Context, creds Credentials) error {
	end, err := c.beginAuth(ctx, creds.User, creds.Password, creds.Token, creds.Identity)
	if err != nil {
		return err
	}
	defer end()
	return c.loggedIn(c.tryAll(creds))
}

// tryAll tries one mechanism after the other.
func (c *Client) tryAll(creds Credentials) error {
	sc := sasl.Credentials{
		User: creds.User, Password: creds.Password, Token: creds.Token, Identity: creds.Identity,
		Mechanisms: creds.Mechanisms,
	}
	if state, ok := c.conn.TLS(); ok {
		sc.TLS = &state
	}
	caps := c.caps
	var offered []string
	for _, name := range caps {
		if mechanism, ok := strings.CutPrefix(name, "AUTH="); ok {
			offered = append(offered, mechanism)
		}
	}
	mechs, err := sasl.Choose(offered, &sc)
	if err != nil {
		return fmt.Errorf("imap: AUTHENTICATE: %w", err)
	}
	var refused error // the mechanism before
	asIs := false     // a mechanism that shows the password as LOGIN does
	for _, m := range mechs {
		asIs = asIs || m.Name() == "PLAIN" || m.Name() == "LOGIN"
		final, err := c.authenticate(m, caps.Has("SASL-IR"))
		if err == nil {
			return nil
		}
		if refused = c.after(refused, err); final {
			return refused
		}
	}
	if creds.Password != "" && len(creds.Mechanisms) == 0 && !asIs && !caps.Has("LOGINDISABLED") {
		return c.after(refused, c.login(creds.User, creds.Password))
	}
	if refused == nil {
		return fmt.Errorf("imap: AUTHENTICATE: the server offers %q: %w", offered, errors.ErrUnsupported)
	}
	return refused
}

// after returns the error of one try to log in after another. A server that
// hangs up over what it refuses has said what is wrong, and it is not the line.
func (c *Client) after(refused, err error) error {
	if refused != nil && c.conn.Err() != nil && errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("%w; then %w", refused, err)
	}
	return err
}

// authenticate tries one mechanism. final says that there is nothing to be
// gained from another.
func (c *Client) authenticate(m sasl.Mechanism, ir bool) (final bool, err error) {
	initial, err := m.Start()
	if err != nil {
		return false, fmt.Errorf("imap: AUTHENTICATE: %w", err)
	}
	args := m.Name()
	if initial != nil && ir { // RFC 4959
		arg := c.encode(initial)
		if arg == "" {
			arg = "="
		}
		args, initial = args+" "+arg, nil
	}
	c.caps = nil // others are to come
	tag, err := c.send("AUTHENTICATE", args)
	if err != nil {
		return true, err
	}
	for n := 0; ; n++ {
		more, text, err := c.challenge(tag, "AUTHENTICATE")
		if !more {
			return c.authenticated(m, initial != nil, err)
		}
		if n == maxChallenges {
			return true, c.conn.ProtocolError("imap: AUTHENTICATE: more than %d challenges", maxChallenges)
		}
		challenge, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil && initial == nil {
			return true, c.conn.ProtocolError("imap: AUTHENTICATE: a challenge that is not base64")
		}
		response := initial
		if initial = nil; response == nil {
			if response, err = m.Next(challenge); err != nil {
				return c.cancelAuth(m, tag, err)
			}
			c.hide(sasl.ServerProof(m))
		}
		if err := c.sendLine([]byte(c.encode(response) + "\r\n")); err != nil {
			return true, err
		}
	}
}

// encode returns b in base64, which from now on is a secret.
func (c *Client) encode(b []byte) string {
	s := base64.StdEncoding.EncodeToString(b)
	c.hide(s)
	c.hide(proofIn(b))
	return s
}

// proofIn returns what in a response of SCRAM or CRAM-MD5 shows that the client
// knows the password, or nothing. Passwords can be tried on it.
func proofIn(b []byte) string {
	if _, proof, ok := bytes.Cut(b, []byte(",p=")); ok && bytes.HasPrefix(b, []byte("c=")) {
		return string(proof)
	}
	const digest = 32 // hexadecimal digits
	at := len(b) - digest
	if at > 0 && b[at-1] == ' ' && len(bytes.Trim(b[at:], "0123456789abcdef")) == 0 {
		return string(b[at:])
	}
	return ""
}

// authenticated takes the end of an exchange. unsaid says that the server has
// not had the credentials.
func (c *Client) authenticated(m sasl.Mechanism, unsaid bool, err error) (final bool, _ error) {
	if err == nil {
		if err = m.Done(); err == nil && unsaid {
			err = errors.New("the server is content before it has the credentials")
		}
		if err != nil {
			return true, c.conn.ProtocolError("imap: AUTHENTICATE: %w", err)
		}
		return true, nil
	}
	var refused *Error
	if !errors.As(err, &refused) || c.conn.Err() != nil {
		return true, err
	}
	final, detail := m.Refused()
	switch {
	case refused.Status == "BAD": // it does not know the mechanism
		final = false
	case refused.Code != "" && refused.Code != "AUTHENTICATIONFAILED":
		final = true // it cannot serve, with whatever mechanism
	}
	if detail != nil {
		return final, fmt.Errorf("%w: %w", refused, detail)
	}
	return final, refused
}

// cancelAuth ends an exchange in which the mechanism failed with why.
func (c *Client) cancelAuth(m sasl.Mechanism, tag string, why error) (final bool, err error) {
	if errors.Is(why, ErrProtocol) {
		return true, c.fail(fmt.Errorf("imap: AUTHENTICATE: %w", why))
	}
	if err := c.sendLine([]byte("*\r\n")); err != nil {
		return true, err
	}
	more, _, err := c.challenge(tag, "AUTHENTICATE")
	var refused *Error
	switch {
	case more || err == nil:
		return true, c.conn.ProtocolError("imap: AUTHENTICATE: a cancelled exchange goes on")
	case !errors.As(err, &refused) || c.conn.Err() != nil:
		return true, err
	}
	final, _ = m.Refused()
	return final, fmt.Errorf("imap: AUTHENTICATE: %w", why)
}
