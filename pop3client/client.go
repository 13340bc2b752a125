package pop3client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"

	"example.com/postbag/internal/transport"
)

// Client is one POP3 session. It belongs to one goroutine; Close, Err and
// Stats may be called from any.
type Client struct {
	opts     Options
	conn     *transport.Conn
	w        *wire
	secure   bool // TLS, or plaintext was asked for
	tls      bool
	outer    *tls.Conn // TLS that New was given
	greeting string
	caps     Capabilities
	marked   map[int]bool      // accepted by DELE and not undone
	works    map[string]bool   // commands that have succeeded
	lacks    map[string]*Error // commands that the server says it does not have

	busy bool  // within a loop over messages
	body *Body // the message that is open, or was left half-read
	owed owed  // replies that no one will look at
}

// Dial connects to addr ("host:port", usually port 995) with TLS from the
// first octet (RFC 8314), reads the greeting and asks for the capabilities.
func Dial(ctx context.Context, addr string, o *Options) (*Client, error) {
	opts := o.withDefaults()
	conn, err := transport.DialTLS(ctx, addr, opts.transport())
	if err != nil {
		return nil, fmt.Errorf("pop3: %w", err)
	}
	c := newClient(conn, opts)
	c.secure, c.tls = true, true
	return c.started(c.start(ctx, false))
}

// DialStartTLS connects to addr (usually port 110) and turns to TLS with STLS
// (RFC 2595) before anything else. A server that cannot do that is [ErrTLS].
func DialStartTLS(ctx context.Context, addr string, o *Options) (*Client, error) {
	opts := o.withDefaults()
	conn, err := transport.Dial(ctx, addr, opts.transport())
	if err != nil {
		return nil, fmt.Errorf("pop3: %w", err)
	}
	c := newClient(conn, opts)
	return c.started(c.start(ctx, true))
}

// DialPlaintext connects to addr without TLS. Whoever is on the way can read
// and change everything, the password and the mail.
func DialPlaintext(ctx context.Context, addr string, o *Options) (*Client, error) {
	opts := o.withDefaults()
	conn, err := transport.Dial(ctx, addr, opts.transport())
	if err != nil {
		return nil, fmt.Errorf("pop3: %w", err)
	}
	c := newClient(conn, opts)
	c.secure = true
	return c.started(c.start(ctx, false))
}

// New begins a session on a connection that is open already, such as one
// through a proxy. A *tls.Conn counts as TLS; on any other no credential is
// sent before [Client.StartTLS] unless Options.AllowPlaintext is set. On an
// error the connection is closed.
func New(ctx context.Context, conn net.Conn, o *Options) (*Client, error) {
	opts := o.withDefaults()
	host := ""
	if opts.TLSConfig != nil {
		host = opts.TLSConfig.ServerName
	}
	c := newClient(transport.New(conn, host, opts.transport()), opts)
	c.outer, c.tls = conn.(*tls.Conn)
	c.secure = c.tls || opts.AllowPlaintext
	return c.started(c.start(ctx, false))
}

func newClient(conn *transport.Conn, opts Options) *Client {
	return &Client{
		opts:   opts,
		conn:   conn,
		w:      &wire{conn: conn, maxLine: opts.MaxLine},
		marked: make(map[int]bool),
		works:  make(map[string]bool),
		lacks:  make(map[string]*Error),
	}
}

func (c *Client) started(err error) (*Client, error) {
	if err != nil {
		c.conn.Fail(err)
		return nil, err
	}
	return c, nil
}

func (c *Client) start(ctx context.Context, upgrade bool) error {
	release := c.conn.Bind(ctx)
	r, err := c.w.greet()
	release()
	switch {
	case err != nil:
		return fmt.Errorf("pop3: greeting: %w", err)
	case r.more:
		return c.lost("greeting", c.conn.ProtocolError("%q is no greeting", c.w.quote(c.w.line)))
	case !r.ok:
		return c.refused("greeting", r)
	}
	c.greeting = strings.TrimSpace(string(r.text))
	if upgrade {
		return c.StartTLS(ctx)
	}
	return c.capa(ctx)
}

// StartTLS turns the session to TLS with STLS (RFC 2595 section 4), verified
// for Options.TLSConfig.ServerName or the host dialled, and asks for the
// capabilities anew. It is for sessions begun by [New]. On any failure the
// connection is closed: a server that refuses cannot be told from an attacker
// who does, and both are [ErrTLS].
func (c *Client) StartTLS(ctx context.Context) error {
	if c.tls {
		return fmt.Errorf("pop3: STLS: the session has TLS already")
	}
	release, err := c.begin(ctx, "STLS")
	if err != nil {
		return err
	}
	defer release()
	if _, err := c.exchange("STLS", "STLS", "STLS"); err != nil {
		c.conn.Fail(err)
		return err
	}
	if err := c.conn.StartTLS(ctx); err != nil {
		return c.lost("STLS", err)
	}
	release()
	c.secure, c.tls = true, true
	return c.capa(ctx)
}

// Greeting returns the text of the server's greeting.
func (c *Client) Greeting() string { return c.greeting }

// Pipelining tells whether more than one command will be under way at a time.
// It is known after login.
func (c *Client) Pipelining() bool { return c.depth() > 1 }

func (c *Client) depth() int {
	if c.opts.ForcePipelining || c.caps.Has("PIPELINING") {
		return c.opts.Window
	}
	return 1
}

// Err returns why the connection is closed, or nil while it is open.
func (c *Client) Err() error { return c.conn.Err() }

// Stats is what a session has cost on the wire so far.
type Stats struct {
	In, Out    int64 // octets, TLS included
	RoundTrips int64 // times the client spoke after the server had
}

// Stats returns the counts so far.
func (c *Client) Stats() Stats {
	s := c.conn.Stats()
	return Stats{In: s.In, Out: s.Out, RoundTrips: s.RoundTrips}
}

// Close ends the session without QUIT, so that the server deletes nothing
// (RFC 1939 section 6), and without reading what is still under way. It is
// not an error to close twice.
func (c *Client) Close() error { return c.conn.Close() }
