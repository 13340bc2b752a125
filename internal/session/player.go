package session

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Player is a server that does what a session says, and finds out whether the
// client does too.
type Player struct {
	session *Session
	tls     *tls.Config

	mu   sync.Mutex
	next int   // connection to be made
	err  error // the first departure
	wg   sync.WaitGroup
	open []net.Conn
}

// NewPlayer returns a player of s. cfg is for sessions with TLS.
func NewPlayer(s *Session, cfg *tls.Config) *Player { return &Player{session: s, tls: cfg} }

// Dial is for a client's options: it connects in memory.
func (p *Player) Dial(context.Context, string, string) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == len(p.session.Conns) {
		err := fmt.Errorf("%s: the client connects more than the %d times that the session knows", p.session.Name, p.next)
		if p.err == nil {
			p.err = err
		}
		return nil, err
	}
	conn := &p.session.Conns[p.next]
	p.next++
	client, server := Pipe()
	p.open = append(p.open, server)
	p.wg.Go(func() {
		defer server.Close()
		if err := p.play(conn, server); err != nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.err == nil {
				p.err = err
			}
		}
	})
	return client, nil
}

// Done returns how the client departed from the session, or nil if it kept to
// it to its end. The client must have closed its connections: one that is left
// open is a departure too, for what holds it open is a leak.
func (p *Player) Done() error {
	p.mu.Lock()
	leaked := 0
	for _, c := range p.open {
		if c.(*end).finish() {
			leaked++
		}
	}
	p.mu.Unlock()
	p.wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil && leaked > 0 {
		p.err = fmt.Errorf("%s: the client has left %d connections open", p.session.Name, leaked)
	}
	if p.err == nil && p.next < len(p.session.Conns) {
		p.err = fmt.Errorf("%s: the client connected %d times, the session has %d connections", p.session.Name, p.next, len(p.session.Conns))
	}
	return p.err
}

// finish makes reading end when what has been written is read, and tells
// whether the other side had not closed.
func (e *end) finish() (open bool) {
	e.in.mu.Lock()
	defer e.in.mu.Unlock()
	open = !e.in.eof
	e.in.eof = true
	e.in.changed.Broadcast()
	return open
}

// playing is the state of one connection.
type playing struct {
	name string
	raw  net.Conn
	r    *bufio.Reader
	w    interface {
		io.Writer
		Flush() error
	}
	tags map[string]string // recorded to given
	said []string          // the last lines of the client, for the report
}

func (p *Player) play(c *Conn, raw net.Conn) error {
	s := &playing{name: p.session.Name, raw: raw, r: bufio.NewReader(raw), w: bufio.NewWriter(raw), tags: make(map[string]string)}
	for i := range c.Steps {
		step := &c.Steps[i]
		if err := s.step(step, p.tls, c.imap); err != nil {
			return err
		}
		if step.Kind == Close {
			s.w.Flush()
			return nil
		}
	}
	s.w.Flush()
	if line, _ := s.r.ReadString('\n'); line != "" {
		return fmt.Errorf("%s: after the session's end the client sends\n\t%q", s.name, line)
	}
	return nil
}

func (s *playing) step(step *Step, cfg *tls.Config, imap bool) error {
	switch step.Kind {
	case Server:
		data := step.Data
		if step.tag != "" {
			given, ok := s.tags[step.tag]
			if !ok {
				return fmt.Errorf("%s:%d: the tag %s was never given", s.name, step.Line, step.tag)
			}
			data = append([]byte(given), data[len(step.tag):]...)
		}
		s.w.Write(data) // as a server does that does not know yet that the client has left
		return nil
	case Client, AnyLine:
		return s.client(step, imap)
	case AnyOctets:
		s.w.Flush()
		if n, err := io.CopyN(io.Discard, s.r, step.N); err != nil {
			return fmt.Errorf("%s:%d: the client leaves after %d of %d octets", s.name, step.Line, n, step.N)
		}
	case Pause:
		s.w.Flush()
		time.Sleep(step.Wait)
	case TLS:
		if err := s.w.Flush(); err != nil {
			return err
		}
		if s.r.Buffered() > 0 {
			return fmt.Errorf("%s:%d: the client goes on without TLS", s.name, step.Line)
		}
		secure := tls.Server(s.raw, cfg)
		if err := secure.Handshake(); err != nil {
			return fmt.Errorf("%s:%d: TLS: %w", s.name, step.Line, err)
		}
		s.r, s.w = bufio.NewReader(secure), bufio.NewWriter(secure)
		s.raw = secure
	case Compress:
		if err := s.w.Flush(); err != nil {
			return err
		}
		deflate, err := flate.NewWriter(s.raw, flate.DefaultCompression)
		if err != nil {
			return err
		}
		s.r, s.w = bufio.NewReader(flate.NewReader(s.r)), deflate
	}
	return nil
}

// client reads what the client sends and compares.
func (s *playing) client(step *Step, imap bool) error {
	s.w.Flush() // the client may have said all that it has to say, and left
	whole := step.Kind == AnyLine || bytes.HasSuffix(step.Data, []byte("\n")) && bytes.Count(step.Data, []byte("\n")) == 1
	var got []byte
	var err error
	if whole {
		got, err = s.r.ReadBytes('\n')
	} else {
		got = make([]byte, len(step.Data))
		var n int
		n, err = io.ReadFull(s.r, got)
		got = got[:n]
	}
	if err != nil {
		if len(got) > 0 {
			return s.departed(step, got)
		}
		return fmt.Errorf("%s:%d: the client leaves early; want it to send\n\t%q\nbefore, it sent\n\t%s", s.name, step.Line, step.Data, strings.Join(s.said, "\n\t"))
	}
	s.said = append(s.said[max(0, len(s.said)-4):], fmt.Sprintf("%q", got))
	if step.Kind == AnyLine {
		return nil
	}
	want := step.Data
	if step.tag != "" && imap {
		tag, rest, ok := strings.Cut(string(got), " ")
		if !ok {
			return s.departed(step, got)
		}
		s.tags[step.tag] = tag
		got, want = []byte(rest), want[len(step.tag)+1:]
	}
	if !whole && !bytes.Equal(want, got) || whole && !matches(strings.TrimRight(string(want), "\r\n"), strings.TrimRight(string(got), "\r\n")) {
		return s.departed(step, got)
	}
	return nil
}

func (s *playing) departed(step *Step, got []byte) error {
	return fmt.Errorf("%s:%d: the client sends\n\t%q\nwant something like\n\t%q", s.name, step.Line, got, step.Data)
}
