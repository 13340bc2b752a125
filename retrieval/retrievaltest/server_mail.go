package retrievaltest

import (
	"context"
	"fmt"
	"time"

	"example.com/postbag/internal/fakemail"
	"example.com/postbag/retrieval"
)

// Message is a message as the server holds it.
type Message struct {
	// UID is what retrieval calls it, over IMAP and over POP3.
	UID retrieval.UID

	// UIDL is what POP3 calls it: the same, but with the profile Gmail.
	UIDL retrieval.UID

	Flags    []retrieval.Flag
	Received time.Time
	Data     []byte // not to be changed
}

// inbox is where mail is delivered to.
const inbox = "INBOX"

// Deliver adds messages to the INBOX, in their order. They should have CRLF
// line ends; to the octet as they are given, the server sends them.
func (s *Server) Deliver(msgs ...[]byte) { s.DeliverTo(inbox, msgs...) }

// DeliverTo adds messages to a mailbox. It panics if there is no such mailbox.
func (s *Server) DeliverTo(mailbox string, msgs ...[]byte) {
	for _, m := range msgs {
		_, err := s.store.Deliver(s.user, mailbox, m)
		s.mustBe(err)
	}
}

// Create makes a mailbox, and those above it: "Work/Old" is in "Work". One
// that exists stays as it is.
func (s *Server) Create(mailbox string) { s.mustBe(s.store.Create(s.user, mailbox)) }

// Contents returns the messages of the INBOX, oldest first.
func (s *Server) Contents() []Message { return s.ContentsOf(inbox) }

// ContentsOf returns the messages of a mailbox, oldest first. It panics if
// there is no such mailbox.
func (s *Server) ContentsOf(mailbox string) []Message {
	held, err := s.store.Messages(s.user, mailbox)
	s.mustBe(err)
	msgs := make([]Message, len(held))
	for i, m := range held {
		msgs[i] = s.message(m)
	}
	return msgs
}

func (s *Server) message(m fakemail.Message) Message {
	msg := Message{
		UID:      retrieval.UID(fmt.Sprintf("%d.%d", m.Validity, m.UID)),
		UIDL:     retrieval.UID(s.store.UIDL(m)),
		Received: m.Received,
		Data:     m.Data,
	}
	for _, f := range m.Flags {
		msg.Flags = append(msg.Flags, retrieval.Flag(f))
	}
	return msg
}

// SetFlags gives a message, in whichever mailbox it is, flags instead of those
// it had. One that is gone is passed over; it panics at what cannot be a UID.
func (s *Server) SetFlags(uid retrieval.UID, flags ...retrieval.Flag) {
	var names []string
	for _, f := range flags {
		names = append(names, string(f))
	}
	s.mustBe(s.store.SetFlags(string(uid), names...))
}

// Delete removes messages, in whichever mailbox they are; with the profile
// Gmail, from all of them. One that is gone is passed over; it panics at what
// cannot be a UID.
func (s *Server) Delete(uids ...retrieval.UID) {
	for _, uid := range uids {
		s.mustBe(s.store.Delete(string(uid)))
	}
}

// Renumber gives every message of the INBOX a new UID under a new UIDVALIDITY,
// and so a new UIDL, as a server does that has lost its indexes. IMAP sessions
// that have the INBOX selected are told BYE.
func (s *Server) Renumber() { s.mustBe(s.store.Renumber(s.user, inbox)) }

// Backup remembers the INBOX as it is now, and returns a function that puts it
// back, as a server does that was restored from a backup: the UIDVALIDITY is the
// same, and UIDs that were given since are given to other messages. IMAP sessions
// that have the INBOX selected then are told BYE.
func (s *Server) Backup() (restore func()) {
	back, err := s.store.Backup(s.user, inbox)
	s.mustBe(err)
	return func() { s.mustBe(back()) }
}

// SetPassword changes the user's password. Accounts that were made before keep
// the old one.
func (s *Server) SetPassword(password string) {
	s.mustBe(s.store.SetPassword(s.user, password))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passwords[s.user] = password
}

// RefuseLogins makes the server answer every login with text, after NO or
// -ERR: "[UNAVAILABLE] try later" for IMAP, "[SYS/TEMP] try later" for POP3.
// With nothing logins are judged by the password again.
func (s *Server) RefuseLogins(text string) { s.store.RefuseLogins(text) }

// mustBe panics if a test asks for what cannot be.
func (s *Server) mustBe(err error) {
	if err != nil {
		panic("retrievaltest: " + err.Error())
	}
}

// Mailbox returns the INBOX for [TestRetriever], opened over a protocol.
func (s *Server) Mailbox(p retrieval.Protocol) Mailbox {
	return Mailbox{
		Open: func(ctx context.Context) (retrieval.Retriever, error) {
			return retrieval.Open(ctx, s.Account(p))
		},
		Deliver: func(msg []byte) error { s.Deliver(msg); return nil },
		Delete:  func(uid retrieval.UID) error { s.Delete(uid); return nil },
		Contents: func() ([]Message, error) {
			msgs := s.Contents()
			for i := range msgs {
				if p == retrieval.POP3 {
					msgs[i].UID = msgs[i].UIDL
				}
			}
			return msgs, nil
		},
	}
}
