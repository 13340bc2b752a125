package relay

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// session is a connection that has been greeted, and may have logged in.
type session struct {
	client *smtp.Client
	wire   *wire
	raw    net.Conn // closed to cancel
	used   bool     // for another message: it may have ended since

	secrets []string // not to be repeated to anybody
}

// connect opens a session. Its errors are about the server.
func (s *server) connect(ctx context.Context) (*session, error) {
	timely, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, fmt.Errorf("no connection after %v", s.o.Timeout))
	defer cancel()
	dial := s.o.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	raw, err := dial(timely, s.network, s.addr)
	if err != nil {
		if timely.Err() != nil {
			err = context.Cause(timely)
		}
		return nil, fmt.Errorf("connect: %w", err)
	}
	var c *session
	err = bound(timely, raw, func() (err error) {
		c, err = s.greet(timely, raw)
		return err
	})
	if err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

// bound runs f, which works with raw, and closes raw when ctx ends meanwhile.
// What f could do all the same is done.
func bound(ctx context.Context, raw net.Conn, f func() error) error {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(over)
		raw.Close() // not the TLS layer's Close: it may wait for the server
	})
	err := f()
	if !stop() {
		<-over
		if err != nil {
			return context.Cause(ctx)
		}
	}
	return err
}

// greet does what comes before the first message.
func (s *server) greet(ctx context.Context, raw net.Conn) (*session, error) {
	security := s.security(raw)
	conn := raw
	var err error
	switch security {
	case TLS:
		conn, err = s.handshake(ctx, raw)
	case StartTLS:
		conn, err = s.startTLS(ctx, raw)
	}
	if err != nil {
		return nil, err
	}
	c := &session{wire: newWire(conn), raw: raw}
	c.wire.lmtp = s.lmtp
	if security == StartTLS {
		c.wire.line = []byte("220 a second greeting, which go-smtp waits for\r\n")
	}
	if s.lmtp {
		c.client = smtp.NewClientLMTP(c.wire)
	} else {
		c.client = smtp.NewClient(c.wire)
	}
	c.client.CommandTimeout, c.client.SubmissionTimeout = s.o.Timeout, s.o.FinalTimeout
	if err := c.said("connect", c.client.Hello(s.o.LocalName)); err != nil {
		return nil, err
	}
	if s.o.User != "" {
		return c, s.login(ctx, c, conn)
	}
	return c, nil
}

// security is what Default means for a connection.
func (s *server) security(raw net.Conn) Security {
	if s.o.Security != Default {
		return s.o.Security
	}
	if s.network == "unix" {
		return Plaintext
	}
	ip := net.ParseIP(s.host)
	named := s.host == "localhost" || ip != nil && ip.IsLoopback()
	peer, ok := raw.RemoteAddr().(*net.TCPAddr)
	if named && (!ok || peer.IP.IsLoopback()) {
		return Plaintext
	}
	return StartTLS
}

func (s *server) handshake(ctx context.Context, raw net.Conn) (net.Conn, error) {
	cfg := &tls.Config{}
	if s.o.TLSConfig != nil {
		cfg = s.o.TLSConfig.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = s.host
	}
	cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
	c := tls.Client(raw, cfg)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return c, nil
}

// startTLS has the dialogue up to the handshake. go-smtp has none for LMTP, and
// passes over octets that came ahead of the handshake, which may be an
// attacker's.
func (s *server) startTLS(ctx context.Context, raw net.Conn) (net.Conn, error) {
	w := newWire(raw)
	r := textproto.NewReader(bufio.NewReader(w))
	say := func(command string, code int) (string, error) {
		name, _, _ := strings.Cut(command, " ")
		raw.SetDeadline(time.Now().Add(s.o.Timeout))
		if command == "" {
			name = "connect"
		} else if _, err := w.Write([]byte(command + "\r\n")); err != nil {
			return "", saidNothing(name, w, err)
		}
		_, text, err := r.ReadResponse(code)
		if said := (*textproto.Error)(nil); errors.As(err, &said) {
			err = &ServerError{Command: name, Code: said.Code, Text: clip(said.Msg)}
		} else if err != nil {
			err = saidNothing(name, w, err)
		}
		return text, err
	}
	if _, err := say("", 220); err != nil {
		return nil, err
	}
	hello := "EHLO "
	if s.lmtp {
		hello = "LHLO "
	}
	text, err := say(hello+s.o.LocalName, 250)
	if err != nil {
		return nil, err
	}
	offered := false
	for i, line := range strings.Split(text, "\n") {
		offered = offered || i > 0 && strings.TrimSpace(line) == "STARTTLS"
	}
	if !offered {
		return nil, errors.New("tls: the server does not offer STARTTLS")
	}
	if _, err := say("STARTTLS", 220); err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	if w.ahead() {
		return nil, errors.New("tls: the server sent data ahead of the handshake")
	}
	raw.SetDeadline(time.Time{})
	return s.handshake(ctx, raw)
}

// close ends the session without a word.
func (c *session) close() { c.raw.Close() }
