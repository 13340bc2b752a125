package retrievaltest

import (
	"net"
	"slices"
	"strings"

	"example.com/postbag/retrieval"
)

// Command is a command that a client has given.
type Command struct {
	Protocol retrieval.Protocol
	Session  int    // the first is 1
	Name     string // in upper case: "DELE", "UID FETCH"
	Args     string // as they came, with "***" for secrets and without literals
}

// String returns the command as it came: "UID FETCH 1:* (FLAGS)".
func (c Command) String() string { return strings.TrimSpace(c.Name + " " + c.Args) }

// Commands returns what clients have asked for so far, of all sessions in the
// order in which it came. It shows what a client did not do:
//
//	for _, c := range srv.Commands() {
//		if c.Name == "DELE" {
//			t.Errorf("%s before the message was safe", c)
//		}
//	}
func (s *Server) Commands() []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// Sessions returns how many connections are open, and how many there were in
// all.
func (s *Server) Sessions() (open, all int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions), s.accepted
}

func (h *host) logger(p retrieval.Protocol) logger {
	return func(conn net.Conn, name, args string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.commands = append(h.commands, Command{Protocol: p, Session: h.sessions[conn], Name: name, Args: args})
	}
}
