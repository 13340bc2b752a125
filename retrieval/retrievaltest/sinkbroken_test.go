package retrievaltest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/postbag/retrieval"
	rt "example.com/postbag/retrieval/retrievaltest"
)

// memorySink keeps mail in memory, and a second copy of it as if on a disk. bug
// is the name of the case that it is to fail.
type memorySink struct {
	bug     string
	mu      sync.Mutex
	pending []*memoryMail // delivered, not flushed
	mails   []*memoryMail // flushed
	disk    []memoryMail  // what a crash leaves
	busy    atomic.Int32  // deliveries under way
	failed  bool
	flushed bool     // and nothing done since
	crashed bool     // it has been reopened
	before  []string // on disk: names of all that were ever delivered
	partial []string // names of those that failed

	discarded []string

	notes, diskNotes map[retrieval.Box]string
}

type memoryMail struct {
	name  string // box and UID
	uid   retrieval.UID
	box   retrieval.Box
	n     int // of those with that name
	at    time.Time
	flags []retrieval.Flag
	data  []byte
	gone  bool // discarded, with a bug
	plain bool // a reader finds no flags, with a bug
	old   bool // from before a crash

	batch *memoryBatch // that it was delivered by, if any

	late io.Reader // read when it is flushed, with a bug
}

func newMemorySink(bug string) *memorySink {
	return &memorySink{bug: bug, notes: make(map[retrieval.Box]string), diskNotes: make(map[retrieval.Box]string)}
}

func (s *memorySink) underTest() rt.SinkUnderTest {
	now := s
	return rt.SinkUnderTest{
		Sink:     s,
		Contents: func() ([]rt.Delivered, error) { return now.contents(), nil },
		Reopen: func() (retrieval.Sink, error) {
			now = now.reopen()
			return now, nil
		},
		Once:       true,
		Concurrent: true,
	}
}

func (s *memorySink) has(bug string) bool { return s.bug == bug }

func (s *memorySink) ref(m *memoryMail) string {
	if s.has("Refs") {
		return string(m.uid)
	}
	return fmt.Sprintf("%s#%d", m.name, m.n)
}

func (s *memorySink) name(box retrieval.Box, uid retrieval.UID) string {
	if s.has("AwkwardNames") {
		uid = retrieval.UID(strings.ToLower(string(uid)))
	}
	return fmt.Sprintf("%d:%s/%d:%s/%s", len(box.Account), box.Account, len(box.Mailbox), box.Mailbox, uid)
}

func (s *memorySink) contents() []rt.Delivered {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []rt.Delivered
	for _, m := range s.mails {
		if m.gone {
			continue
		}
		d := rt.Delivered{Ref: s.ref(m), Flags: m.flags, Data: m.data}
		if m.plain {
			d.Flags = nil
		}
		all = append(all, d)
	}
	return all
}

func (s *memorySink) reopen() *memorySink {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := newMemorySink(s.bug)
	for _, m := range s.disk {
		n.mails = append(n.mails, &m)
	}
	n.disk, n.before, n.crashed = s.disk, s.before, true
	n.notes, n.diskNotes = maps.Clone(s.diskNotes), s.diskNotes
	for _, m := range n.mails {
		m.old = true
	}
	return n
}

// read reads a message as io.ReadAll does.
func (s *memorySink) read(m *retrieval.Message) ([]byte, error) {
	var data []byte
	p := make([]byte, 4096)
	for {
		n, err := m.Read(p)
		if err == nil && s.has("Late") && strings.HasSuffix(string(m.UID), ".199") {
			return append(data, p[:n]...), nil
		}
		if err == io.EOF && s.has("Readers") {
			return data, nil
		}
		data = append(data, p[:n]...)
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return data, err
		}
	}
}

func (s *memorySink) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	return s.deliver(ctx, m, nil)
}

func (s *memorySink) deliver(ctx context.Context, m *retrieval.Message, by *memoryBatch) (string, error) {
	defer s.busy.Add(-1)
	clash := s.busy.Add(1) > 1 && s.has("Concurrent")
	data, err := s.read(m)
	clash = clash || s.busy.Load() > 1 && s.has("Concurrent")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushed = false
	if s.has("Witness") {
		clear(s.notes)
	}
	name := s.name(m.Box, m.UID)
	if s.failed && s.has("AfterReadError") {
		return "", errors.New("failed before")
	}
	switch {
	case err != nil && s.has("ReadError") && len(data) > 0:
		s.add(name, m, data, by)
		return "", err
	case err != nil:
		s.failed = true
		s.partial = append(s.partial, name)
		return "", err
	case ctx.Err() != nil && s.has("Cancelled"):
		s.add(name, m, data[:len(data)/2], by)
		return "", ctx.Err()
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case clash, len(data) == 0 && s.has("Empty"), len(s.pending) >= 500 && s.has("Many"):
		return name + "#1", nil
	case s.has("Sizes") && m.Size > 0 && m.Size < int64(len(data)):
		data = data[:m.Size]
	case s.has("Exact"):
		data = bytes.ReplaceAll(data, []byte{0}, []byte{'?'})
	case s.has("Crash") && len(data) > 10_000:
		s.disk = append(s.disk, memoryMail{name: name + "half", data: data[:len(data)/2]})
	}
	return s.add(name, m, data, by), nil
}

