package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"example.com/postbag/retrieval"
)

// LMTP is a [retrieval.Sink] that hands messages to a mail server over LMTP
// (RFC 2033), which answers for each recipient, over one connection that stays
// open from one message to the next. The message is taken when all recipients
// have it. Otherwise the error is a [RecipientError] that tells them apart, or a
// [ServerError] if the server refused the message before it knew of any.
//
// Replies with 4 as their first digit defer, those with 5 reject; 421 before
// the message, and replies about the session (500, 502, 503, 530, 534, 535,
// 538), end the run. A session that has ended since the last message is opened
// anew; one that ends within a message defers it.
//
// A context that ends closes the connection.
type LMTP struct{ s server }

// NewLMTP makes a sink of the server at addr: "unix:/run/lmtp", or "host:port".
// It does not connect yet.
func NewLMTP(addr string, o *Options) (*LMTP, error) {
	l := &LMTP{server{lmtp: true}}
	if err := l.s.set(addr, o); err != nil {
		return nil, fmt.Errorf("lmtp: %w", err)
	}
	return l, nil
}

// Deliver implements [retrieval.Sink].
func (l *LMTP) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	return l.s.deliver(ctx, m)
}

// Close ends the connection. A later Deliver opens another.
func (l *LMTP) Close() error { return l.s.close() }

// SMTP is a [retrieval.Sink] that hands messages to a mail server over SMTP
// (RFC 5321), which answers once for all recipients that it has not refused
// before the message. All else is as with [LMTP].
type SMTP struct{ s server }

// NewSMTP makes a sink of the server at addr, "host:port" or "unix:/run/smtp".
// It does not connect yet.
func NewSMTP(addr string, o *Options) (*SMTP, error) {
	s := &SMTP{}
	if err := s.s.set(addr, o); err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	return s, nil
}

// Deliver implements [retrieval.Sink].
func (s *SMTP) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	return s.s.deliver(ctx, m)
}

// Close ends the connection. A later Deliver opens another.
func (s *SMTP) Close() error { return s.s.close() }

// server is what both have in common.
type server struct {
	o             Options
	lmtp          bool
	network, addr string
	host          string // whose certificate is verified

	turn chan struct{} // who takes the one value has what follows
	open *session      // nil: none
	had  memory
}

func (s *server) set(addr string, o *Options) error {
	if o != nil {
		s.o = *o
	}
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		if path == "" {
			return errors.New("no path of a socket")
		}
		s.network, s.addr = "unix", path
	} else {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return err
		}
		if host == "" {
			return fmt.Errorf("%s: no host", addr)
		}
		s.network, s.addr, s.host = "tcp", addr, host
	}
	s.turn = make(chan struct{}, 1)
	s.turn <- struct{}{}
	return s.o.complete()
}

func (s *server) name() string {
	if s.lmtp {
		return "lmtp"
	}
	return "smtp"
}

func (s *server) deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	to, err := s.o.recipients(m)
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.name(), err)
	}
	select {
	case <-s.turn:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { s.turn <- struct{}{} }()
	if err := s.send(ctx, m, to); err != nil {
		return "", fmt.Errorf("%s: %w", s.name(), err)
	}
	return "", nil
}

// close says QUIT if the connection is at rest.
func (s *server) close() error {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if s.open == nil {
		return nil
	}
	c := s.open
	s.open = nil
	defer c.close()
	c.client.CommandTimeout = min(c.client.CommandTimeout, quitTimeout)
	c.client.Quit() // all that matters was answered before
	return nil
}
