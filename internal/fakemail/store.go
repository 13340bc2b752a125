package fakemail

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Profile is whose habits a store has.
type Profile int

// The profiles.
const (
	Standard Profile = iota
	Gmail
	Exchange
)

// Store is the mail of some users. All its methods may be called at any time.
type Store struct {
	profile Profile

	mu       sync.Mutex
	users    map[string]*user
	validity uint32 // the last one given
	ids      uint64 // the last one given to a message
	refusal  string
}

// user is one who can log in.
type user struct {
	name, password string
	boxes          map[string]*box   // by canonical name
	subscribed     map[string]bool   // names; a mailbox may be no more. RFC 9051 section 6.3.7
	threads        map[string]uint64 // by Message-ID
}

// Message is a message as the store holds it. Its Data must not be changed.
type Message struct {
	UID      uint32
	Validity uint32 // of its mailbox; no two mailboxes of a store share one
	Flags    []string
	Received time.Time
	Data     []byte
	ID       uint64 // the same in every mailbox that the message is in
}

var errNoMailbox = errors.New("no such mailbox")

// NewStore returns a store without users.
func NewStore(p Profile) *Store {
	return &Store{profile: p, users: make(map[string]*user), validity: 3857529044, ids: 1278455344230334864}
}

// AddUser adds a user with an INBOX and what else the profile gives. The
// password is also the token of XOAUTH2 and OAUTHBEARER.
func (s *Store) AddUser(name, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &user{
		name: name, password: password,
		boxes: make(map[string]*box), subscribed: map[string]bool{"INBOX": true}, threads: make(map[string]uint64),
	}
	s.users[name] = u
	s.create(u, "INBOX", "")
	if s.profile == Gmail {
		s.createGmail(u)
	}
}

// SetPassword changes a user's password.
func (s *Store) SetPassword(name, password string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[name]
	if u == nil {
		return fmt.Errorf("no user %q", name)
	}
	u.password = password
	return nil
}

// RefuseLogins makes the server answer every login with text, such as
// "[UNAVAILABLE] try later", until it is called with nothing.
func (s *Store) RefuseLogins(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = text
}

// login returns the user, or the text to refuse with.
func (s *Store) login(name, password string) (*user, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusal != "" {
		return nil, s.refusal
	}
	if u := s.users[name]; u != nil && u.password == password {
		return u, ""
	}
	if s.profile == Exchange {
		return nil, "Logon failure: unknown user name or bad password."
	}
	return nil, "[AUTHENTICATIONFAILED] wrong user or password"
}

// Create makes a mailbox, and those above it. One that is there is no error.
func (s *Store) Create(userName, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userName]
	if u == nil {
		return fmt.Errorf("no user %q", userName)
	}
	if u.boxes[canonical(name)] == nil {
		s.create(u, name, "")
	}
	return nil
}

// Deliver adds a message to a mailbox.
func (s *Store) Deliver(userName, name string, data []byte, flags ...string) (Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(userName, name)
	if err != nil {
		return Message{}, err
	}
	c := s.newContent(b.user, slices.Clone(data), time.Now().Truncate(time.Second))
	return s.put(b, c, flags).snapshot(), nil
}

// Messages returns a mailbox's messages, oldest first.
func (s *Store) Messages(userName, name string) ([]Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(userName, name)
	if err != nil {
		return nil, err
	}
	msgs := make([]Message, len(b.msgs))
	for i, m := range b.msgs {
		msgs[i] = m.snapshot()
	}
	return msgs, nil
}

// SetFlags gives a message flags instead of those it had. One that is gone is
// no error; a uid that cannot be one is.
func (s *Store) SetFlags(uid string, flags ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.message(uid)
	if m != nil {
		s.change([]*message{m}, replacing(s.permitted(flags)))
	}
	return err
}

// Delete removes a message, from all the mailboxes that share it. One that is
// gone is no error; a uid that cannot be one is.
func (s *Store) Delete(uid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.message(uid)
	switch {
	case m == nil:
		return err
	case s.profile != Gmail:
		m.box.remove(m)
		return nil
	}
	for _, p := range slices.Clone(m.places) {
		p.box.remove(p)
	}
	return nil
}

// Renumber gives the messages of a mailbox new UIDs under a new UIDVALIDITY,
// as a server does that has lost its indexes. Sessions that have the mailbox
// selected are told BYE.
func (s *Store) Renumber(userName, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(userName, name)
	if err != nil {
		return err
	}
	b.die()
	fresh := s.newBox(b.user, b.name, b.use)
	fresh.id = b.id
	for _, m := range slices.Clone(b.msgs) {
		m.leave()
		fresh.add(m.content, m.flags)
	}
	b.user.boxes[b.name] = fresh
	return nil
}

// find returns a mailbox that can be selected. s.mu is held, as by all that
// follows.
func (s *Store) find(userName, name string) (*box, error) {
	u := s.users[userName]
	if u == nil {
		return nil, fmt.Errorf("no user %q", userName)
	}
	b := u.boxes[canonical(name)]
	if b == nil || b.noselect {
		return nil, fmt.Errorf("%w %q", errNoMailbox, name)
	}
	return b, nil
}

// message finds a message by what it is called in all of the store: its
// UIDVALIDITY and UID, or with Gmail its UIDL. It may be nil.
func (s *Store) message(uid string) (*message, error) {
	var validity, n uint32
	var id uint64
	if _, err := fmt.Sscanf(uid, "GmailId%x", &id); err != nil {
		if _, err := fmt.Sscanf(uid, "%d.%d", &validity, &n); err != nil {
			return nil, fmt.Errorf("%q is no UID of this server", uid)
		}
	}
	for _, u := range s.users {
		for _, b := range u.boxes {
			if b.validity == validity {
				return b.message(n), nil
			}
			for _, m := range b.msgs {
				if id != 0 && m.id == id {
					return m, nil
				}
			}
		}
	}
	return nil, nil
}

// names returns a user's mailboxes in the order of their names, INBOX first.
func (u *user) names() []string {
	return slices.SortedFunc(maps.Keys(u.boxes), func(a, b string) int {
		if (a == "INBOX") != (b == "INBOX") {
			if a == "INBOX" {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
}

// canonical returns the one form of a mailbox's name. INBOX may be written in
// any case. RFC 9051 section 5.1.
func canonical(name string) string {
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	return name
}
