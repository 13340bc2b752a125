package retrievaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
)

// Mailbox is what [TestRetriever] needs of an implementation under test: one
// mailbox, empty at first, seen from the server's side and from a client's.
type Mailbox struct {
	// Open begins a session.
	Open func(ctx context.Context) (retrieval.Retriever, error)

	// Deliver adds a message, whose lines end in CRLF.
	Deliver func(msg []byte) error

	// Delete removes a message, as another client would.
	Delete func(uid retrieval.UID) error

	// Contents returns what the mailbox holds, oldest first.
	Contents func() ([]Message, error)
}

// Mailbox returns the server's mailbox for [TestRetriever].
func (s *Server) Mailbox() Mailbox {
	return Mailbox{
		Open: func(ctx context.Context) (retrieval.Retriever, error) {
			return retrieval.Open(ctx, s.Account())
		},
		Deliver:  func(msg []byte) error { return s.Deliver(msg) },
		Delete:   func(uid retrieval.UID) error { return s.Delete(uid) },
		Contents: s.Contents,
	}
}

// TestRetriever proves that an implementation keeps the contract of
// retrieval.Retriever. newMailbox is called for each subtest.
func TestRetriever(t *testing.T, newMailbox func(t *testing.T) Mailbox) {
	for _, tt := range retrieverTests {
		t.Run(tt.name, func(t *testing.T) {
			tt.test(&fixture{T: t, box: newMailbox(t), rule: tt.rule})
		})
	}
}

var retrieverTests = []struct {
	name string
	rule string // printed with each failure
	test func(*fixture)
}{
	{"ListEmpty", "an empty mailbox lists nothing and is no error", testListEmpty},
	{"List", "List names every message once, oldest first, the same UIDs in every session", testList},
	{"Fetch", "Fetch gives the exact octets of each message asked for, and of no other", testFetch},
	{"FetchLeavesNoTrace", "Fetch sets no flag", testFetchLeavesNoTrace},
	{"Headers", "Headers gives the header section with its blank line, and no more", testHeaders},
	{"FetchGone", "a UID that is not there is an ErrGone about that message alone", testFetchGone},
	{"Break", "breaking out of a loop leaves the session usable", testBreak},
	{"Unread", "a message that was not read does not disturb the next", testUnread},
	{"DeleteWithinLoop", "Delete only marks, and may be called within a loop over Fetch", testDeleteWithinLoop},
	{"CloseDeletesNothing", "without Commit, Close leaves the mailbox as it was", testCloseDeletesNothing},
	{"Commit", "Commit deletes what was marked and nothing else, not even what arrived since", testCommit},
	{"CommitAfterBreak", "Commit deletes what was marked after a loop was left early", testCommitAfterBreak},
	{"DeleteUnlisted", "Delete refuses a UID that List did not name, and marks none", testDeleteUnlisted},
	{"Cancel", "cancelling a context ends the session with the context's cause", testCancel},
	{"CloseTwice", "closing twice is no error", testCloseTwice},
	{"Flags", "SetFlags changes flags, or is ErrUnsupported where Features says that there are none", testFlags},
}

// fixture is one subtest.
type fixture struct {
	*testing.T
	box  Mailbox
	rule string
}

func (f *fixture) broken(format string, args ...any) {
	f.Helper()
	f.Fatalf("%s\nthe rule: %s", fmt.Sprintf(format, args...), f.rule)
}

func (f *fixture) open() retrieval.Retriever {
	f.Helper()
	r, err := f.box.Open(f.Context())
	if err != nil {
		f.broken("open: %v", err)
	}
	f.Cleanup(func() { r.Close() })
	return r
}

func (f *fixture) deliver(msgs ...[]byte) {
	f.Helper()
	for _, m := range msgs {
		if err := f.box.Deliver(m); err != nil {
			f.Fatal(err)
		}
	}
}

func (f *fixture) contents() []Message {
	f.Helper()
	msgs, err := f.box.Contents()
	if err != nil {
		f.Fatal(err)
	}
	return msgs
}

func (f *fixture) list(r retrieval.Retriever) []retrieval.UID {
	f.Helper()
	sums, err := r.List(f.Context())
	if err != nil {
		f.broken("List: %v", err)
	}
	var uids []retrieval.UID
	for _, s := range sums {
		uids = append(uids, s.UID)
	}
	return uids
}

