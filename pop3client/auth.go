package pop3client

import (
	"context"
	"crypto/tls"
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

// maxChallenge is the longest challenge in octets of base64.
const maxChallenge = 64 << 10

// Auth logs in with SASL (AUTH, RFC 5034) by the strongest mechanism that the
// server offers and creds are good for, and asks for the capabilities anew.
// Under TLS the order is SCRAM with channel binding, SCRAM, PLAIN, LOGIN,
// CRAM-MD5, and USER and PASS where neither PLAIN nor LOGIN is offered; or
// OAUTHBEARER, XOAUTH2. If there is none, it is [errors.ErrUnsupported].
//
// A mechanism that the server refuses for other reasons than the credentials,
// as far as that can be told, is followed by the next; but where SCRAM has
// come to its proof, the password is not sent as it is any more. Credentials
// that are refused are [ErrAuth], with an [*OAuthError] if the server says
// why; the session goes on. A server that does not prove what the mechanism
// asks of it is [ErrProtocol], and the connection is closed. Without TLS
// nothing is sent, and the error is [ErrTLS], unless plaintext was asked for.
func (c *Client) Auth(ctx context.Context, creds Credentials) error {
	if err := c.checkSecure("AUTH"); err != nil {
		return err
	}
	defer c.w.reveal()
	c.w.hide(creds.Password)
	c.w.hide(creds.Token)
	c.w.hide(base64.StdEncoding.EncodeToString([]byte(creds.Password)))
	sc := sasl.Credentials{
		User: creds.User, Password: creds.Password, Token: creds.Token, Identity: creds.Identity,
		Mechanisms: creds.Mechanisms, TLS: c.state(),
	}
	mechs, err := sasl.Choose(c.caps.Params("SASL"), &sc)
	if err != nil {
		return fmt.Errorf("pop3: AUTH: %w", err)
	}
	var refused error // the mechanism before
	asIs := false     // a mechanism that shows the password as USER and PASS do
	for _, m := range mechs {
		asIs = asIs || m.Name() == "PLAIN" || m.Name() == "LOGIN"
		final, err := c.authWith(ctx, m)
		if err == nil {
			return c.capa(ctx)
		}
		if refused = c.after(refused, err); final {
			return refused
		}
	}
	if creds.Password != "" && len(creds.Mechanisms) == 0 && !asIs {
		return c.after(refused, c.Login(ctx, creds.User, creds.Password))
	}
	if refused == nil {
		return fmt.Errorf("pop3: AUTH: the server offers %q: %w", c.caps.Params("SASL"), errors.ErrUnsupported)
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

// state returns the state of TLS, or nil without it.
func (c *Client) state() *tls.ConnectionState {
	if st, ok := c.conn.TLS(); ok {
		return &st
	}
	if c.outer != nil {
		st := c.outer.ConnectionState()
		return &st
	}
	return nil
}

// authWith tries one mechanism. final says that there is nothing to be gained
// from another.
func (c *Client) authWith(ctx context.Context, m sasl.Mechanism) (final bool, err error) {
	release, err := c.begin(ctx, "AUTH")
	if err != nil {
		return true, err
	}
	defer release()
	r, why, err := c.converse(m)
	if err == nil && r.ok {
		if err = m.Done(); err == nil {
			return true, nil
		}
		err = c.conn.ProtocolError("%w", err)
	}
	if err != nil {
		return true, c.lost("AUTH", err)
	}
	final, detail := m.Refused()
	if why != nil {
		return final, fmt.Errorf("pop3: AUTH: %w", why)
	}
	refused := c.refused("AUTH", r)
	switch {
	case refused.Code != "" && refused.Code != "AUTH":
		final = true // it cannot serve, with whatever mechanism
	case refused.unsupported && !strings.HasPrefix(m.Name(), "SCRAM-"):
		final = false // it took the credentials for something else
	}
	if detail != nil {
		return final, fmt.Errorf("%w: %w", refused, detail)
	}
	return final, refused
}

// converse has the exchange, up to the reply that ends it; why is the
// mechanism's reason, if it was this side that ended it.
func (c *Client) converse(m sasl.Mechanism) (r reply, why, err error) {
	defer func(n int) { c.w.maxLine = n }(c.w.maxLine)
	c.w.maxLine = max(c.w.maxLine, maxChallenge)
	initial, err := m.Start()
	if err != nil {
		return r, nil, err
	}
	initial, r, err = c.sendAuth(m.Name(), initial)
	for err == nil && r.more {
		challenge, bad := base64.StdEncoding.DecodeString(string(r.text))
		if bad != nil {
			return r, nil, c.conn.ProtocolError("challenge %q is not base64", c.w.quote(r.text))
		}
		response := initial // the first challenge may only ask for it
		if initial = nil; response == nil {
			if response, why = m.Next(challenge); why != nil {
				return c.cancelAuth(why)
			}
			c.w.hide(sasl.ServerProof(m))
		}
		answer := base64.StdEncoding.EncodeToString(response)
		c.w.hide(answer)
		r, err = c.say(answer, "***")
	}
	if err == nil && r.ok && initial != nil {
		err = c.conn.ProtocolError("the server is content before it has the credentials")
	}
	return r, nil, err
}

// sendAuth sends the command, and returns what of the initial response there
// was no room for: a line has at most 255 octets (RFC 5034 section 4), and
// only a server that lists SASL takes one (RFC 2449 section 6.3).
//
// QUIRK: Exchange Online does not take XOAUTH2's in one line with the command.
func (c *Client) sendAuth(name string, initial []byte) ([]byte, reply, error) {
	line, shown := "AUTH "+name, "AUTH "+name
	arg := base64.StdEncoding.EncodeToString(initial)
	c.w.hide(arg)
	if initial != nil && arg == "" {
		arg = "=" // an empty response, which is not none. RFC 5034 section 4.
	}
	if initial != nil && name != "XOAUTH2" && c.caps.Has("SASL") && len(line)+len(" \r\n")+len(arg) <= 255 {
		line, shown, initial = line+" "+arg, shown+" ***", nil
	}
	r, err := c.say(line, shown)
	return initial, r, err
}

// say sends a line and reads the reply, which may ask for more.
func (c *Client) say(line, shown string) (reply, error) {
	err := c.w.queue(line, shown)
	if err == nil {
		err = c.w.flush()
	}
	if err != nil {
		return reply{}, err
	}
	return c.w.reply()
}

// cancelAuth ends an exchange in which the mechanism failed. RFC 5034 section 4.
func (c *Client) cancelAuth(why error) (reply, error, error) {
	if errors.Is(why, ErrProtocol) {
		return reply{}, nil, why
	}
	r, err := c.say("*", "*")
	if err == nil && (r.ok || r.more) {
		err = c.conn.ProtocolError("a cancelled exchange is answered with %q", c.w.quote(c.w.line))
	}
	return r, why, err
}
