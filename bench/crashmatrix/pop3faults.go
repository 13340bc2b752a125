package main

// popFault is a row of the POP3 tables.
type popFault struct {
	name   string
	best   string // what a program can do at best, if not everything
	note   string // what there is to say about the row
	always bool   // in all sessions, not only in the first
	dele   bool   // at a command that only the mode remove has a use for

	// mail changes what is on the server: the nth message.
	mail func(n int, m *popMessage)

	// at is asked before each command is answered. True means that it is
	// dealt with.
	at func(s *popSession, verb string, n int) bool
}

// At a command, one of these happens.

// cut ends the connection, and what was marked deleted is not.
func (s *popSession) cut() bool {
	s.over = true
	return true
}

// crash kills the program.
func (s *popSession) crash() bool {
	s.kill()
	return s.cut()
}

func (s *popSession) refuse() bool {
	s.say("-ERR internal error")
	return true
}

func onQuit(do func(*popSession) bool) func(*popSession, string, int) bool {
	return func(s *popSession, verb string, _ int) bool { return verb == "QUIT" && do(s) }
}

// onRetrieve is at RETR of a message, whatever its number is by then.
func onRetrieve(uidl string, do func(*popSession) bool) func(*popSession, string, int) bool {
	return func(s *popSession, verb string, n int) bool {
		m := s.message(n)
		return verb == "RETR" && m != nil && m.uidl == uidl && do(s)
	}
}

// onDelete is at the nth DELE.
func onDelete(n int, do func(*popSession) bool) func(*popSession, string, int) bool {
	return func(s *popSession, v string, _ int) bool {
		return v == "DELE" && s.deleted == n && do(s)
	}
}

const poisonNote = "That message cannot be had, so 0/0/1 is the best there is: the others flow."

// popFaults are the rows.
var popFaults = []*popFault{
	{name: "none"},
	{name: "connection cut within message 2", at: onRetrieve("uidl-2", func(s *popSession) bool {
		whole := framed(mail(tokens[1]), false, "")
		s.Write(whole[:len(whole)/2])
		return s.cut()
	})},
	{name: "kill -9 when RETR of message 3 arrives", at: onRetrieve("uidl-3", (*popSession).crash)},
	{name: "connection cut at the second DELE", dele: true, at: onDelete(2, (*popSession).cut)},
	{name: "kill -9 at the first DELE", dele: true, at: onDelete(1, (*popSession).crash)},
	{name: "kill -9 at the third DELE", dele: true, at: onDelete(3, (*popSession).crash)},
	{name: "connection cut at QUIT, nothing deleted", at: onQuit((*popSession).cut)},
	{name: "kill -9 at QUIT, nothing deleted", at: onQuit((*popSession).crash)},
	{name: "-ERR to QUIT, nothing deleted", at: onQuit(func(s *popSession) bool {
		s.refuse()
		return s.cut()
	})},
	{name: "QUIT carried out, connection cut before +OK", at: onQuit(func(s *popSession) bool {
		s.commit()
		return s.cut()
	})},
	{name: "QUIT carried out, kill -9 before +OK", at: onQuit(func(s *popSession) bool {
		s.commit()
		return s.crash()
	})},
	{name: "-ERR to RETR of one message, every time", best: "0/0/1", note: poisonNote, always: true, at: onRetrieve("uidl-2", (*popSession).refuse)},
	{name: "connection cut at RETR of one message, every time", best: "0/0/1", note: poisonNote, always: true, at: onRetrieve("uidl-2", (*popSession).cut)},
	{name: "bare LF . LF within message 2", note: "Only CRLF . CRLF ends a message (RFC 1939). A program that takes LF . LF for it reads the rest of the mail as the server's replies, one of which the sender has written as a message. What becomes of it then depends on how the octets come in: in some runs fetchmail loses message 2 here, in others it leaves two messages on the server.", mail: func(n int, m *popMessage) {
		if n == 2 {
			m.data = smuggler(tokens[1])
		}
	}},
	{name: "messages 1 and 2 have the same UIDL", best: "0/0/3", note: "RFC 1939 forbids it. postbag and getmail do nothing and say why (0/0/3), since a program that knows messages by their UIDL cannot tell which of the two it has; the others take both here, but would not notice a message that gets the UIDL of an old one.", mail: func(n int, m *popMessage) {
		if n <= 2 {
			m.uidl = "same"
		}
	}},
	{name: "UIDL lists a message 4 of 3", at: func(s *popSession, verb string, n int) bool {
		if verb != "UIDL" || n != 0 {
			return false
		}
		s.say("+OK")
		for i, m := range s.first {
			s.say("%d %s", i+1, m.uidl)
		}
		s.say("%d ghost\r\n.", len(s.first)+1)
		return true
	}},
	{name: "STAT says 2000000000 messages", at: func(s *popSession, verb string, _ int) bool {
		if verb != "STAT" {
			return false
		}
		s.say("+OK 2000000000 6000")
		return true
	}},
}