// sample returns n messages that are awkward in different ways.
func sample(n int) [][]byte {
	bodies := []string{
		"Hello.\r\n",
		".\r\n..\r\n...dots\r\n.\r\n",
		"+OK not a reply\r\n-ERR neither\r\n* BYE nor this\r\nA1 OK done\r\n",
		strings.Repeat("x", 70_000) + "\r\n",
		"8 bit: \xe4\xf6\xfc \x00 nul\r\n",
		"",
		strings.Repeat("line of text\r\n", 3000),
		"{10}\r\n\"quoted\" (paren) \\ back\r\n",
	}
	var msgs [][]byte
	for i := range n {
		msgs = append(msgs, fmt.Appendf(nil, "From: a@example.com\r\nTo: b@example.com\r\nSubject: number %d\r\n\t folded\r\nMessage-ID: <%d@example.com>\r\n\r\n%s", i, i, bodies[i%len(bodies)]))
	}
	return msgs
}

func testListEmpty(f *fixture) {
	r := f.open()
	if uids := f.list(r); len(uids) != 0 {
		f.broken("List = %q, want nothing", uids)
	}
	for _, err := range r.Fetch(f.Context()) {
		f.broken("Fetch of nothing yields something, error %v", err)
	}
	if _, err := r.Commit(f.Context()); err != nil {
		f.broken("Commit of nothing: %v", err)
	}
}

func testList(f *fixture) {
	f.deliver(sample(20)...)
	want := f.contents()
	sums, err := f.open().List(f.Context())
	if err != nil {
		f.broken("List: %v", err)
	}
	if len(sums) != len(want) {
		f.broken("List names %d messages, want %d", len(sums), len(want))
	}
	for i, s := range sums {
		if s.UID != want[i].UID {
			f.broken("message %d: UID %q, want %q", i, s.UID, want[i].UID)
		}
		if s.Size >= 0 && max(s.Size-int64(len(want[i].Data)), int64(len(want[i].Data))-s.Size) > 2 {
			f.broken("message %d: size %d, want %d (an unended last line may be counted as ended)", i, s.Size, len(want[i].Data))
		}
	}
	again := f.list(f.open())
	for i, uid := range again {
		if uid != want[i].UID {
			f.broken("message %d has another UID in the second session: %q, was %q", i, uid, want[i].UID)
		}
	}
}

func testFetch(f *fixture) {
	f.deliver(sample(40)...)
	all := f.contents()
	r := f.open()
	uids := f.list(r)
	want := make(map[retrieval.UID][]byte)
	var ask []retrieval.UID
	for i, uid := range uids {
		if i%3 != 1 {
			ask = append(ask, uid)
			want[uid] = all[i].Data
		}
	}
	for m, err := range r.Fetch(f.Context(), ask...) {
		if err != nil {
			f.broken("Fetch: %v", err)
		}
		got, err := io.ReadAll(m)
		if err != nil {
			f.broken("reading %s: %v", m.UID, err)
		}
		data, ok := want[m.UID]
		if !ok {
			f.broken("Fetch yields %s, which was not asked for or came before", m.UID)
		}
		if !bytes.Equal(got, data) {
			f.broken("%s: %d octets %.60q…, want %d octets %.60q…", m.UID, len(got), got, len(data), data)
		}
		delete(want, m.UID)
	}
	if len(want) > 0 {
		f.broken("Fetch left out %d messages without an error", len(want))
	}
}

func testFetchLeavesNoTrace(f *fixture) {
	f.deliver(sample(3)...)
	r := f.open()
	uids := f.list(r)
	for m, err := range r.Fetch(f.Context(), uids...) {
		if err != nil {
			f.broken("Fetch: %v", err)
		}
		io.Copy(io.Discard, m)
	}
	r.Close()
	for _, m := range f.contents() {
		if len(m.Flags) > 0 {
			f.broken("%s has the flags %q after Fetch", m.UID, m.Flags)
		}
	}
}

func testHeaders(f *fixture) {
	f.deliver(sample(10)...)
	want := make(map[retrieval.UID][]byte)
	for _, m := range f.contents() {
		want[m.UID] = m.Data[:bytes.Index(m.Data, []byte("\r\n\r\n"))+4]
	}
	r := f.open()
	for m, err := range r.Headers(f.Context(), f.list(r)...) {
		if err != nil {
			f.broken("Headers: %v", err)
		}
		got, err := io.ReadAll(m)
		if err != nil || !bytes.Equal(got, want[m.UID]) {
			f.broken("%s: %q, %v, want %q", m.UID, got, err, want[m.UID])
		}
		delete(want, m.UID)
	}
	if len(want) > 0 {
		f.broken("Headers left out %d messages without an error", len(want))
	}
}

