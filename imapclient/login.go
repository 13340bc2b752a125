package imapclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/postbag/internal/transport"
)

// Login logs in with user and password by LOGIN (RFC 9051 section 6.2.3), or
// by AUTHENTICATE PLAIN if the server forbids LOGIN or the credentials are not
// all ASCII. Credentials that the server refuses are [ErrAuth]; the session
// goes on, and Login may be tried again. Without TLS nothing is sent, and the
// error is [ErrTLS], unless plaintext was asked for.
func (c *Client) Login(ctx context.Context, user, password string) error {
	end, err := c.beginAuth(ctx, user, password)
	if err != nil {
		return err
	}
	defer end()
	disabled := c.caps.Has("LOGINDISABLED")
	switch {
	case c.caps.Has("AUTH=PLAIN") && (disabled || !isASCII(user+password)):
		err = c.tryAll(Credentials{User: user, Password: password, Mechanisms: []string{"PLAIN"}})
	case disabled: // RFC 9051 section 6.2.3
		err = fmt.Errorf("imap: the server allows neither LOGIN nor AUTHENTICATE PLAIN: %w", errors.ErrUnsupported)
	default:
		err = c.login(user, password)
	}
	return c.loggedIn(err)
}

// beginAuth checks that credentials may be sent, and sees to it that they are
// not repeated to anybody.
func (c *Client) beginAuth(ctx context.Context, user string, secrets ...string) (end func(), err error) {
	for _, s := range secrets {
		err = errors.Join(err, badArgument("the password", s))
	}
	if err := errors.Join(badArgument("the user name", user), err); err != nil {
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
	for _, s := range secrets {
		c.hide(s)
		c.hide(quote(s))
	}
	return func() {
		if c.authed { // a refusal may have an afterword
			c.secrets = nil
		}
		release()
	}, nil
}

// hide sees to it that s is not repeated.
func (c *Client) hide(s string) {
	const most = 1000 // a server lets nobody try so often
	if s == "" || s == `""` || len(c.secrets) >= most || slices.ContainsFunc(c.secrets, func(old []byte) bool { return string(old) == s }) {
		return
	}
	c.secrets = append(c.secrets, []byte(s))
}

// loggedIn goes on after authentication. The capabilities are others than
// those before: what the server has told meanwhile, or what it says when
// asked.
func (c *Client) loggedIn(err error) error {
	if err != nil {
		return err
	}
	c.authed = true
	return c.settleIn()
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
		if more, _, err := c.challenge(tag, "LOGIN"); err != nil || !more {
			return err
		}
		line = arg
	}
	if err := c.sendLine([]byte(line + "\r\n")); err != nil {
		return err
	}
	more, _, err := c.challenge(tag, "LOGIN")
	if more {
		err = c.conn.ProtocolError("imap: LOGIN: the server waits for more, and there is nothing more")
	}
	return err
}

// challenge waits for a continuation, and returns its text, or for the end of
// the command tag, and returns what it ended with.
func (c *Client) challenge(tag, name string) (more bool, text []byte, err error) {
	for {
		r, err := c.read()
		if err != nil {
			return false, nil, err
		}
		switch {
		case r.kind == continuation:
			return true, append([]byte{}, r.rest()...), nil
		case r.kind == tagged && r.tag == tag:
			return false, nil, c.ended(r, name)
		case r.kind == tagged:
			return false, nil, c.conn.ProtocolError("imap: an answer to a command that was not given")
		}
		if err := c.route(r); err != nil {
			return false, nil, err
		}
	}
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
