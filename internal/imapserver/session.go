package imapserver

import (
	"bytes"
	"crypto/subtle"
	"io"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// session is one connection, as go-imap wants it.
type session struct {
	server  *Server
	box     *mailbox // selected, or nil
	tracker *imapserver.SessionTracker
}

var _ imapserver.Session = (*session)(nil)

var errCannot = &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeCannot, Text: "Not in this server"}

func (s *session) Close() error { return s.Unselect() }

func (s *session) Login(user, password string) error {
	o := &s.server.opts
	if user != o.User || subtle.ConstantTimeCompare([]byte(password), []byte(o.Password)) != 1 {
		return imapserver.ErrAuthFailed
	}
	return nil
}

func (s *session) Select(name string, _ *imap.SelectOptions) (*imap.SelectData, error) {
	b, err := s.server.find(name)
	if err != nil {
		return nil, err
	}
	s.box = b
	b.mu.Lock()
	defer b.mu.Unlock()
	s.tracker = b.tracker.NewSession()
	system := []imap.Flag{imap.FlagSeen, imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagDraft}
	return &imap.SelectData{
		Flags:          system,
		PermanentFlags: append(system, imap.FlagWildcard),
		NumMessages:    uint32(len(b.msgs)),
		UIDNext:        b.next,
		UIDValidity:    b.validity,
	}, nil
}

func (s *session) Unselect() error {
	if s.tracker != nil {
		s.tracker.Close()
	}
	s.box, s.tracker = nil, nil
	return nil
}

func (s *session) Create(name string, _ *imap.CreateOptions) error { return s.server.Create(name) }

