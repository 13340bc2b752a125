package imapclient

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"

	"example.com/postbag/internal/transport"
)

// Login logs in with user and password: by LOGIN (RFC 9051 section 6.2.3), or
// by AUTHENTICATE PLAIN if the server forbids LOGIN or the credentials are not
// all ASCII. Refused credentials are [ErrAuth].
func (c *Client) Login(ctx context.Context, user, password string) error {
	end, err := c.beginAuth(ctx, user, password)
	if err != nil {
		return err
	}
	defer end()
	plain := c.caps.Has("AUTH=PLAIN")
	switch {
	case plain && (c.caps.Has("LOGINDISABLED") || !isASCII(user+password)):
		err = c.authenticate(sasl.NewPlainClient("", user, password))
	case c.caps.Has("LOGINDISABLED"):
		// RFC 9051 section 6.2.3.
		return fmt.Errorf("imap: the server allows neither LOGIN nor AUTHENTICATE PLAIN: %w", errors.ErrUnsupported)
	default:
		err = c.login(user, password)
	}
	return c.loggedIn(err)
}

// loggedIn goes on after authentication. Its capabilities are others than
// those before: what the server has told with its OK, or what it says when
// asked.
func (c *Client) loggedIn(err error) error {
	if err != nil {
		return err
	}
	c.authed = true
	return c.splice()
}

// AuthenticatePlain logs in by AUTHENTICATE PLAIN (RFC 4616) as the user
// authorize, empty for user itself, with the credentials of user.
func (c *Client) AuthenticatePlain(ctx context.Context, authorize, user, password string) error {
	end, err := c.beginAuth(ctx, user, password)
	if err != nil {
		return err
	}
	defer end()
	if err := badArgument("the identity", authorize); err != nil {
		return err
	}
	if !c.caps.Has("AUTH=PLAIN") {
		return fmt.Errorf("imap: the server does not offer AUTHENTICATE PLAIN: %w", errors.ErrUnsupported)
	}
	return c.loggedIn(c.authenticate(sasl.NewPlainClient(authorize, user, password)))
}

// beginAuth checks that credentials may be sent, and sees to it that they are
// not repeated.
func (c *Client) beginAuth(ctx context.Context, user, password string) (end func(), err error) {
	if err := errors.Join(badArgument("the user name", user), badArgument("the password", password)); err != nil {
		return nil, err
	}
	release, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case c.authed:
		err = errors.New("imap: logged in already")
	case !c.insecure:
		err = transport.Mark(ErrTLS, errors.New("imap: credentials are not sent without TLS"))
	default:
		err = c.needCapabilities()
	}
	if err != nil {
		release()
		return nil, err
	}
	if password != "" {
		c.secrets = [][]byte{[]byte(password), []byte(quote(password))}
	}
	return func() {
		c.secrets = nil
		release()
	}, nil
}

// login sends LOGIN. What cannot be quoted is sent as a literal.
func (c *Client) login(user, password string) error {
	c.tags++
	tag := fmt.Sprintf("A%d", c.tags)
	c.caps = nil // others are to come
	line := tag + " LOGIN"
	for _, arg := range []string{user, password} {
		if isASCII(arg) {
			line += " " + quote(arg)
			continue
		}
		if err := c.sendLine(fmt.Appendf(nil, "%s {%d}\r\n", line, len(arg))); err != nil {
			return err
		}
		if _, err := c.challenge(tag, "LOGIN"); err != nil {
			return err
		}
		line = arg
	}
	if err := c.sendLine([]byte(line + "\r\n")); err != nil {
		return err
	}
	return c.authEnd(tag, "LOGIN")
}

// authenticate runs a SASL exchange (RFC 9051 section 6.2.2).
func (c *Client) authenticate(mech sasl.Client) error {
	name, initial, err := mech.Start()
	if err != nil {
		return fmt.Errorf("imap: AUTHENTICATE: %w", err)
	}
	args := name
	if initial != nil && c.caps.Has("SASL-IR") { // RFC 4959
		args, initial = args+" "+c.encode(initial, "="), nil
	}
	c.caps = nil // others are to come
	tag, err := c.send("AUTHENTICATE", args)
	if err != nil {
		return err
	}
	for {
		text, err := c.challenge(tag, "AUTHENTICATE")
		if err != nil {
			return err
		}
		if text == nil {
			return nil // it is over, and well
		}
		answer := initial
		if initial = nil; answer == nil {
			challenge, err := base64.StdEncoding.DecodeString(string(text))
			if err == nil {
				answer, err = mech.Next(challenge)
			}
			if err != nil {
				if err := c.sendLine([]byte("*\r\n")); err != nil { // the way to give up
					return err
				}
				if err := c.authEnd(tag, "AUTHENTICATE"); err != nil && c.conn.Err() != nil {
					return err
				}
				return transport.Mark(ErrAuth, fmt.Errorf("imap: AUTHENTICATE: %w", err))
			}
		}
		if err := c.sendLine([]byte(c.encode(answer, "") + "\r\n")); err != nil {
			return err
		}
	}
}

// encode returns b in base64, which from now on is a secret.
func (c *Client) encode(b []byte, empty string) string {
	if len(b) == 0 {
		return empty
	}
	s := base64.StdEncoding.EncodeToString(b)
	c.secrets = append(c.secrets, []byte(s))
	return s
}

// challenge waits for a continuation and returns its text. At the end of the
// command it returns nil.
func (c *Client) challenge(tag, name string) ([]byte, error) {
	for {
		r, err := c.read()
		if err != nil {
			return nil, err
		}
		switch {
		case r.kind == continuation:
			return append([]byte{}, r.rest()...), nil
		case r.kind == tagged && r.tag == tag:
			return nil, c.ended(r, name)
		case r.kind == tagged:
			return nil, c.conn.ProtocolError("imap: an answer to a command that was not given")
		}
		if err := c.route(r); err != nil {
			return nil, err
		}
	}
}

// authEnd waits for the end of a command that authenticates.
func (c *Client) authEnd(tag, name string) error {
	text, err := c.challenge(tag, name)
	if err == nil && text != nil {
		err = c.conn.ProtocolError("imap: %s: the server waits for more, and there is nothing more", name)
	}
	return err
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// quote returns s as a quoted string. RFC 9051 section 9.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
