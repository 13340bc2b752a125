package pop3server

import (
	"encoding/base64"
	"net"
	"slices"
	"strings"
)

// Backend is what a server serves in the place of its own maildrop, and how it
// differs from others in doing so.
type Backend struct {
	// Open opens the maildrop of a user, or returns the text to refuse with.
	Open func(user, password string) (Maildrop, string)

	// Mechanisms are those of AUTH (RFC 5034), and Credentials reads what a
	// mechanism's client says first.
	Mechanisms  []string
	Credentials func(mechanism, response string) (user, password string, ok bool)

	// TwoStep: AUTH with an initial response ends the session.
	TwoStep bool

	// NoUSER: USER is unknown. RequireTLS: nobody logs in before STLS.
	NoUSER, RequireTLS bool

	// Silent names what CAPA does not tell of, though it is there.
	Silent []string

	// Log, if not nil, is told of each command, without secrets. It may be
	// called from several goroutines.
	Log func(conn net.Conn, verb, arg string)
}

// Maildrop is the maildrop of one session.
type Maildrop interface {
	// Messages returns what was there at login, oldest first.
	Messages() []*Message

	// Size is the size of a message as LIST and STAT tell it.
	Size(m *Message) int

	// Update is called at QUIT with the messages that are to be deleted and
	// those that were retrieved.
	Update(deleted, retrieved []*Message)
}

// own is the server's own maildrop.
type own struct {
	s    *Server
	msgs []*Message
}

func (d own) Messages() []*Message { return d.msgs }
func (d own) Size(m *Message) int  { return len(m.Data) }

func (d own) Update(deleted, _ []*Message) {
	gone := make(map[*Message]bool, len(deleted))
	for _, m := range deleted {
		gone[m] = true
	}
	d.s.remove(func(m *Message) bool { return gone[m] })
}

// backend returns the Backend, with what is missing filled in.
func (s *Server) backend() *Backend {
	var b Backend
	if s.opts.Backend != nil {
		b = *s.opts.Backend
	}
	if b.Open == nil {
		b.Open = func(user, password string) (Maildrop, string) {
			if user != s.opts.User || password != s.opts.Password {
				return nil, "[AUTH] wrong user or password"
			}
			return own{s, s.snapshot()}, ""
		}
	}
	if b.Log == nil {
		b.Log = func(net.Conn, string, string) {}
	}
	return &b
}

// loggedIn ends a login, well or not.
func (t *session) loggedIn(drop Maildrop, refusal string) {
	if t.user = ""; drop == nil {
		t.err(refusal)
		return
	}
	t.login, t.maildrop, t.drop = true, drop, drop.Messages()
	t.deleted, t.retrieved = make(map[int]bool), make(map[int]bool)
	t.ok("logged in")
}

// auth runs a SASL exchange. RFC 5034 section 4. After false the connection is
// closed.
func (t *session) auth(arg string) bool {
	mech, initial, has := strings.Cut(arg, " ")
	mech = strings.ToUpper(mech)
	switch {
	case !slices.Contains(t.b.Mechanisms, mech):
		t.err("no such mechanism")
		return true
	case has && t.b.TwoStep:
		// QUIRK: Exchange, https://github.com/getmail6/getmail6/issues/256.
		t.err("Protocol error. Connection is closed. 10")
		return false
	case !has:
		var alive bool
		if initial, alive = t.challenge(""); !alive {
			return false
		}
	case initial == "=":
		initial = ""
	}
	response, err := base64.StdEncoding.DecodeString(initial)
	user, password, ok := t.b.Credentials(mech, string(response))
	if err != nil || !ok {
		t.err("this is no answer of " + mech)
		return true
	}
	drop, refusal := t.b.Open(user, password)
	if drop == nil && mech != "PLAIN" && !t.b.TwoStep {
		// The reason comes as a challenge, and whatever the client says to it
		// is the end. RFC 7628 section 3.2.3.
		if _, alive := t.challenge(`{"status":"401","schemes":"Bearer","scope":"https://mail.example.com/"}`); !alive {
			return false
		}
	}
	t.loggedIn(drop, refusal)
	return true
}

// challenge sends a challenge and returns the answer, which may be "*".
func (t *session) challenge(text string) (answer string, alive bool) {
	t.w.WriteString("+ " + base64.StdEncoding.EncodeToString([]byte(text)) + "\r\n")
	if t.w.Flush() != nil {
		return "", false
	}
	line, err := t.r.ReadSlice('\n')
	return strings.TrimRight(string(line), "\r\n"), err == nil
}

// loggable returns the argument of a command without secrets.
func loggable(verb, arg string) string {
	switch verb {
	case "PASS":
		return "***"
	case "APOP", "AUTH":
		if first, _, more := strings.Cut(arg, " "); more {
			return first + " ***"
		}
	}
	return arg
}
