package relay

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-smtp"

	"example.com/postbag/retrieval"
)

const (
	quitTimeout = 5 * time.Second
	peekSize    = 32 << 10 // of a message, before anything is said
)

// letter is a message on its way, and what became of it for each recipient.
type letter struct {
	m     *retrieval.Message
	body  *bufio.Reader
	utf8  bool // the header is not ASCII
	to    []string
	taken []string
	later []Recipient
	never []Recipient
}

func (l *letter) failed(to []string, err error) {
	for _, addr := range to {
		r := Recipient{addr, err}
		if e := (*ServerError)(nil); errors.As(err, &e) && e.Code/100 == 5 {
			l.never = append(l.never, r)
		} else {
			l.later = append(l.later, r)
		}
	}
}

// send delivers to those who do not have the message yet.
func (s *server) send(ctx context.Context, m *retrieval.Message, to []string) error {
	l := &letter{m: m, body: bufio.NewReaderSize(m, peekSize)}
	head, err := l.body.Peek(peekSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	head = header(head)
	l.utf8 = utf8.Valid(head) && bytes.ContainsFunc(head, func(r rune) bool { return r >= utf8.RuneSelf })

	id, sum := name{m.Box, m.UID, m.HeaderOnly}, sha256.Sum256(head)
	had := s.had.get(id, sum, m.Redelivery)
	for _, addr := range to {
		if slices.Contains(had, addr) {
			l.taken = append(l.taken, addr)
		} else {
			l.to = append(l.to, addr)
		}
	}
	before := len(l.taken)
	if err = s.transact(ctx, l); len(l.taken) > before {
		s.had.put(id, taken{l.taken, sum})
	}
	switch {
	case err != nil:
		return err
	case len(l.later)+len(l.never) > 0:
		return &RecipientError{Taken: l.taken, Deferred: l.later, Rejected: l.never}
	}
	s.had.forget(id)
	return nil
}

// header returns what is before the first empty line.
func header(p []byte) []byte {
	if i := bytes.Index(p, []byte("\n\r\n")); i >= 0 {
		p = p[:i]
	}
	if i := bytes.Index(p, []byte("\n\n")); i >= 0 {
		p = p[:i]
	}
	return p
}

// transact has the dialogue about one message. Its error is about the message
// as a whole, or about the server.
func (s *server) transact(ctx context.Context, l *letter) error {
	if len(l.to) == 0 {
		return nil
	}
	c, err := s.begin(ctx, l)
	if err != nil {
		return err
	}
	s.open = nil // until it is known to be at rest
	rest := false
	err = bound(ctx, c.raw, func() (err error) {
		rest, err = s.dialogue(c, l)
		return err
	})
	if !rest && err == nil && ctx.Err() != nil && len(l.later) > 0 {
		err = context.Cause(ctx)
	}
	if rest && ctx.Err() == nil {
		c.used = true
		s.open = c
	} else {
		c.close()
	}
	return err
}

// begin finds a session and says MAIL. One that has been idle may have ended,
// which shows only now, and does no harm.
func (s *server) begin(ctx context.Context, l *letter) (*session, error) {
	for {
		c := s.open
		if s.open = nil; c == nil {
			var err error
			if c, err = s.connect(ctx); err != nil {
				return nil, err
			}
		}
		err := bound(ctx, c.raw, func() error { return c.said("MAIL", s.mail(c, l)) })
		if err == nil {
			return c, nil
		}
		if kind := about(err); kind != nil {
			s.rest(ctx, c)
			return nil, marked(kind, err)
		}
		c.close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !c.used {
			return nil, err
		}
	}
}

// rest takes back what has been said of a message, and keeps the session if
// that works.
func (s *server) rest(ctx context.Context, c *session) {
	if err := bound(ctx, c.raw, c.client.Reset); err != nil {
		c.close()
		return
	}
	c.used = true
	s.open = c
}

func (s *server) mail(c *session, l *letter) error {
	o := &smtp.MailOptions{Size: max(l.m.Size, 0)}
	offered, _ := c.client.Extension("SMTPUTF8")
	if o.UTF8 = offered && l.utf8; !ascii(s.o.Sender) {
		o.UTF8 = true // or go-smtp fails, which ends the run: the sender is the same for all
	}
	for _, addr := range l.to {
		o.UTF8 = o.UTF8 || offered && !ascii(addr)
	}
	return c.client.Mail(s.o.Sender, o)
}

// dialogue is what follows MAIL. rest says that the session can have another
// message.
func (s *server) dialogue(c *session, l *letter) (rest bool, err error) {
	utf8, _ := c.client.Extension("SMTPUTF8")
	var accepted []string
	for _, addr := range l.to {
		if !utf8 && !ascii(addr) {
			l.never = append(l.never, Recipient{addr, errors.New("the server does not offer SMTPUTF8")})
			continue
		}
		err := c.said("RCPT", c.client.Rcpt(addr, nil))
		switch {
		case err == nil:
			accepted = append(accepted, addr)
		case about(err) == nil:
			return false, err
		default:
			l.failed([]string{addr}, err)
		}
	}
	if len(accepted) == 0 {
		return c.client.Reset() == nil, nil
	}
	data, err := c.client.Data()
	if err = c.said("DATA", err); err != nil {
		if kind := about(err); kind != nil {
			return c.client.Reset() == nil, marked(kind, err)
		}
		return false, err
	}
	if err := s.body(c, l, data); err != nil {
		return false, err // the message has no end: the session neither
	}
	if s.lmtp {
		return s.answers(c, l, data, accepted), nil
	}
	return s.answer(c, l, data, accepted), nil
}

// body sends the message up to its last octet.
func (s *server) body(c *session, l *letter, w io.Writer) error {
	eight, _ := c.client.Extension("8BITMIME")
	clean := cleaner{strict: s.o.RefuseUnclean, short: s.o.RefuseLongLines, ascii: !eight && !s.o.SendEightBit}
	c.wire.body = s.o.Timeout
	unfit, readErr, writeErr := clean.copy(w, l.body)
	switch {
	case unfit != nil:
		return marked(retrieval.ErrRejected, unfit)
	case readErr != nil:
		return readErr
	case writeErr != nil:
		return c.cut(writeErr)
	}
	return nil
}

// cut says why a server took no more of a message: it may have told.
func (c *session) cut(writeErr error) error {
	c.wire.SetReadDeadline(time.Now().Add(time.Second))
	_, _, err := textproto.NewReader(bufio.NewReader(c.wire)).ReadResponse(250)
	if told := (*textproto.Error)(nil); errors.As(err, &told) {
		e := &ServerError{Command: "message", Code: told.Code, Text: clip(told.Msg)}
		if about(e) == retrieval.ErrRejected {
			return marked(retrieval.ErrRejected, e)
		}
		return marked(retrieval.ErrDeferred, e)
	}
	return marked(retrieval.ErrDeferred, fmt.Errorf("within the message: %w", writeErr))
}

// answer reads what an SMTP server says of the whole message.
func (s *server) answer(c *session, l *letter, data *smtp.DataCommand, to []string) (rest bool) {
	_, err := data.CloseWithResponse()
	c.wire.body = 0
	if err == nil {
		l.taken = append(l.taken, to...)
		return true
	}
	err = c.said("message", err)
	l.failed(to, unknown(err))
	return about(err) != nil
}

// answers reads what an LMTP server says for each recipient that it accepted.
func (s *server) answers(c *session, l *letter, data *smtp.DataCommand, to []string) (rest bool) {
	c.wire.many = len(to)
	taken, err := data.CloseWithLMTPResponse()
	c.wire.body = 0
	refused := smtp.LMTPDataError(nil)
	errors.As(err, &refused)
	rest = true
	for _, addr := range to {
		if taken[addr] != nil {
			l.taken = append(l.taken, addr)
			continue
		}
		cause := err
		if e := refused[addr]; e != nil {
			cause = e
		}
		said := c.said("message", cause)
		l.failed([]string{addr}, unknown(said))
		rest = rest && about(said) != nil
	}
	return rest
}

// unknown tells of a recipient that may have the message, or not: the reply is
// missing, or says neither.
func unknown(err error) error {
	if e := (*ServerError)(nil); errors.As(err, &e) && (e.Code/100 == 4 || e.Code/100 == 5) {
		return err
	}
	return fmt.Errorf("nobody knows whether the server has the message: %w", err)
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
