package imapclient

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"example.com/postbag/internal/transport"
)

// greet reads the greeting. On an error the connection is closed.
func greet(ctx context.Context, conn *transport.Conn, insecure bool, o *Options) (*Client, error) {
	c := &Client{conn: conn, insecure: insecure}
	if o != nil {
		c.compress, c.id = o.Compress, maps.Clone(o.ID)
	}
	if _, err := idArgs(c.id); err != nil { // at once, not after a login
		conn.Close()
		return nil, err
	}
	end, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := c.greeting(); err != nil {
		c.Close()
		return nil, err
	}
	if _, secure := conn.TLS(); secure {
		c.insecure = true // no longer a question
	}
	return c, nil
}

func (c *Client) greeting() error {
	r, err := c.read()
	if err != nil {
		return err
	}
	if len(r.line) > maxGreeting {
		return c.conn.ProtocolError("imap: a greeting of %d octets", len(r.line))
	}
	status := r.word()
	if r.kind != untagged {
		return c.conn.ProtocolError("imap: this is no IMAP server: its greeting is %q", clip(r.line))
	}
	switch status {
	case "OK":
	case "PREAUTH":
		c.authed = true
	case "BYE", "NO", "BAD": // QUIRK: IceWarp says NO when it has had enough
		e := c.statusError("", status, r.rest())
		return c.fail(transport.Mark(ErrUnavailable, e))
	default:
		return c.conn.ProtocolError("imap: this is no IMAP server: its greeting is %q", clip(r.line))
	}
	c.greeted = true
	c.recognise(string(r.line))
	c.observeCode(r.rest())
	return nil
}

// clip returns the beginning of what a server says, for an error.
func clip(b []byte) []byte { return b[:min(len(b), 80)] }

// startTLS upgrades the connection. RFC 9051 section 6.2.1.
func (c *Client) startTLS(ctx context.Context) error {
	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if c.authed {
		// Somebody on the way may have said so to prevent TLS. RFC 9051
		// section 7.1.4.
		return c.fail(transport.Mark(ErrTLS, errors.New("imap: the session is authenticated before TLS")))
	}
	if err := c.needCapabilities(); err != nil {
		return err
	}
	if !c.caps.Has("STARTTLS") {
		return c.fail(transport.Mark(ErrTLS, errors.New("imap: the server does not offer STARTTLS")))
	}
	if err := c.run("STARTTLS", "", nil); err != nil {
		if c.conn.Err() == nil {
			err = c.fail(transport.Mark(ErrTLS, err))
		}
		return err
	}
	if err := c.conn.StartTLS(ctx); err != nil {
		return fmt.Errorf("imap: STARTTLS: %w", err)
	}
	// What was said before TLS may have been said by anybody.
	c.caps, c.activity, c.insecure = nil, Activity{}, true
	return nil
}
