package imapclient

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"time"

	"example.com/postbag/internal/transport"
)

// Options of a client. The zero value, and nil, are the safe defaults.
type Options struct {
	// TLSConfig is cloned. ServerName defaults to the host dialled; TLS 1.2 is
	// the least. Nil verifies against the system's roots.
	TLSConfig *tls.Config

	// Dial opens the TCP connection. Nil means a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// ConnectTimeout bounds dialling and each TLS handshake. Zero means 30 s.
	ConnectTimeout time.Duration

	// StallTimeout bounds the time without a single octet while the server
	// owes one, or takes none. Zero means 60 s, less than zero no limit.
	StallTimeout time.Duration

	// MinProgress is how many octets of an answer the server must send in 15
	// stall timeouts that are spent waiting for it, so that one which sends an
	// octet a second does not hold the client for ever. Zero means 2 KiB, which
	// is 2.3 octets a second; less than zero no limit.
	MinProgress int64

	// Compress is when to compress the connection, if the server can: by
	// default after login, unless the server is on this machine.
	Compress Compress

	// ID is what the client tells of itself after login, where the server
	// takes that (RFC 2971): "name", "version" and so on. Nil tells nothing,
	// except a name to servers that demand one.
	ID map[string]string

	// Transcript, if not nil, is written each line of the session, with "***"
	// for secrets and the number of octets for messages.
	Transcript io.Writer
}

// Compress is when to compress a connection (COMPRESS=DEFLATE, RFC 4978).
type Compress int

// The times.
const (
	CompressAuto   Compress = iota // unless the server is on this machine
	CompressNever                  // never
	CompressAlways                 // always, if the server can
)

// The limits on what a server may send. A line of text may be long (a SEARCH
// names all it found, a BODYSTRUCTURE 10,000 parts that anybody may send), but
// no message is in it.
const (
	maxGreeting   = 8 << 10  // octets of a greeting
	maxLine       = 1 << 20  // octets of a line
	maxLiteral    = 64 << 10 // octets of a literal that is no message
	maxUnasked    = 64 << 20 // octets of responses that nobody waits for, a command
	maxKept       = 32 << 20 // octets of responses that a command's result is made of
	maxDepth      = 64       // of nested parentheses
	maxFlags      = 1000     // of one message or mailbox
	maxMailboxes  = 1 << 20  // in a LIST
	maxName       = 1024     // octets of a mailbox name that is sent
	maxOddNames   = 10_000   // mailbox names that are kept as the server has them
	maxMessages   = 10 << 20 // in one FETCH of summaries
	maxSearchLine = 16 << 20 // octets of a line that tells what was found
	maxRowLine    = 4 << 20  // octets of a line that tells of one message
	maxSet        = 8000     // octets of a UID set that is sent: RFC 9051 section 4.3.1 asks servers to take 8192
)

// Dial connects to addr ("host:port") with TLS from the first octet, port 993
// (RFC 8314).
func Dial(ctx context.Context, addr string, o *Options) (*Client, error) {
	conn, err := transport.DialTLS(ctx, addr, o.transport())
	if err != nil {
		return nil, err
	}
	return greet(ctx, conn, false, o)
}

// DialStartTLS connects to addr, port 143, and demands STARTTLS (RFC 9051
// section 6.2.1). A server that does not offer it, or is authenticated before
// it, is [ErrTLS].
func DialStartTLS(ctx context.Context, addr string, o *Options) (*Client, error) {
	conn, err := transport.Dial(ctx, addr, o.transport())
	if err != nil {
		return nil, err
	}
	c, err := greet(ctx, conn, false, o)
	if err != nil {
		return nil, err
	}
	if err := c.startTLS(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// DialPlaintext connects to addr without TLS: password and mail can be read,
// and changed, by anybody on the way.
func DialPlaintext(ctx context.Context, addr string, o *Options) (*Client, error) {
	conn, err := transport.Dial(ctx, addr, o.transport())
	if err != nil {
		return nil, err
	}
	return greet(ctx, conn, true, o)
}

// New speaks IMAP over a connection that is open already and as private as it
// needs to be, such as a tunnel: credentials are sent over it. It reads the
// greeting; on an error conn is closed. Options for dialling and TLS are of no
// use here.
func New(ctx context.Context, conn net.Conn, o *Options) (*Client, error) {
	return greet(ctx, transport.New(conn, "", o.transport()), true, o)
}

func (o *Options) transport() *transport.Options {
	if o == nil {
		return nil
	}
	return &transport.Options{
		TLSConfig:      o.TLSConfig,
		Dial:           o.Dial,
		ConnectTimeout: o.ConnectTimeout,
		StallTimeout:   o.StallTimeout,
		MinProgress:    o.MinProgress,
		Transcript:     transport.NewTranscript(o.Transcript),
	}
}
