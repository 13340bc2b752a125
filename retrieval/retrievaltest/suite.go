package retrievaltest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
)

// Mailbox is what [TestRetriever] needs of an implementation under test: one
// mailbox, empty at first, seen from the server's side and from a client's.
// The fields that say so may be nil; the cases that need them are skipped then.
type Mailbox struct {
	// Open begins a session. There are several at a time only if the server
	// keeps flags: a maildrop may be for one.
	Open func(ctx context.Context) (retrieval.Retriever, error)

	// Deliver adds a message, whose lines end in CRLF.
	Deliver func(msg []byte) error

	// Delete removes a message, as another client would.
	Delete func(uid retrieval.UID) error

	// Contents returns what the mailbox holds, oldest first.
	Contents func() ([]Message, error)

	// OpenFaulty begins a session on whose connection faults happen, by
	// [Faulty] or [WithFaults]. It may be nil.
	OpenFaulty func(t testing.TB, faults ...*Fault) (retrieval.Retriever, error)

	// OpenAmbiguous begins a session with a server that gives two messages the
	// same UID. It may be nil.
	OpenAmbiguous func(t testing.TB) (retrieval.Retriever, error)
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
	{"Generation", "every UID begins with Features().Generation and a dot, if there is one", testGeneration},
	{"Snapshot", "what arrives after List is not part of the session, and disturbs nothing that was listed", testSnapshot},
	{"Ambiguous", "two messages with the same UID are an ErrAmbiguous", testAmbiguous},
	{"Fetch", "Fetch gives the exact octets of each message asked for, and of no other", testFetch},
	{"FetchLeavesNoTrace", "Fetch and Headers set no flag", testFetchLeavesNoTrace},
	{"Headers", "Headers gives the header section with its blank line, and no more", testHeaders},
	{"FetchGone", "a UID that is not there is an ErrGone about that message alone", testFetchGone},
	{"HeadersGone", "a UID that is not there is an ErrGone about that header section alone", testHeadersGone},
	{"Vanished", "a message that another client deletes after List is an ErrGone or still there, whole", testVanished},
	{"Break", "breaking out of a loop leaves the session usable", testBreak},
	{"Unread", "a message that was not read does not disturb the next", testUnread},
	{"DeleteWithinLoop", "Delete only marks, and may be called within a loop over Fetch", testDeleteWithinLoop},
	{"CloseDeletesNothing", "without Commit, Close leaves the mailbox as it was", testCloseDeletesNothing},
	{"Commit", "Commit deletes what was marked and nothing else, not even what arrived since", testCommit},
	{"CommitAfterBreak", "Commit deletes what was marked after a loop was left early", testCommitAfterBreak},
	{"ForeignMarks", "Commit does not delete what another client has marked as \\Deleted", testForeignMarks},
	{"DeleteUnlisted", "Delete refuses a UID that List did not name, and marks none", testDeleteUnlisted},
	{"Cancel", "cancelling a context ends the session with the context's cause", testCancel},
	{"CommitCancelled", "a Commit whose context is over deletes nothing but what was marked, and if it is an error the Receipt tells the fate of each", testCommitCancelled},
	{"CloseTwice", "closing twice is no error", testCloseTwice},
	{"CloseWithinLoop", "closing the session within a loop ends the loop with an ErrSession, and deletes nothing", testCloseWithinLoop},
	{"UseAfterClose", "a session that is closed answers everything with an error", testUseAfterClose},
	{"Flags", "SetFlags changes flags, or is ErrUnsupported where Features says that there are none", testFlags},
	{"FlagsGone", "SetFlags passes over a UID that is gone", testFlagsGone},
	{"CutMessage", "reading a message ends with io.EOF only if every octet arrived, else with ErrTruncated", testCutMessage},
	{"CutLoop", "a lost session ends a sequence with an ErrSession, which is the last", testCutLoop},
	{"CutCommit", "a Commit that is cut short is an ErrUncommitted, and the Receipt tells the fate of each marked message: Deleted is gone, Kept is there, only Unknown may be either", testCutCommit},
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

// held returns the UIDs of the contents.
func (f *fixture) held() []retrieval.UID {
	f.Helper()
	var uids []retrieval.UID
	for _, m := range f.contents() {
		uids = append(uids, m.UID)
	}
	return uids
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
