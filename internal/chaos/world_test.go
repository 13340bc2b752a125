package chaos_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"example.com/postbag/imapclient"
)

// mail is what is known of one message, by who has done what to it.
type mail struct {
	id      string // also its subject
	box     string
	number  int // in its box, in the order of arrival
	sum     [sha256.Size]byte
	foreign bool
	anchor  bool // nobody removes it

	deleted  bool // by the second client
	wasHere  bool // when it was deleted
	removed  bool // by the mail program
	surely   bool // when it was removed it was settled, and nobody had flagged it on the server
	flagged  bool // by the second client, ever
	seenAt   int64
	flags    map[string]bool // that somebody has set or taken away, and what it is now
	bothWays map[string]bool // flags that both have changed
}

func (m *mail) String() string {
	var is []string
	for what, on := range map[string]bool{
		"foreign": m.foreign, "anchor": m.anchor, "deleted there": m.deleted, "here before": m.wasHere,
		"removed here": m.removed, "surely": m.surely, "flagged there": m.flagged,
	} {
		if on {
			is = append(is, what)
		}
	}
	slices.Sort(is)
	return fmt.Sprintf("%q, flags changed: %v", is, m.flags)
}

// person is an account, as the world knows it.
type person struct {
	index int
	user  string
	role  *role
	ok    atomic.Int64 // runs that went well

	mu      sync.Mutex
	mails   map[string]*mail // by id
	arrived map[string]int   // in each box
	uids    map[string]map[uint32]string
	client  *imapclient.Client
}

func newPerson(i int) *person {
	return &person{
		index: i, user: userOf(i), role: roleOf(i), mails: make(map[string]*mail),
		arrived: make(map[string]int), uids: map[string]map[uint32]string{"INBOX": {}, "Work": {}, "Trash": {}},
	}
}

// boxes are the mailboxes that the account retrieves.
func (p *person) boxes() []string {
	if p.role.mailboxes != nil {
		return p.role.mailboxes
	}
	return []string{"INBOX"}
}

// write makes a message for a box, and knows it from then on.
func (p *person) write(box string, foreign bool, rng *rand.Rand) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrived[box]++
	m := &mail{
		box: box, number: p.arrived[box], foreign: foreign, flags: make(map[string]bool), bothWays: make(map[string]bool),
		id: fmt.Sprintf("%s-%s-%d", p.user, box, p.arrived[box]),
	}
	m.anchor = m.number == 1
	text := compose(m.id, foreign, rng)
	m.sum = sha256.Sum256(text)
	p.mails[m.id] = m
	return text
}

// compose is a message of 200 octets to 150 KB, with what is hard to carry in it.
func compose(id string, foreign bool, rng *rand.Rand) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: a@example.com\r\nSubject: %s\r\nMessage-ID: <%[1]s@example.com>\r\n\r\n", id)
	size := b.Len() + 1<<(4+rng.IntN(10))
	if rng.IntN(20) == 0 {
		size = 1 << (14 + rng.IntN(4))
	}
	for b.Len() < size {
		switch rng.IntN(12) {
		case 0:
			b.WriteString(".")
		case 1:
			b.WriteString("..")
		case 2:
			b.WriteString("From nobody Thu Jan  1 00:00:00 1970")
		case 3:
			b.WriteString(")\r\n* BYE\r\n+OK\r\n.x")
		case 4:
			for range rng.IntN(60) {
				b.WriteByte(byte(0x80 + rng.IntN(0x80)))
			}
		default:
			b.WriteString(strings.Repeat(string(rune('a'+rng.IntN(26))), rng.IntN(100)))
		}
		b.WriteString("\r\n")
	}
	for isForeign(int64(b.Len()+2)) != foreign {
		b.WriteByte('x')
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// idOf is the id in a message or the beginning of one.
func idOf(text []byte) string {
	_, rest, _ := bytes.Cut(text, []byte("Subject: "))
	id, _, ok := bytes.Cut(rest, []byte("\r\n"))
	if !ok {
		return ""
	}
	return string(id)
}

// userIn is the user in an id.
func userIn(id string) string {
	user, _, _ := strings.Cut(id, "-")
	return user
}
