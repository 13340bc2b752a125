package pop3client

import (
	"context"
	"errors"
	"fmt"

	"example.com/postbag/internal/transport"
)

// Login logs in with USER and PASS (RFC 1939 section 7) and asks for the
// capabilities anew. Credentials that the server refuses are [ErrAuth]; the
// session goes on, and Login may be tried again. Without TLS nothing is sent,
// and the error is [ErrTLS], unless plaintext was asked for.
func (c *Client) Login(ctx context.Context, user, password string) error {
	if err := errors.Join(checkArgument("USER", user), checkArgument("PASS", password)); err != nil {
		return err
	}
	if err := c.checkSecure("USER"); err != nil {
		return err
	}
	release, err := c.begin(ctx, "USER")
	if err != nil {
		return err
	}
	defer release()
	defer c.w.reveal()
	c.w.hide(password)
	if _, err := c.exchange("USER", "USER "+user, "USER "+user); err != nil {
		return err
	}
	// Nothing is sent behind PASS before its reply.
	// QUIRK: Courier offers PIPELINING and loses what comes behind PASS.
	if _, err := c.exchange("PASS", "PASS "+password, "PASS ***"); err != nil {
		return err
	}
	release()
	return c.capa(ctx)
}

// checkSecure refuses to send credentials in the clear.
func (c *Client) checkSecure(verb string) error {
	if c.secure {
		return nil
	}
	return transport.Mark(ErrTLS, fmt.Errorf("pop3: %s: no credentials without TLS", verb))
}