func (s *session) List(w *imapserver.ListWriter, ref string, patterns []string, _ *imap.ListOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	for name := range s.server.mailboxes {
		for _, p := range patterns {
			if imapserver.MatchList(name, '/', ref, p) {
				if err := w.WriteList(&imap.ListData{Mailbox: name, Delim: '/'}); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

func (s *session) Status(name string, _ *imap.StatusOptions) (*imap.StatusData, error) {
	b, err := s.server.find(name)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n := uint32(len(b.msgs))
	return &imap.StatusData{Mailbox: name, NumMessages: &n, UIDNext: b.next, UIDValidity: b.validity}, nil
}

func (s *session) Append(name string, r imap.LiteralReader, o *imap.AppendOptions) (*imap.AppendData, error) {
	b, err := s.server.find(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var flags []string
	for _, f := range o.Flags {
		flags = append(flags, string(f))
	}
	return &imap.AppendData{UID: imap.UID(b.deliver(data, flags)), UIDValidity: b.validity}, nil
}

func (s *session) Poll(w *imapserver.UpdateWriter, allowExpunge bool) error {
	if s.tracker == nil {
		return nil
	}
	return s.tracker.Poll(w, allowExpunge)
}

func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	if s.tracker == nil {
		<-stop
		return nil
	}
	return s.tracker.Idle(w, stop)
}

func (s *session) Expunge(_ *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	s.box.remove(func(m *message) bool {
		return m.has(imap.FlagDeleted) && (uids == nil || uids.Contains(m.uid))
	})
	return nil
}

func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	msgs := s.box.snapshot() // nobody waits for this client to read
	wanted := s.contains(set, msgs)
	for i, m := range msgs {
		seq := s.tracker.EncodeSeqNum(uint32(i) + 1)
		if seq == 0 || !wanted(seq, m.uid) {
			continue
		}
		if err := m.fetch(w.CreateMessage(seq), o); err != nil {
			return err
		}
		for _, sec := range o.BodySection {
			if !sec.Peek {
				s.box.change(imap.UIDSetNum(m.uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen}}, nil)
			}
		}
	}
	return nil
}

func (m *message) fetch(w *imapserver.FetchResponseWriter, o *imap.FetchOptions) error {
	w.WriteUID(m.uid)
	if o.Flags {
		w.WriteFlags(m.imapFlags())
	}
	if o.InternalDate {
		w.WriteInternalDate(m.received)
	}
	if o.RFC822Size {
		w.WriteRFC822Size(int64(len(m.Data)))
	}
	if o.BodyStructure != nil {
		w.WriteBodyStructure(imapserver.ExtractBodyStructure(bytes.NewReader(m.Data)))
	}
	for _, sec := range o.BodySection {
		data := m.section(sec)
		lit := w.WriteBodySection(sec, int64(len(data)))
		if _, err := lit.Write(data); err != nil {
			return err
		}
		if err := lit.Close(); err != nil {
			return err
		}
	}
	return w.Close()
}

// section returns the whole message and its header to the octet, and anything
// else as go-imap makes it.
func (m *message) section(sec *imap.FetchItemBodySection) []byte {
	if len(sec.Part) > 0 || sec.Partial != nil || len(sec.HeaderFields)+len(sec.HeaderFieldsNot) > 0 {
		return imapserver.ExtractBodySection(bytes.NewReader(m.Data), sec)
	}
	end := len(m.Data)
	if i := bytes.Index(m.Data, []byte("\r\n\r\n")); i >= 0 {
		end = i + 4
	}
	switch sec.Specifier {
	case imap.PartSpecifierHeader:
		return m.Data[:end]
	case imap.PartSpecifierText:
		return m.Data[end:]
	}
	return m.Data
}

func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, _ *imap.StoreOptions) error {
	msgs := s.box.snapshot()
	wanted := s.contains(set, msgs)
	var uids imap.UIDSet
	for i, m := range msgs {
		if seq := s.tracker.EncodeSeqNum(uint32(i) + 1); seq != 0 && wanted(seq, m.uid) {
			uids.AddNum(m.uid)
		}
	}
	s.box.change(uids, flags, s.tracker)
	if flags.Silent || len(uids) == 0 {
		return nil
	}
	return s.Fetch(w, uids, &imap.FetchOptions{Flags: true})
}

// contains tells which messages a set names, "*" being the last one.
func (s *session) contains(set imap.NumSet, msgs []message) func(seq uint32, uid imap.UID) bool {
	last := uint32(len(msgs))
	if uids, ok := set.(imap.UIDSet); ok {
		last = 0
		if len(msgs) > 0 {
			last = uint32(msgs[len(msgs)-1].uid)
		}
		return func(_ uint32, uid imap.UID) bool {
			for _, r := range uids {
				if within(uint32(uid), uint32(r.Start), uint32(r.Stop), last) {
					return true
				}
			}
			return false
		}
	}
	seqs, _ := set.(imap.SeqSet)
	return func(seq uint32, _ imap.UID) bool {
		for _, r := range seqs {
			if within(seq, r.Start, r.Stop, last) {
				return true
			}
		}
		return false
	}
}

// within tells whether n is in a range in which 0 stands for last. RFC 9051
// section 9, seq-range: the order of the ends does not matter.
func within(n, start, stop, last uint32) bool {
	if start == 0 {
		start = last
	}
	if stop == 0 {
		stop = last
	}
	return min(start, stop) <= n && n <= max(start, stop)
}

func (s *session) Namespace() (*imap.NamespaceData, error) {
	return &imap.NamespaceData{Personal: []imap.NamespaceDescriptor{{Delim: '/'}}}, nil
}

func (s *session) Delete(string) error                              { return errCannot }
func (s *session) Rename(string, string, *imap.RenameOptions) error { return errCannot }
func (s *session) Subscribe(string) error                           { return errCannot }
func (s *session) Unsubscribe(string) error                         { return errCannot }

func (s *session) Search(imapserver.NumKind, *imap.SearchCriteria, *imap.SearchOptions) (*imap.SearchData, error) {
	return nil, errCannot
}

func (s *session) Copy(imap.NumSet, string) (*imap.CopyData, error) { return nil, errCannot }