// add delivers, unless the message is there.
func (s *memorySink) add(name string, m *retrieval.Message, data []byte, by *memoryBatch) string {
	mail := &memoryMail{batch: by, name: name, uid: m.UID, box: m.Box, n: 1, at: time.Now(), flags: slices.Clone(m.Flags), data: data}
	mail.plain = s.has("Flags")
	if s.has("Late") && strings.HasSuffix(string(m.UID), ".199") {
		mail.late = m
	}
	known := append(slices.Clone(s.mails), s.pending...)
	if s.has("Once") {
		known = s.mails
	}
	for _, old := range known {
		if s.has("OnceReopened") && old.old {
			continue
		}
		same := bytes.Equal(old.data, data) || s.has("OnceOtherOctets") || s.has("AwkwardNames") && old.uid != m.UID
		if old.name == name && same || bytes.Equal(old.data, data) && s.has("Twins") {
			return s.ref(old)
		}
		if old.name == name {
			mail.n++
		}
	}
	s.pending = append(s.pending, mail)
	s.before = append(s.before, name)
	return s.ref(mail)
}

func (s *memorySink) Flush(ctx context.Context) error { return s.flush(ctx, nil) }

func (s *memorySink) flush(ctx context.Context, of *memoryBatch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flushed && of == nil && s.has("FlushNothing") {
		return errors.New("nothing to do")
	}
	var pending, others []*memoryMail
	for _, m := range s.pending {
		if m.batch == of {
			pending = append(pending, m)
		} else {
			others = append(others, m)
		}
	}
	if ctx.Err() != nil {
		switch {
		case s.has("BatchFails"):
			s.pending = nil
		case of != nil || !s.has("FlushError"):
			s.pending = others
		}
		return context.Cause(ctx)
	}
	s.flushed = true
	for _, m := range pending {
		if m.late != nil {
			rest, _ := io.ReadAll(m.late)
			m.data = append(m.data, rest...)
		}
	}
	if s.has("Batches") {
		others = nil
	}
	s.mails, s.pending = append(s.mails, pending...), others
	if s.has("MirrorDurable") && len(pending) == 0 {
		return nil
	}
	s.disk = nil
	for _, m := range s.mails {
		if !s.has("Durable") || !slices.Contains(pending, m) || len(pending) < 5 || m != pending[4] {
			s.disk = append(s.disk, *m)
		}
	}
	return nil
}

func (s *memorySink) Find(_ context.Context, box retrieval.Box, intent retrieval.Record) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushed = false
	name := s.name(box, intent.UID)
	if s.has("FindNothing") && slices.Contains(s.partial, name) || s.crashed && s.has("FindAfterCrash") && slices.Contains(s.before, name) {
		return name + "#1", true, nil
	}
	since := intent.Since
	switch {
	case s.has("Find"):
		since = since.Add(time.Hour)
	case s.has("FindSince"):
		since = time.Time{}
	}
	for _, m := range s.mails {
		if !m.at.Before(since) && (m.name == name || m.uid == intent.UID && s.has("FindBox")) {
			return s.ref(m), true, nil
		}
	}
	return "", false, nil
}

// Look has an effect with a bug.
func (s *memorySink) Look(ctx context.Context, box retrieval.Box, intent retrieval.Record) (string, bool, error) {
	ref, found, err := s.Find(ctx, box, intent)
	if found && s.has("Look") {
		s.mails = nil
	}
	return ref, found, err
}

// mail returns a message that is there.
func (s *memorySink) mail(ref string) (*memoryMail, error) {
	for _, m := range s.mails {
		if s.ref(m) == ref && !m.gone {
			return m, nil
		}
	}
	return nil, retrieval.ErrGone
}

func (s *memorySink) SetFlags(_ context.Context, ref string, flags []retrieval.Flag) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushed = false
	m, err := s.mail(ref)
	if err != nil {
		if s.has("Gone") {
			err = nil
		}
		return ref, err
	}
	if s.has("SetFlags") {
		flags = append(m.flags, flags...)
	}
	m.flags, m.plain = slices.Clone(flags), false
	return ref, nil
}

func (s *memorySink) Discard(_ context.Context, ref string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushed = false
	m, err := s.mail(ref)
	if err != nil {
		if s.has("Gone") {
			err = nil
		}
		return err
	}
	s.discarded = append(s.discarded, ref)
	if s.has("FindDiscarded") {
		m.gone = true
		return nil
	}
	if s.has("Discard") && len(s.mails) > 3 {
		s.mails = s.mails[:len(s.mails)-1]
	}
	s.mails = slices.DeleteFunc(s.mails, func(o *memoryMail) bool { return o == m })
	return nil
}

func (s *memorySink) Owns(_ retrieval.Box, ref string) bool {
	if s.has("Refs") {
		return strings.HasPrefix(ref, "3857529045.")
	}
	return s.has("OwnsOthers") || strings.HasPrefix(ref, "23:imap://") && !(s.has("Owns") && strings.HasSuffix(ref, "#2"))
}

func (s *memorySink) Copies(_ context.Context, box retrieval.Box) (map[string][]retrieval.Flag, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]retrieval.Flag)
	for _, m := range s.mails {
		if !m.gone && !(s.has("Copies") && m.box.Mailbox != "INBOX") {
			all[s.ref(m)] = m.flags
		}
	}
	if s.has("CopiesGone") {
		for _, ref := range s.discarded {
			all[ref] = nil
		}
	}
	return all, nil
}

func (s *memorySink) Keeps(f retrieval.Flag) bool { return !s.has("Keeps") || f != retrieval.FlagSeen }

func (s *memorySink) ChangeFlags(_ context.Context, ref string, add, remove []retrieval.Flag) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushed = false
	m, err := s.mail(ref)
	if err != nil {
		return ref, err
	}
	m.flags = slices.DeleteFunc(m.flags, func(f retrieval.Flag) bool { return slices.Contains(remove, f) && !s.has("ChangeFlags") })
	m.flags = append(m.flags, add...)
	return ref, nil
}