func testFetchGone(f *fixture) {
	f.deliver(sample(5)...)
	r := f.open()
	uids := f.list(r)
	ask := slices.Insert(slices.Clone(uids), 2, "4294967295.no-such-uid")
	var got, gone int
	for m, err := range r.Fetch(f.Context(), ask...) {
		if err == nil {
			io.Copy(io.Discard, m)
			got++
			continue
		}
		var me *retrieval.MessageError
		if !errors.As(err, &me) || me.UID != ask[2] || !errors.Is(err, retrieval.ErrGone) || errors.Is(err, retrieval.ErrSession) {
			f.broken("error %v, want a MessageError about %s that is ErrGone and not ErrSession", err, ask[2])
		}
		gone++
	}
	if got != 5 || gone != 1 {
		f.broken("%d messages and %d errors, want 5 and 1", got, gone)
	}
}

func testBreak(f *fixture) {
	f.deliver(sample(30)...)
	all := f.contents()
	r := f.open()
	uids := f.list(r)
	for _, read := range []bool{true, false} {
		n := 0
		for m, err := range r.Fetch(f.Context(), uids...) {
			if err != nil {
				f.broken("Fetch: %v", err)
			}
			if read {
				io.CopyN(io.Discard, m, 10)
			}
			if n++; n == 4 {
				break
			}
		}
	}
	for m, err := range r.Fetch(f.Context(), uids[7]) {
		if err != nil {
			f.broken("Fetch after break: %v", err)
		}
		if got, err := io.ReadAll(m); err != nil || !bytes.Equal(got, all[7].Data) {
			f.broken("after break: %d octets, %v, want %d", len(got), err, len(all[7].Data))
		}
	}
}

func testUnread(f *fixture) {
	f.deliver(sample(16)...)
	all := f.contents()
	r := f.open()
	i := 0
	for m, err := range r.Fetch(f.Context(), f.list(r)...) {
		if err != nil {
			f.broken("Fetch: %v", err)
		}
		j := slices.IndexFunc(all, func(a Message) bool { return a.UID == m.UID })
		switch i++; i % 3 {
		case 0: // not at all
		case 1:
			io.CopyN(io.Discard, m, 5)
		case 2:
			if got, err := io.ReadAll(m); err != nil || !bytes.Equal(got, all[j].Data) {
				f.broken("%s: %d octets, %v, want %d", m.UID, len(got), err, len(all[j].Data))
			}
		}
	}
	if i != len(all) {
		f.broken("%d messages, want %d", i, len(all))
	}
}

func testDeleteWithinLoop(f *fixture) {
	f.deliver(sample(12)...)
	r := f.open()
	uids := f.list(r)
	for m, err := range r.Fetch(f.Context(), uids...) {
		if err != nil {
			f.broken("Fetch: %v", err)
		}
		io.Copy(io.Discard, m)
		if err := r.Delete(m.UID); err != nil {
			f.broken("Delete in the loop: %v", err)
		}
	}
	if n := len(f.contents()); n != 12 {
		f.broken("%d messages before Commit, want 12", n)
	}
	rcpt, err := r.Commit(f.Context())
	if err != nil || len(rcpt.Deleted) != 12 || len(rcpt.Kept)+len(rcpt.Unknown) != 0 {
		f.broken("Commit = %d deleted, %d kept, %d unknown, %v", len(rcpt.Deleted), len(rcpt.Kept), len(rcpt.Unknown), err)
	}
	if n := len(f.contents()); n != 0 {
		f.broken("%d messages after Commit, want none", n)
	}
}

func testCloseDeletesNothing(f *fixture) {
	f.deliver(sample(4)...)
	r := f.open()
	if err := r.Delete(f.list(r)...); err != nil {
		f.broken("Delete: %v", err)
	}
	if err := r.Close(); err != nil {
		f.broken("Close: %v", err)
	}
	if uids := f.list(f.open()); len(uids) != 4 {
		f.broken("%d messages after Close, want 4", len(uids))
	}
}

func testCommit(f *fixture) {
	f.deliver(sample(6)...)
	before := f.contents()
	r := f.open()
	uids := f.list(r)
	f.deliver([]byte("Subject: late\r\n\r\nlate\r\n"))
	if err := f.box.Delete(uids[5]); err != nil { // marked here, removed by another
		f.Fatal(err)
	}
	if err := r.Delete(uids[1], uids[3], uids[5], uids[1]); err != nil {
		f.broken("Delete: %v", err)
	}
	rcpt, err := r.Commit(f.Context())
	if err != nil && !errors.Is(err, retrieval.ErrUncommitted) {
		f.broken("Commit: %v", err)
	}
	if !slices.Contains(rcpt.Deleted, uids[1]) || !slices.Contains(rcpt.Deleted, uids[3]) {
		f.broken("Receipt.Deleted = %q, want %q and %q in it", rcpt.Deleted, uids[1], uids[3])
	}
	var left []retrieval.UID
	for _, m := range f.contents() {
		left = append(left, m.UID)
	}
	want := []retrieval.UID{before[0].UID, before[2].UID, before[4].UID}
	if len(left) != 4 || !slices.Equal(left[:3], want) {
		f.broken("left are %q, want %q and the one that came late", left, want)
	}
}

