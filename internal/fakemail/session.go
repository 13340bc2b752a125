package fakemail

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"
)

// session is one connection. Its goroutine is the only one that writes, but
// for that of an IDLE, which the session waits for.
type session struct {
	srv   *Server
	store *Store
	raw   net.Conn
	conn  net.Conn // raw, or TLS over it
	r     *bufio.Reader
	w     *bufio.Writer
	flush func() error // w, and what compresses below it

	secure     bool
	compressed bool
	user       *user
	view       *view // of the selected mailbox, or nil
	enabled    map[string]bool
	saved      set // of the last SEARCH RETURN (SAVE)
	over       bool
	tag        string
	buf        []byte
}

// autoLogout is how long a client may be silent. RFC 9051 section 5.4 demands
// 30 minutes at the least.
const autoLogout = 30 * time.Minute

// errAnswered says that a command has told itself how it ended.
var errAnswered = errors.New("answered")

func newSession(srv *Server, c net.Conn) *session {
	s := &session{srv: srv, store: srv.store, raw: c, conn: c, enabled: make(map[string]bool)}
	if o := srv.opts; o.ImplicitTLS && o.TLSConfig != nil {
		s.conn, s.secure = tls.Server(c, o.TLSConfig), true
	}
	s.buffers()
	return s
}

func (s *session) buffers() {
	s.r, s.w = bufio.NewReaderSize(s.conn, 64<<10), bufio.NewWriterSize(s.conn, 64<<10)
	s.flush = s.w.Flush
}

func (s *session) serve() {
	defer s.unselect()
	s.line("* OK " + s.greeting())
	for s.flush() == nil && !s.over {
		s.conn.SetReadDeadline(time.Now().Add(autoLogout))
		text, err := s.readCommand()
		if err != nil {
			s.lost(err)
		} else if text != "" {
			s.command(text)
		}
	}
	s.flush()
	s.conn.Close() // with TLS says close_notify
}

func (s *session) greeting() string {
	switch s.store.profile {
	case Gmail:
		return "Gimap ready for requests from 127.0.0.1 postbag"
	case Exchange:
		return "The Microsoft Exchange IMAP4 service is ready. [cG9zdGJhZw==]"
	}
	return "[CAPABILITY " + s.capabilityList() + "] postbag test server ready"
}

// command carries out one command and ends it.
func (s *session) command(text string) {
	text = strings.TrimSuffix(text, "\r\n")
	tag, rest, _ := strings.Cut(text, " ")
	if tag == "" || strings.ContainsAny(tag, "+(){%*\"\\\r\n") {
		s.line("* BAD there is no tag")
		return
	}
	s.tag = tag
	name, args := split(rest)
	cmd, known := commands[name]
	if s.srv.opts.Log != nil {
		s.srv.opts.Log(s.raw, name, loggable(name, args))
	}
	err := s.allowed(name, cmd, known)
	if err == nil {
		err = cmd.run(s, s.parser(args))
	}
	s.end(name, err)
}

// allowed tells whether a command may be given now.
func (s *session) allowed(name string, cmd command, known bool) error {
	switch {
	case !known || cmd.needs != "" && !s.srv.has[cmd.needs]:
		return bad("unknown command")
	case cmd.state == anonymous && s.user != nil:
		return bad("already logged in")
	case cmd.state >= authenticated && s.user == nil:
		return bad("not before login")
	case cmd.state == selected && s.view == nil:
		return bad("no mailbox is selected")
	}
	return nil
}

// end tells what has happened meanwhile, and then how the command ended.
func (s *session) end(name string, err error) {
	st, isStatus := err.(*status)
	switch {
	case err == errAnswered:
		return
	case err != nil && !isStatus:
		s.lost(err)
		return
	case !isStatus:
		st = &status{"OK", name + " completed"}
	}
	if s.view != nil {
		// RFC 9051 section 7.5.1: no EXPUNGE while sequence numbers are in use.
		if s.tell(name != "FETCH" && name != "STORE" && name != "SEARCH") != nil {
			return
		}
	}
	s.line(s.tag + " " + st.kind + " " + st.text)
}

// lost ends the session because of an error, and says why if that can help.
func (s *session) lost(err error) {
	var timeout net.Error
	switch {
	case s.over:
	case errors.As(err, &timeout) && timeout.Timeout():
		s.line("* BYE silent for too long")
	case err == errLong, err == errLiteral:
		s.line("* BYE " + err.Error())
	}
	s.over = true
}

// tell sends what the client does not know yet. A mailbox that is no more ends
// the session.
func (s *session) tell(expunges bool) error {
	s.store.mu.Lock()
	out, err := s.view.news(s, expunges)
	s.store.mu.Unlock()
	s.w.Write(out)
	if err != nil {
		s.line("* BYE " + err.Error())
		s.over = true
	}
	return err
}

func (s *session) line(text string) { s.w.WriteString(text + "\r\n") }

// on tells whether the session has enabled something, by ENABLE or by use.
func (s *session) on(name string) bool { return s.enabled[name] }

func (s *session) parser(text string) *args {
	a := &args{s: text, names: decodeName}
	if s.utf8() {
		a.names = func(name string) (string, error) { return name, nil }
	}
	return a
}

// utf8 tells whether names are UTF-8 rather than modified UTF-7.
func (s *session) utf8() bool { return s.on("UTF8=ACCEPT") || s.on("IMAP4REV2") }

// name returns a mailbox's name as the session is told it.
func (s *session) name(n string) string {
	if !s.utf8() {
		n = encodeName(n)
	}
	return quote(n)
}

func (s *session) mayLogIn() bool { return s.secure || s.srv.opts.TLSConfig == nil }

func (s *session) canStartTLS() bool { return s.srv.opts.TLSConfig != nil && !s.secure }

// quote returns a string as a quoted string, or as a literal where it must.
// RFC 9051 section 4.3.
func quote(text string) string {
	for i := range len(text) {
		if c := text[i]; c == '\r' || c == '\n' || c == 0 || c >= 0x80 {
			return literal(text)
		}
	}
	return `"` + quoter.Replace(text) + `"`
}

var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
