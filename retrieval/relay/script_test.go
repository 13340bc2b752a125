//go:build unix

package relay_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Replies that are none.
const (
	hangUp = "hang up" // closes the connection
	silent = "silent"  // says nothing more
)

// scripted is a server that says what a test wants it to. It notes what it was
// told.
type scripted struct {
	addr     string
	greeting string
	ehlo     string
	// on returns the reply to a command, or to what comes after the last octet of
	// a message (the line is "."). Empty means the usual one. n counts
	// connections from 1.
	on func(n int, line string) string
	// body, if not nil, is in the place of what reads a message.
	body func(conn net.Conn, r *bufio.Reader)
	lax  bool // takes CR and LF alone for an end of line, and passes over NUL
	lmtp bool
	// stuck: reads nothing of a message, and says nothing, until it is closed.
	stuck chan struct{}

	mu    sync.Mutex
	conns int
	lines []string // commands, as received
	mails []posted
}

// posted is a message that a scripted server was sent to its end.
type posted struct {
	to   []string
	data string
}

func (s *scripted) start(t *testing.T) *scripted {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for n := 1; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			wg.Go(func() {
				defer conn.Close()
				s.serve(n, conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return s
}

func (s *scripted) serve(n int, conn net.Conn) {
	s.mu.Lock()
	s.conns++
	s.mu.Unlock()
	r := bufio.NewReader(conn)
	say := func(text string) bool {
		switch text {
		case hangUp:
			return false
		case silent:
			io.Copy(io.Discard, r)
			return false
		}
		_, err := fmt.Fprint(conn, text+"\r\n")
		return err == nil
	}
	greeting := s.greeting
	if greeting == "" {
		greeting = "220 localhost"
	}
	if !say(greeting) {
		return
	}
	var to []string
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSuffix(line, "\r\n")
		s.mu.Lock()
		s.lines = append(s.lines, line)
		s.mu.Unlock()
		answer := ""
		if s.on != nil {
			answer = s.on(n, line)
		}
		verb, _, _ := strings.Cut(line, " ")
		if answer == "" {
			answer = s.usual(verb)
		}
		if !say(answer) {
			return
		}
		switch {
		case verb == "MAIL" || verb == "RSET":
			to = nil
		case verb == "RCPT" && strings.HasPrefix(answer, "2"):
			to = append(to, line[len("RCPT TO:<"):len(line)-1])
		case verb == "DATA" && strings.HasPrefix(answer, "354"):
			if s.body != nil {
				s.body(conn, r)
				return
			}
			if s.stuck != nil {
				<-s.stuck
				return
			}
			if !s.message(n, r, to, say) {
				return
			}
		}
	}
}

func (s *scripted) usual(verb string) string {
	switch verb {
	case "EHLO", "LHLO":
		if s.ehlo != "" {
			return s.ehlo
		}
		return "250-localhost\r\n250 8BITMIME"
	case "DATA":
		return "354 go on"
	case "QUIT":
		return "221 bye"
	}
	return "250 ok"
}

// message reads one, and answers.
func (s *scripted) message(n int, r *bufio.Reader, to []string, say func(string) bool) bool {
	var b strings.Builder
	for {
		line, err := s.line(r)
		if err != nil {
			return false
		}
		if strings.TrimRight(line, "\r\n") == "." {
			break
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	s.mu.Lock()
	s.mails = append(s.mails, posted{slices.Clone(to), b.String()})
	s.mu.Unlock()
	answer := ""
	if s.on != nil {
		answer = s.on(n, ".")
	}
	if answer == "" {
		answer = "250 taken"
		for range to[1:] {
			if s.lmtp {
				answer += "\r\n250 taken"
			}
		}
	}
	return say(answer)
}

func (s *scripted) line(r *bufio.Reader) (string, error) {
	if !s.lax {
		return r.ReadString('\n')
	}
	var b strings.Builder
	for {
		c, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		if c != 0 {
			b.WriteByte(c)
		}
		if c == '\r' {
			if next, err := r.Peek(1); err == nil && next[0] == '\n' {
				continue
			}
		}
		if c == '\r' || c == '\n' {
			return b.String(), nil
		}
	}
}

func (s *scripted) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// told returns the commands so far.
func (s *scripted) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

func (s *scripted) got() []posted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// replies makes an on that gives verbs their replies, each time the same.
func replies(pairs ...string) func(int, string) string {
	return func(_ int, line string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.HasPrefix(line, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
}
