package pop3client

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"time"

	"example.com/postbag/internal/transport"
)

// Options of a session. The zero value, and nil, are safe defaults.
type Options struct {
	// TLSConfig is cloned; ServerName defaults to the host dialled and
	// MinVersion is never below TLS 1.2. Nil verifies against the system's
	// roots.
	TLSConfig *tls.Config

	// AllowPlaintext lets credentials pass without TLS on a connection given
	// to [New]. [Dial] and [DialStartTLS] never do that, [DialPlaintext]
	// always does.
	AllowPlaintext bool

	// Dial opens the TCP connection. Nil means a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// ConnectTimeout bounds dialling and each TLS handshake. Zero means 30 s.
	ConnectTimeout time.Duration

	// StallTimeout bounds the time without a single octet while the server
	// owes one, or takes none. Zero means 60 s, less than zero no limit.
	// Servers hold back the answer to a wrong password for up to 15 s.
	StallTimeout time.Duration

	// MinProgress is how many octets of an answer the server must send in 15
	// stall timeouts that are spent waiting for it, so that one which sends an
	// octet a second does not hold the client for ever. Zero means 2 KiB, which
	// is 2.3 octets a second; less than zero no limit.
	MinProgress int64

	// Transcript, if not nil, is given the session in lines, secrets as "***"
	// and messages as their number of octets.
	Transcript io.Writer

	// Window is how many commands may be under way at a time. Zero means
	// 4096; 1 waits for each reply. A server that does not offer PIPELINING
	// (RFC 2449 section 6.6) gets 1, unless ForcePipelining is set.
	Window          int
	ForcePipelining bool

	// WindowOctets bounds what is asked for at a time, by the sizes of the
	// entries. Zero means 32 MiB. One message is always asked for.
	WindowOctets int64

	// MaxLine is the longest status or list line in octets, its end included.
	// Zero means 8192; RFC 2449 section 4 allows a server 512.
	MaxLine int

	// MaxMessages is how many messages a maildrop may hold. Zero means a
	// million. A listing may have 64 KiB and 256 octets for each.
	MaxMessages int

	// MaxMessageSize is the most octets of a message that are read; the rest
	// is [ErrTooLarge]. It counts what arrives, not what the server promises.
	// Zero means 1 GiB, less than zero no limit.
	MaxMessageSize int64

	// MaxDrain is the most octets that are read and thrown away to go on
	// after a message or a loop that was not read to its end. When more is
	// to be expected, or comes, the connection is closed with [ErrAbandoned].
	// Zero means 64 MiB, less than zero no limit.
	MaxDrain int64
}

const (
	defaultWindow         = 4096
	defaultWindowOctets   = 32 << 20
	defaultMaxLine        = 8 << 10
	defaultMaxMessages    = 1_000_000
	defaultMaxMessageSize = 1 << 30
	defaultMaxDrain       = 64 << 20
)

func orDefault[T int | int64](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

// withDefaults returns o with every limit set; no limit is the largest.
func (o *Options) withDefaults() Options {
	var r Options
	if o != nil {
		r = *o
	}
	r.Window = max(orDefault(r.Window, defaultWindow), 1)
	r.WindowOctets = max(orDefault(r.WindowOctets, defaultWindowOctets), 1)
	r.MaxLine = max(orDefault(r.MaxLine, defaultMaxLine), 5)
	r.MaxMessages = max(orDefault(r.MaxMessages, defaultMaxMessages), 0)
	r.MaxMessageSize = unlimited(orDefault(r.MaxMessageSize, defaultMaxMessageSize))
	r.MaxDrain = unlimited(orDefault(r.MaxDrain, defaultMaxDrain))
	return r
}

func unlimited(n int64) int64 {
	if n < 0 {
		return 1<<63 - 1
	}
	return n
}

func (o *Options) transport() *transport.Options {
	return &transport.Options{
		TLSConfig:      o.TLSConfig,
		Dial:           o.Dial,
		ConnectTimeout: o.ConnectTimeout,
		StallTimeout:   o.StallTimeout,
		MinProgress:    o.MinProgress,
		Transcript:     transport.NewTranscript(o.Transcript),
	}
}
