package imapserver

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// mailbox holds messages in the order of their UIDs.
type mailbox struct {
	name     string
	validity uint32
	tracker  *imapserver.MailboxTracker

	mu   sync.Mutex
	msgs []*message
	next imap.UID
}

// message is a message in a mailbox. Data never changes.
type message struct {
	Data     []byte
	uid      imap.UID
	received time.Time
	marks    map[string]imap.Flag // by lower case; replaced, never changed in place
}

func newMailbox(name string, validity uint32) *mailbox {
	return &mailbox{name: name, validity: validity, next: 1, tracker: imapserver.NewMailboxTracker(0)}
}

func (b *mailbox) deliver(data []byte, flags []string) uint32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := &message{Data: slices.Clone(data), uid: b.next, received: time.Now().Truncate(time.Second)}
	m.store(&imap.StoreFlags{Op: imap.StoreFlagsSet, Flags: imapFlags(flags)})
	b.next++
	b.msgs = append(b.msgs, m)
	b.tracker.QueueNumMessages(uint32(len(b.msgs)))
	return uint32(m.uid)
}

// snapshot returns copies of the messages as they are now.
func (b *mailbox) snapshot() []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	msgs := make([]message, len(b.msgs))
	for i, m := range b.msgs {
		msgs[i] = *m
	}
	return msgs
}

// change changes the flags of the messages in set.
func (b *mailbox) change(set imap.UIDSet, flags *imap.StoreFlags, source *imapserver.SessionTracker) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, m := range b.msgs {
		if set.Contains(m.uid) {
			m.store(flags)
			b.tracker.QueueMessageFlags(uint32(i)+1, m.uid, m.imapFlags(), source)
		}
	}
}

// remove removes the messages that doomed picks.
func (b *mailbox) remove(doomed func(*message) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.msgs) - 1; i >= 0; i-- {
		if doomed(b.msgs[i]) {
			b.msgs = slices.Delete(b.msgs, i, i+1)
			b.tracker.QueueExpunge(uint32(i) + 1)
		}
	}
}

func (m *message) has(f imap.Flag) bool {
	_, ok := m.marks[strings.ToLower(string(f))]
	return ok
}

func (m *message) store(flags *imap.StoreFlags) {
	marks := maps.Clone(m.marks)
	if marks == nil || flags.Op == imap.StoreFlagsSet {
		marks = make(map[string]imap.Flag)
	}
	for _, f := range flags.Flags {
		if flags.Op == imap.StoreFlagsDel {
			delete(marks, strings.ToLower(string(f)))
		} else {
			marks[strings.ToLower(string(f))] = f
		}
	}
	m.marks = marks
}

func (m *message) imapFlags() []imap.Flag {
	return slices.Sorted(maps.Values(m.marks))
}

func (m *message) flags() []string {
	var flags []string
	for _, f := range m.imapFlags() {
		flags = append(flags, string(f))
	}
	return flags
}

func imapFlags(flags []string) []imap.Flag {
	var fs []imap.Flag
	for _, f := range flags {
		fs = append(fs, imap.Flag(f))
	}
	return fs
}
