package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// popServer is a POP3 server that a fault is scripted into. It serves one
// connection at a time, as a real one locks the maildrop.
type popServer struct {
	*site
	fault *popFault

	lock    sync.Mutex
	drop    []*popMessage
	deleted int // how often DELE was given
}

type popMessage struct {
	uidl string
	data []byte
}

func newPOPServer(s *site, f *popFault) *popServer {
	p := &popServer{site: s, fault: f}
	for i, token := range tokens {
		m := &popMessage{uidl: fmt.Sprintf("uidl-%d", i+1), data: mail(token)}
		if f.mail != nil {
			f.mail(i+1, m)
		}
		s.send(token, m.data)
		p.drop = append(p.drop, m)
	}
	return p
}

// holds returns the messages that are on the server.
func (p *popServer) holds() [][]byte {
	p.lock.Lock()
	defer p.lock.Unlock()
	var all [][]byte
	for _, m := range p.drop {
		all = append(all, m.data)
	}
	return all
}

// popSession is one connection.
type popSession struct {
	*popServer
	net.Conn
	msgs  []*popMessage // nil where deleted
	first []*popMessage // as they were when the session began
	over  bool
}

func (p *popServer) serve(conn net.Conn) {
	p.lock.Lock()
	defer p.lock.Unlock()
	defer hangUp(conn)
	s := &popSession{popServer: p, Conn: conn, msgs: slices.Clone(p.drop), first: slices.Clone(p.drop)}
	s.say("+OK ready")
	r := bufio.NewReader(conn)
	for !s.over {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		verb = strings.ToUpper(verb)
		if verb == "DELE" {
			s.deleted++
		}
		n, _ := strconv.Atoi(strings.Fields(arg + " 0")[0])
		if p.fault.at != nil && (p.fault.always || p.armed()) && p.fault.at(s, meant(verb, arg), n) {
			p.strike()
			continue
		}
		s.answer(verb, arg, n)
	}
}

// meant is the command that one stands for: fetchmail retrieves by TOP, with
// more lines than any message has, so that the server takes nothing as read.
func meant(verb, arg string) string {
	if _, lines, ok := strings.Cut(arg, " "); ok && verb == "TOP" && len(lines) > 4 {
		return "RETR"
	}
	return verb
}

func (s *popSession) say(format string, args ...any) { fmt.Fprintf(s, format+"\r\n", args...) }

// answer does what RFC 1939 says.
func (s *popSession) answer(verb, arg string, n int) {
	switch verb {
	case "CAPA":
		s.say("+OK\r\nUSER\r\nTOP\r\nUIDL\r\nPIPELINING\r\n.")
	case "USER", "PASS", "NOOP":
		s.say("+OK")
	case "STAT":
		count, octets := 0, 0
		for _, m := range s.msgs {
			if m != nil {
				count, octets = count+1, octets+len(m.data)
			}
		}
		s.say("+OK %d %d", count, octets)
	case "LIST":
		s.list(arg, n, func(m *popMessage) string { return strconv.Itoa(len(m.data)) })
	case "UIDL":
		s.list(arg, n, func(m *popMessage) string { return m.uidl })
	case "RETR", "TOP":
		m := s.message(n)
		if m == nil {
			s.say("-ERR no such message")
			return
		}
		s.Write(framed(m.data, verb == "TOP", arg))
	case "DELE":
		if s.message(n) == nil {
			s.say("-ERR no such message")
			return
		}
		s.msgs[n-1] = nil
		s.say("+OK")
	case "RSET":
		s.msgs = slices.Clone(s.first)
		s.say("+OK")
	case "QUIT":
		s.commit()
		s.say("+OK")
		s.over = true
	default:
		s.say("-ERR unknown command")
	}
}

func (s *popSession) message(n int) *popMessage {
	if n < 1 || n > len(s.msgs) {
		return nil
	}
	return s.msgs[n-1]
}

func (s *popSession) list(arg string, n int, what func(*popMessage) string) {
	if arg != "" {
		if m := s.message(n); m != nil {
			s.say("+OK %d %s", n, what(m))
		} else {
			s.say("-ERR no such message")
		}
		return
	}
	s.say("+OK")
	for i, m := range s.msgs {
		if m != nil {
			s.say("%d %s", i+1, what(m))
		}
	}
	s.say(".")
}

// commit is the UPDATE state.
func (s *popSession) commit() {
	s.drop = slices.DeleteFunc(slices.Clone(s.msgs), func(m *popMessage) bool { return m == nil })
}

// framed is a message as it goes over the wire: only a dot that follows CRLF
// begins a line, so a bare LF protects nothing.
func framed(msg []byte, top bool, arg string) []byte {
	if top {
		head, body, _ := bytes.Cut(msg, []byte("\r\n\r\n"))
		lines := bytes.SplitAfter(body, []byte("\r\n"))
		var want int
		if f := strings.Fields(arg); len(f) == 2 {
			want, _ = strconv.Atoi(f[1])
		}
		msg = slices.Concat(head, []byte("\r\n\r\n"), bytes.Join(lines[:min(max(want, 0), len(lines))], nil))
	}
	msg = bytes.ReplaceAll(msg, []byte("\r\n."), []byte("\r\n.."))
	return slices.Concat([]byte("+OK\r\n"), msg, []byte(".\r\n"))
}
