package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/net/idna"
)

// Options of a connection. The zero value, and nil, are safe defaults.
type Options struct {
	// TLSConfig is cloned; ServerName defaults to the host dialled and
	// MinVersion is never below TLS 1.2. Nil verifies against the system's
	// roots.
	TLSConfig *tls.Config

	// Dial opens the TCP connection. Nil means a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// ConnectTimeout bounds dialling and each TLS handshake. Zero means 30 s.
	ConnectTimeout time.Duration

	// StallTimeout bounds the time without a single byte while the server
	// owes one, or takes none. Zero means 60 s, less than zero no limit.
	StallTimeout time.Duration

	// MinProgress is how many octets of an answer the server must send in 15
	// stall timeouts of waiting. Zero means 2 KiB, less than zero no limit;
	// without a stall timeout there is none either.
	MinProgress int64

	// Transcript, if not nil, is told of every line.
	Transcript *Transcript
}

const (
	defaultConnectTimeout = 30 * time.Second
	defaultStallTimeout   = 60 * time.Second
)

// Dial connects to addr ("host:port", the host may be an IDN) without TLS.
func Dial(ctx context.Context, addr string, o *Options) (*Conn, error) {
	if o == nil {
		o = new(Options)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, Mark(ErrUnavailable, fmt.Errorf("connect: %w", err))
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii // an address literal, or a name with underscores, stays as it is
	}
	dial := o.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	connecting, cancel := context.WithTimeout(ctx, o.connectTimeout())
	defer cancel()
	raw, err := dial(connecting, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, Mark(ErrUnavailable, fmt.Errorf("connect: %w", err))
	}
	return New(raw, host, o), nil
}

// DialTLS connects to addr with TLS from the first byte (RFC 8314).
func DialTLS(ctx context.Context, addr string, o *Options) (*Conn, error) {
	c, err := Dial(ctx, addr, o)
	if err != nil {
		return nil, err
	}
	if err := c.StartTLS(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// StartTLS turns the connection into a TLS one in place, verified for the
// host that was dialled. Octets that the server sent ahead of the handshake
// could be an attacker's: they are refused, never read as part of the session.
// On an error the connection is closed.
func (c *Conn) StartTLS(ctx context.Context) error {
	err := c.handshake(ctx)
	if err == nil {
		return nil
	}
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case isCut(err):
		err = Mark(ErrUnavailable, fmt.Errorf("tls: the connection ended within the handshake: %w", err))
	default:
		err = Mark(ErrTLS, fmt.Errorf("tls: %w", err))
	}
	c.Fail(err)
	return c.Err()
}

// isCut tells whether a handshake failed because the line did, and not for
// what was said: then there is nothing wrong with the server's certificate.
func isCut(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, ErrUnavailable)
}

func (c *Conn) handshake(ctx context.Context) error {
	if c.br.Buffered() > 0 {
		return errors.New("the server sent data ahead of the handshake")
	}
	cfg := &tls.Config{}
	if c.opts.TLSConfig != nil {
		cfg = c.opts.TLSConfig.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = c.host
	}
	if cfg.ServerName == "" && !cfg.InsecureSkipVerify {
		return errors.New("no server name to verify the certificate for")
	}
	cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)

	ctx, cancel := context.WithTimeout(ctx, c.opts.connectTimeout())
	defer cancel()
	secure := tls.Client(c.raw, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	c.cur = secure
	c.mu.Unlock()
	c.br.Reset(wire{c})
	c.opts.Transcript.Begins("TLS")
	c.opts.Transcript.Note("%s", tls.VersionName(secure.ConnectionState().Version))
	return nil
}

func (o *Options) connectTimeout() time.Duration {
	if o.ConnectTimeout <= 0 {
		return defaultConnectTimeout
	}
	return o.ConnectTimeout
}
