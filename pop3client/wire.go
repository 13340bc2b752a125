package pop3client

import (
	"net"
	"strings"

	"github.com/knadh/go-pop3"

	"example.com/postbag/internal/sasl"
	"example.com/postbag/internal/transport"
)

// wire speaks to the server through go-pop3, of which it uses New, NewConn,
// Send and ReadOne and nothing else. To go-pop3 it is a net.Conn whose Read
// returns at most one line: so go-pop3 never buffers beyond the status line
// that ReadOne returns, and the octets behind it, a message or a TLS
// handshake, are read past it from conn.
//
// QUIRK: go-pop3 v1.0.2 takes an empty line for success, makes every refusal
// the same untyped error, and calls a SASL challenge an unknown response. So
// the replies are judged here, by the line itself.
//
// One goroutine may send while another reads.
type wire struct {
	net.Conn // nil: go-pop3 calls Read and Write only
	conn     *transport.Conn
	pop      *pop3.Conn
	maxLine  int

	line []byte // the last status line, with its end
	left []byte // of line, what go-pop3 has not taken
	out  []byte // commands that wait for flush

	secrets [][]byte // what is not to be repeated, see hide
	mail    bool     // messages have been sent; what makes no sense may be of one
}

// greet begins the session with the server's greeting.
func (w *wire) greet() (reply, error) {
	var err error
	w.pop, err = pop3.New(pop3.Opt{Dialer: w}).NewConn()
	r, bad := w.status()
	if bad == nil && r.ok && err != nil { // what go-pop3 does not take for a greeting
		bad = w.conn.ProtocolError("the server greets with %q", w.quote(w.line))
	}
	return r, bad
}

// Dial implements go-pop3's Dialer.
func (w *wire) Dial(string, string) (net.Conn, error) { return w, nil }

// queue puts a command behind those that wait for flush. The transcript shows
// shown in its place.
func (w *wire) queue(command, shown string) error {
	if t := w.conn.Transcript(); t != nil {
		t.Client([]byte(shown + "\r\n"))
	}
	return w.pop.Send(command)
}

// flush sends what waits, in one write.
func (w *wire) flush() error {
	_, err := w.conn.Write(w.out)
	w.out = w.out[:0]
	return err
}

// reply reads the next status line.
func (w *wire) reply() (reply, error) {
	w.line, w.left = w.line[:0], nil
	w.pop.ReadOne() // its verdict is not used, see above
	return w.status()
}

// Write gathers what go-pop3 sends.
func (w *wire) Write(p []byte) (int, error) {
	w.out = append(w.out, p...)
	return len(p), nil
}

// Read gives go-pop3 the next status line, or as much of it as p holds.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.left) == 0 {
		line, err := w.conn.Line(w.maxLine)
		if err != nil {
			return 0, err
		}
		w.line = append(w.line[:0], line...)
		w.left = w.line
	}
	n := copy(p, w.left)
	w.left = w.left[n:]
	return n, nil
}

// status judges the line that ReadOne or NewConn has read.
func (w *wire) status() (reply, error) {
	if len(w.line) == 0 {
		return reply{}, w.conn.ProtocolError("nothing was read") // unless there is an error already
	}
	r, ok := parseReply(w.line)
	t := w.conn.Transcript()
	if !ok && w.mail {
		t.Omitted(int64(len(w.line)))
		return reply{}, w.conn.ProtocolError("%d octets that are no reply, perhaps of a message", len(w.line))
	}
	if t != nil {
		t.Server(w.scrub(w.line))
	}
	if !ok {
		return reply{}, w.conn.ProtocolError("%q is no reply", w.quote(w.line))
	}
	return r, nil
}

// reply is a status line. Its text is valid until the next one is read.
type reply struct {
	ok   bool
	more bool // "+ ": the server waits for more, in AUTH
	lf   bool // the line ended in a bare LF
	text []byte
}

// parseReply takes a status line apart. RFC 1939 section 3: the indicator is
// in upper case; text, if any, follows a space.
func parseReply(line []byte) (reply, bool) {
	s := line[:len(line)-1] // the LF
	r := reply{lf: true}
	if n := len(s) - 1; n >= 0 && s[n] == '\r' {
		s, r.lf = s[:n], false
	}
	for _, k := range []struct {
		indicator string
		ok, more  bool
	}{{"+OK", true, false}, {"-ERR", false, false}, {"+", false, true}} {
		if len(s) < len(k.indicator) || string(s[:len(k.indicator)]) != k.indicator {
			continue
		}
		rest := s[len(k.indicator):]
		if len(rest) == 0 || rest[0] == ' ' {
			r.ok, r.more, r.text = k.ok, k.more, rest[min(1, len(rest)):]
			return r, true
		}
	}
	return reply{}, false
}

// code splits a response code from the text that it begins. RFC 2449 section 8.
func (r reply) code() (code, text string) {
	text = strings.TrimSpace(string(r.text))
	if strings.HasPrefix(text, "[") {
		if i := strings.IndexByte(text, ']'); i > 1 && !strings.ContainsAny(text[1:i], " \t") {
			return strings.ToUpper(text[1:i]), strings.TrimSpace(text[i+1:])
		}
	}
	return "", text
}

// hide sees to it that a secret is not repeated to anybody until reveal is
// called: servers quote what they do not understand.
func (w *wire) hide(secret string) {
	if secret != "" {
		w.secrets = append(w.secrets, []byte(secret))
	}
}

func (w *wire) reveal() { w.secrets = nil }

func (w *wire) scrub(p []byte) []byte { return sasl.Scrub(p, w.secrets) }

// quote returns as much of p as an error may show.
func (w *wire) quote(p []byte) []byte {
	p = w.scrub(p) // before it is cut, perhaps within a secret
	return p[:min(len(p), 100)]
}
