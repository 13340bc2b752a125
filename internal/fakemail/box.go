package fakemail

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// box is a mailbox. The store's lock guards it.
type box struct {
	user     *user
	name     string
	id       string // MAILBOXID, RFC 8474
	use      string // \Sent and so on, or empty. RFC 6154
	noselect bool
	dead     bool // deleted or renumbered: who has it selected must go

	validity uint32
	next     uint32
	modseq   uint64 // the highest given. RFC 7162
	recent   uint32 // no session has been told of this UID or one above
	msgs     []*message
	gone     []tombstone // in the order of modseq
	views    map[*view]struct{}
}

// message is a message in a mailbox.
type message struct {
	*content
	box    *box
	uid    uint32
	modseq uint64
	flags  []string // replaced, never changed in place
}

// content is what does not change, and is shared by all copies of a message.
// places is guarded by the store's lock.
type content struct {
	data     []byte
	received time.Time
	id       uint64
	thread   uint64
	places   []*message
	popped   bool // retrieved over POP3 and hidden there since (Gmail)

	parse     sync.Once
	structure *part
}

// tombstone remembers a message that is gone.
type tombstone struct {
	uid    uint32
	modseq uint64
}

func (s *Store) newBox(u *user, name, use string) *box {
	s.validity++
	return &box{
		user: u, name: name, use: use, id: fmt.Sprintf("F%x", s.validity),
		validity: s.validity, next: 1, recent: 1, modseq: 1,
		views: make(map[*view]struct{}),
	}
}

func (s *Store) newContent(u *user, data []byte, received time.Time) *content {
	s.ids++
	c := &content{data: data, received: received, id: s.ids}
	u.join(c)
	return c
}

// put adds a message to a mailbox as the profile wants it.
func (s *Store) put(b *box, c *content, flags []string) *message {
	flags = s.permitted(flags)
	if s.profile == Gmail {
		return s.label(b, c, flags)
	}
	return b.add(c, flags)
}

// permitted leaves out the flags that the server does not keep.
func (s *Store) permitted(flags []string) []string {
	var kept []string
	for _, f := range flags {
		switch {
		case strings.EqualFold(f, `\Recent`):
		case s.profile == Exchange && !slices.ContainsFunc(exchangeFlags, func(e string) bool { return strings.EqualFold(e, f) }):
		default:
			kept = append(kept, f)
		}
	}
	return flagSet(kept)
}

// flagSet returns flags in order and once each, system flags as they are
// written in RFC 9051.
func flagSet(flags []string) []string {
	var set []string
	for _, f := range flags {
		for _, sys := range systemFlags {
			if strings.EqualFold(sys, f) {
				f = sys
			}
		}
		if !slices.ContainsFunc(set, func(e string) bool { return strings.EqualFold(e, f) }) {
			set = append(set, f)
		}
	}
	slices.Sort(set)
	return set
}

var systemFlags = []string{`\Answered`, `\Flagged`, `\Deleted`, `\Seen`, `\Draft`}

// exchangeFlags are all that Exchange keeps: its PERMANENTFLAGS have no \*.
var exchangeFlags = append(slices.Clone(systemFlags), "$MDNSent")

func (b *box) add(c *content, flags []string) *message {
	m := &message{content: c, box: b, uid: b.next, flags: flags, modseq: b.touch()}
	b.next++
	b.msgs = append(b.msgs, m)
	c.places = append(c.places, m)
	return m
}

// remove removes messages of this mailbox.
func (b *box) remove(doomed ...*message) {
	if len(doomed) == 0 {
		return
	}
	modseq := b.touch()
	which := make(map[*message]bool, len(doomed))
	for _, m := range doomed {
		which[m] = true
	}
	b.msgs = slices.DeleteFunc(b.msgs, func(m *message) bool {
		if !which[m] {
			return false
		}
		m.leave()
		b.gone = append(b.gone, tombstone{m.uid, modseq})
		return true
	})
}

// leave makes the content forget that it is here.
func (m *message) leave() {
	m.places = slices.DeleteFunc(m.places, func(p *message) bool { return p == m })
}

// change gives messages of one mailbox the flags that f makes of those they
// have. What stays the same keeps its modseq. RFC 7162 section 3.1.
func (s *Store) change(msgs []*message, f func([]string) []string) {
	modseqs := make(map[*box]uint64)
	set := func(m *message, flags []string) {
		if slices.Equal(m.flags, flags) {
			return
		}
		if modseqs[m.box] == 0 {
			modseqs[m.box] = m.box.touch()
		}
		m.flags, m.modseq = flags, modseqs[m.box]
	}
	for _, m := range msgs {
		flags := f(m.flags)
		if s.profile != Gmail {
			set(m, flags)
			continue
		}
		for _, p := range slices.Clone(m.places) {
			set(p, flags)
		}
		s.star(m.content, flags)
	}
}

// touch takes the next modseq and wakes who watches.
func (b *box) touch() uint64 {
	b.modseq++
	b.wake()
	return b.modseq
}

func (b *box) wake() {
	for v := range b.views {
		select {
		case v.changed <- struct{}{}:
		default: // it has not looked since the last time
		}
	}
}

func (b *box) die() {
	b.dead = true
	b.wake()
}

// index returns where the first message is whose UID is not below uid.
func (b *box) index(uid uint32) int {
	i, _ := slices.BinarySearchFunc(b.msgs, uid, func(m *message, uid uint32) int { return int(int64(m.uid) - int64(uid)) })
	return i
}

func (b *box) message(uid uint32) *message {
	if i := b.index(uid); i < len(b.msgs) && b.msgs[i].uid == uid {
		return b.msgs[i]
	}
	return nil
}

func (m *message) has(flag string) bool {
	return slices.ContainsFunc(m.flags, func(f string) bool { return strings.EqualFold(f, flag) })
}

func (m *message) snapshot() Message {
	return Message{UID: m.uid, Validity: m.box.validity, Flags: slices.Clone(m.flags), Received: m.received, Data: m.data, ID: m.id}
}