func testCommitAfterBreak(f *fixture) {
	f.deliver(sample(30)...)
	r := f.open()
	uids := f.list(r)
	for m, err := range r.Fetch(f.Context(), uids...) {
		if err != nil {
			f.broken("Fetch: %v", err)
		}
		io.Copy(io.Discard, m)
		if err := r.Delete(m.UID); err != nil {
			f.broken("Delete: %v", err)
		}
		break
	}
	rcpt, err := r.Commit(f.Context())
	if err != nil || len(rcpt.Deleted) != 1 {
		f.broken("Commit = %d deleted, %v", len(rcpt.Deleted), err)
	}
	if n := len(f.contents()); n != 29 {
		f.broken("%d messages left, want 29", n)
	}
}

func testDeleteUnlisted(f *fixture) {
	f.deliver(sample(2)...)
	r := f.open()
	uids := f.list(r)
	if err := r.Delete(uids[0], "4294967295.no-such-uid"); !errors.Is(err, retrieval.ErrGone) {
		f.broken("Delete = %v, want ErrGone", err)
	}
	if _, err := r.Commit(f.Context()); err != nil {
		f.broken("Commit: %v", err)
	}
	if n := len(f.contents()); n != 2 {
		f.broken("%d messages left, want 2", n)
	}
}

func testCancel(f *fixture) {
	f.deliver(sample(16)...)
	r := f.open()
	uids := f.list(r)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(f.Context())
	var last error
	for m, err := range r.Fetch(ctx, uids...) {
		if last = err; err != nil {
			continue
		}
		cancel(cause)
		io.Copy(io.Discard, m)
	}
	cancel(nil)
	if !errors.Is(last, cause) || !errors.Is(last, retrieval.ErrSession) {
		f.broken("the loop ends with %v, want the cause %q and ErrSession", last, cause)
	}
	if _, err := r.List(f.Context()); err == nil {
		f.broken("List works after the session was cancelled")
	}
	if n := len(f.list(f.open())); n != 16 {
		f.broken("%d messages left, want 16", n)
	}
}

func testCloseTwice(f *fixture) {
	r := f.open()
	for range 2 {
		if err := r.Close(); err != nil {
			f.broken("Close: %v", err)
		}
	}
}

func testFlags(f *fixture) {
	f.deliver(sample(3)...)
	r := f.open()
	uids := f.list(r)
	set := func(op retrieval.FlagOp, flags ...retrieval.Flag) error {
		return retrieval.SetFlags(f.Context(), r, op, flags, uids[1])
	}
	if !r.Features().Flags {
		if err := set(retrieval.AddFlags, retrieval.FlagSeen); !errors.Is(err, errors.ErrUnsupported) {
			f.broken("SetFlags = %v, want errors.ErrUnsupported", err)
		}
		return
	}
	for _, step := range []struct {
		op    retrieval.FlagOp
		flags []retrieval.Flag
		want  []retrieval.Flag
	}{
		{retrieval.AddFlags, []retrieval.Flag{retrieval.FlagSeen, retrieval.FlagFlagged}, []retrieval.Flag{retrieval.FlagSeen, retrieval.FlagFlagged}},
		{retrieval.RemoveFlags, []retrieval.Flag{retrieval.FlagSeen}, []retrieval.Flag{retrieval.FlagFlagged}},
		{retrieval.ReplaceFlags, []retrieval.Flag{retrieval.FlagAnswered}, []retrieval.Flag{retrieval.FlagAnswered}},
	} {
		if err := set(step.op, step.flags...); err != nil {
			f.broken("SetFlags: %v", err)
		}
		sums, err := f.open().List(f.Context())
		if err != nil {
			f.broken("List: %v", err)
		}
		if !retrieval.SameFlags(sums[1].Flags, step.want) || len(sums[0].Flags) > 0 {
			f.broken("flags are %q and the neighbour's %q, want %q and none", sums[1].Flags, sums[0].Flags, step.want)
		}
	}
}
