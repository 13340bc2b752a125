package pop3server

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// session is one connection.
type session struct {
	s *Server
	c net.Conn
	r *bufio.Reader
	w *bufio.Writer

	b         *Backend
	secure    bool
	user      string
	login     bool
	maildrop  Maildrop
	drop      []*Message // as it was at login
	deleted   map[int]bool
	retrieved map[int]bool
}

const maxLine = 8 << 10

func serve(s *Server, c net.Conn) {
	t := &session{s: s, c: c, b: s.backend()}
	if s.opts.ImplicitTLS {
		t.c, t.secure = tls.Server(c, s.opts.TLSConfig), true
	}
	t.buffers()
	greeting := s.opts.Greeting
	if greeting == "" {
		greeting = "postbag test server ready"
	}
	t.ok(greeting)
	for t.flush() == nil {
		line, err := t.r.ReadSlice('\n')
		if err != nil { // hung up, or a line of more than maxLine
			return
		}
		if s.opts.NoPipelining {
			line = append([]byte(nil), line...)
			t.r.Discard(t.r.Buffered())
		}
		verb, arg, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
		verb = strings.ToUpper(verb)
		t.b.Log(c, verb, loggable(verb, arg))
		if !t.command(verb, arg) {
			t.w.Flush()
			t.c.Close() // with TLS says close_notify
			return
		}
	}
}

func (t *session) buffers() {
	t.r, t.w = bufio.NewReaderSize(t.c, maxLine), bufio.NewWriterSize(t.c, 64<<10)
}

// flush sends the replies to all commands that came together at once.
func (t *session) flush() error {
	if t.r.Buffered() > 0 {
		return nil
	}
	return t.w.Flush()
}

// command answers one command. After false the connection is closed.
func (t *session) command(verb, arg string) bool {
	o := &t.s.opts
	switch {
	case verb == "QUIT":
		return t.quit()
	case verb == "CAPA" && !o.NoCAPA:
		t.capa()
	case verb == "NOOP" && t.login:
		t.ok("")
	case !t.login:
		return t.authorization(verb, arg)
	case verb == "STAT":
		n, size := t.stat()
		t.ok(fmt.Sprintf("%d %d", n, size))
	case verb == "LIST":
		t.list(arg, func(m *Message) string { return strconv.Itoa(t.maildrop.Size(m)) })
	case verb == "UIDL" && !o.NoUIDL:
		t.list(arg, func(m *Message) string { return m.UID })
	case verb == "RETR":
		if i, m := t.message(arg); m != nil {
			t.retrieved[i] = true
			t.ok(strconv.Itoa(t.maildrop.Size(m)) + " octets")
			t.body(m.Data)
		}
	case verb == "TOP" && !o.NoTOP:
		t.top(arg)
	case verb == "DELE":
		if i, m := t.message(arg); m != nil {
			t.deleted[i] = true
			t.ok("marked")
		}
	case verb == "RSET":
		clear(t.deleted)
		t.ok("")
	default:
		t.err("unknown command")
	}
	return true
}

// authorization answers the commands before login. RFC 1939 section 4, RFC
// 2595 section 4.
func (t *session) authorization(verb, arg string) bool {
	o := &t.s.opts
	switch {
	case verb == "STLS" && o.TLSConfig != nil && !t.secure:
		t.ok("begin TLS")
		if t.w.Flush() != nil {
			return false
		}
		// What came ahead of the handshake is dropped with the old buffer.
		t.c, t.secure = tls.Server(t.c, o.TLSConfig), true
		t.user = ""
		t.buffers()
	case t.b.RequireTLS && !t.secure && (verb == "USER" || verb == "PASS" || verb == "AUTH"):
		t.err("not without TLS")
	case verb == "USER" && !t.b.NoUSER:
		t.user = arg
		t.ok("")
	case verb == "PASS" && t.user == "":
		t.err("USER first")
	case verb == "PASS":
		t.loggedIn(t.b.Open(t.user, arg))
	case verb == "AUTH" && len(t.b.Mechanisms) > 0:
		return t.auth(arg)
	default:
		t.err("unknown command, or not before login")
	}
	return true
}

// quit makes the deletions, those of this session and no others. RFC 1939
// section 6.
func (t *session) quit() bool {
	if t.s.opts.RefuseQUIT {
		t.err("[SYS/TEMP] some deleted messages not removed")
		return false
	}
	if t.login {
		t.maildrop.Update(t.pick(t.deleted), t.pick(t.retrieved))
	}
	t.ok("bye")
	return false
}

func (t *session) pick(numbers map[int]bool) []*Message {
	var msgs []*Message
	for i, m := range t.drop {
		if numbers[i] {
			msgs = append(msgs, m)
		}
	}
	return msgs
}

// capa answers CAPA. RFC 2449 section 5.
func (t *session) capa() {
	o := &t.s.opts
	logIn := !t.login && (t.secure || !t.b.RequireTLS)
	t.ok("capabilities follow")
	for _, c := range []struct {
		has  bool
		line string
	}{
		{!o.NoTOP, "TOP"},
		{!o.NoUIDL, "UIDL"},
		{logIn && !t.b.NoUSER, "USER"},
		{logIn && len(t.b.Mechanisms) > 0, "SASL " + strings.Join(t.b.Mechanisms, " ")},
		{!t.login && o.TLSConfig != nil && !t.secure, "STLS"},
		{!o.NoPipelining, "PIPELINING"},
		{true, "RESP-CODES"},
		{true, "AUTH-RESP-CODE"},
		{true, "EXPIRE NEVER"},
		{true, "IMPLEMENTATION postbag"},
	} {
		if name, _, _ := strings.Cut(c.line, " "); c.has && !slices.Contains(t.b.Silent, name) {
			t.w.WriteString(c.line + "\r\n")
		}
	}
	t.w.WriteString(".\r\n")
}

func (t *session) ok(text string)  { t.w.WriteString(strings.TrimRight("+OK "+text, " ") + "\r\n") }
func (t *session) err(text string) { t.w.WriteString("-ERR " + text + "\r\n") }
