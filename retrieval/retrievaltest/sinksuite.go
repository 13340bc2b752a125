package retrievaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

// SinkUnderTest is what [TestSink] needs of an implementation: a sink that is
// empty, and what cannot be seen through the interface. What a sink can do
// beyond Deliver is found by type assertion.
type SinkUnderTest struct {
	Sink retrieval.Sink

	// Contents returns what a reader of the mail finds now, in any order.
	Contents func() ([]Delivered, error)

	// Reopen ends the work with the sink as a crash does, without another
	// call of its methods, and opens what that left behind. Contents is about
	// the new sink from then on. Nil means that nothing outlives the process.
	Reopen func() (retrieval.Sink, error)

	// Same tells whether a message in the sink is the one that was delivered;
	// nil is to the octet. It is for sinks that have to change line ends, say.
	Same func(got, want []byte) bool

	// Once says that the sink recognises a message by Box, UID and octets: one
	// that is delivered again is there once.
	Once bool

	// Concurrent says that Deliver may be called from several goroutines.
	Concurrent bool
}

// Delivered is a message as a reader finds it in a sink.
type Delivered struct {
	Ref   string           // as Deliver returned it
	Flags []retrieval.Flag // if the sink is a retrieval.Mirrorer
	Data  []byte
}

// TestSink proves that an implementation keeps the contract of retrieval.Sink,
// and of Flusher, Finder, Looker, Mirrorer, Inventory, Witness and Batcher where it
// is one. newSink is called for each subtest.
func TestSink(t *testing.T, newSink func(t *testing.T) SinkUnderTest) {
	for _, tt := range sinkTests {
		t.Run(tt.name, func(t *testing.T) {
			f := &sinkFixture{T: t, SinkUnderTest: newSink(t), rule: tt.rule}
			if lacks := f.lacks(tt.needs); lacks != "" {
				t.Skip("the sink " + lacks)
			}
			tt.test(f)
		})
	}
}

// suiteNeeds is what a case needs an implementation to be or to have.
type suiteNeeds int

const (
	needsFlusher suiteNeeds = 1 << iota
	needsFinder
	needsMirrorer
	needsInventory
	needsReopen
	needsOnce
	needsConcurrent
	needsLock
	needsLooker
	needsWitness
	needsBatcher
)

var sinkTests = []struct {
	name  string
	needs suiteNeeds
	rule  string // printed with each failure
	test  func(*sinkFixture)
}{
	{"Exact", 0, "a message is there to the octet, whatever octets it has", sinkExact},
	{"Empty", 0, "a message of no octets is a message", sinkEmpty},
	{"Readers", 0, "it does not matter in which pieces a message arrives, nor whether its end comes with the last of them", sinkReaders},
	{"Sizes", 0, "a message has the octets that can be read, whatever size the server has told", sinkSizes},
	{"Late", 0, "a message is read to its end before Deliver returns, and never after", sinkLate},
	{"ReadError", 0, "if reading the message fails, Deliver fails, and nothing of the message is delivered", sinkReadError},
	{"AfterReadError", 0, "a message that failed leaves the sink usable, also for the same message", sinkAfterReadError},
	{"Refs", 0, "Deliver returns the sink's name for the message, and no two messages have the same", sinkRefs},
	{"Twins", 0, "two messages with the same octets are two messages", sinkTwins},
	{"AwkwardNames", 0, "UIDs and mailboxes may hold any octets, and those that differ in one are different", sinkAwkwardNames},
	{"Many", 0, "no number of messages is too many for one batch", sinkMany},
	{"Cancelled", 0, "Deliver with a context that is over is an error without effect, or a whole delivery", sinkCancelled},
	{"Concurrent", needsConcurrent, "Deliver may be called from several goroutines, as the sink says", sinkConcurrent},
	{"Durable", needsReopen, "what Deliver (or Flush, if there is one) has called done is there after a crash, under the same name", sinkDurable},
	{"FlushNothing", needsFlusher, "Flush with nothing delivered is no error", sinkFlushNothing},
	{"FlushError", needsFlusher, "after an error of Flush none of the deliveries since the last one count", sinkFlushError},
	{"Crash", needsReopen, "a crash before Flush leaves a message whole or not at all, and it can be delivered again", sinkCrash},
	{"Find", needsFinder, "Find finds what was delivered at the intent's time, and returns the name that Deliver returned", sinkFind},
	{"FindNothing", needsFinder, "Find does not find what was not delivered, nor is that an error", sinkFindNothing},
	{"FindSince", needsFinder, "Find does not find what was delivered before the intent's time", sinkFindSince},
	{"FindBox", needsFinder, "Find does not find a message of another account or mailbox", sinkFindBox},
	{"FindAfterCrash", needsFinder | needsFlusher | needsReopen, "what Find finds after a crash is there, and durable after Flush", sinkFindAfterCrash},
	{"FindDiscarded", needsFinder | needsMirrorer, "Find does not find what was discarded", sinkFindDiscarded},
	{"Look", needsFinder | needsLooker, "Look answers as Find does, and changes nothing", sinkLook},
	{"Once", needsOnce, "a message that is delivered twice is there once, as the sink says", sinkOnce},
	{"OnceReopened", needsOnce | needsReopen, "a message that is delivered again after a crash is there once", sinkOnceReopened},
	{"OnceOtherOctets", needsOnce, "other octets are another message, even under a UID that was there before: it is not lost", sinkOnceOtherOctets},
	{"Flags", needsMirrorer, "a message is delivered with its flags", sinkFlags},
	{"SetFlags", needsMirrorer, "SetFlags gives a message these flags instead of those that it had, and returns its name from then on", sinkSetFlags},
	{"Discard", needsMirrorer, "Discard removes a message and no other", sinkDiscard},
	{"Gone", needsMirrorer, "SetFlags and Discard of a message that is not there any more are an ErrGone", sinkGone},
	{"Owns", needsInventory, "Owns knows every name that Deliver returned", sinkOwns},
	{"OwnsOthers", needsInventory, "Owns does not know the names that other sinks give", sinkOwnsOthers},
	{"Copies", needsInventory, "Copies has every message of a mailbox that is there, with its flags", sinkCopies},
	{"CopiesGone", needsInventory | needsMirrorer, "Copies does not have what was removed", sinkCopiesGone},
	{"ChangeFlags", needsInventory | needsMirrorer, "ChangeFlags adds and takes away flags and leaves the others; a message that is not there any more is an ErrGone", sinkChangeFlags},
	{"Keeps", needsInventory, "a flag that the sink says it keeps is there afterwards, and no other", sinkKeeps},
	{"Witness", needsWitness, "Witnessed is what was noted last for the mailbox, and \"\" if nothing was", sinkWitness},
	{"WitnessBoxes", needsWitness, "what is noted for one mailbox has nothing to do with another", sinkWitnessBoxes},
	{"WitnessDurable", needsWitness | needsReopen, "Note is durable when it returns", sinkWitnessDurable},
	{"BatchCan", needsBatcher, "what Batch returns is a Flusher, and can do all that the sink can", sinkBatchCan},
	{"Batches", needsBatcher, "a Flush is about what its own batch has delivered, and takes nothing from the others", sinkBatches},
	{"BatchFails", needsBatcher, "after an error of Flush none of the deliveries of its batch count, and those of the others do", sinkBatchFails},
	{"MirrorDurable", needsMirrorer | needsReopen, "flags and removals are durable after Flush", sinkMirrorDurable},
}

// sinkFixture is one subtest.
type sinkFixture struct {
	*testing.T
	SinkUnderTest
	rule string
}

func (f *sinkFixture) broken(format string, args ...any) {
	f.Helper()
	f.Fatalf("%s\nthe rule: %s", fmt.Sprintf(format, args...), f.rule)
}

// lacks says what the sink is not that a case needs.
func (f *sinkFixture) lacks(needs suiteNeeds) string {
	_, flusher := f.Sink.(retrieval.Flusher)
	_, finder := f.Sink.(retrieval.Finder)
	_, looker := f.Sink.(retrieval.Looker)
	_, mirrorer := f.Sink.(retrieval.Mirrorer)
	_, inventory := f.Sink.(retrieval.Inventory)
	_, witness := f.Sink.(retrieval.Witness)
	_, batcher := f.Sink.(retrieval.Batcher)
	for _, n := range []struct {
		need suiteNeeds
		has  bool
		text string
	}{
		{needsFlusher, flusher, "is not a retrieval.Flusher"},
		{needsFinder, finder, "is not a retrieval.Finder"},
		{needsLooker, looker, "is not a retrieval.Looker"},
		{needsMirrorer, mirrorer, "is not a retrieval.Mirrorer"},
		{needsInventory, inventory, "is not a retrieval.Inventory"},
		{needsWitness, witness, "is not a retrieval.Witness"},
		{needsBatcher, batcher, "is not a retrieval.Batcher"},
		{needsReopen, f.Reopen != nil, "cannot be reopened"},
		{needsOnce, f.Once, "does not say that it delivers once"},
		{needsConcurrent, f.Concurrent, "does not say that it can be used from several goroutines"},
	} {
		if needs&n.need != 0 && !n.has {
			return n.text
		}
	}
	return ""
}

// sinkMail is a message to be delivered.
type sinkMail struct {
	box   retrieval.Box
	uid   retrieval.UID
	flags []retrieval.Flag
	data  string
}

var sinkBox = retrieval.Box{Account: "imap://user@example.com", Mailbox: "INBOX"}

// sinkMails returns n small messages.
func sinkMails(n int) []sinkMail {
	var mails []sinkMail
	for i := range n {
		mails = append(mails, sinkMail{
			box:  sinkBox,
			uid:  retrieval.UID(fmt.Sprintf("3857529045.%d", i+1)),
			data: fmt.Sprintf("From: a@example.com\r\nSubject: number %d\r\n\r\nHello.\r\n", i),
		})
	}
	return mails
}

func (m *sinkMail) message(body io.Reader) *retrieval.Message {
	return retrieval.NewMessage(m.box, retrieval.Summary{UID: m.uid, Size: int64(len(m.data)), Flags: m.flags}, body)
}

func (m *sinkMail) intent(since time.Time) retrieval.Record {
	return retrieval.Record{UID: m.uid, Stage: retrieval.Intended, Since: since}
}

// deliver delivers messages that must be taken, and returns their names.
func (f *sinkFixture) deliver(mails ...sinkMail) []string {
	f.Helper()
	var refs []string
	for _, m := range mails {
		ref, err := f.Sink.Deliver(f.Context(), m.message(bytes.NewReader([]byte(m.data))))
		if err != nil {
			f.broken("Deliver of %q: %v", m.uid, err)
		}
		refs = append(refs, ref)
	}
	return refs
}

// flush makes deliveries durable, if that is not so already.
func (f *sinkFixture) flush() {
	f.Helper()
	if s, ok := f.Sink.(retrieval.Flusher); ok {
		if err := s.Flush(f.Context()); err != nil {
			f.broken("Flush: %v", err)
		}
	}
}

func (f *sinkFixture) reopen() {
	f.Helper()
	s, err := f.Reopen()
	if err != nil {
		f.broken("open after a crash: %v", err)
	}
	f.Sink = s
}

func (f *sinkFixture) contents() []Delivered {
	f.Helper()
	all, err := f.Contents()
	if err != nil {
		f.Fatal(err)
	}
	return all
}

// want fails unless just these messages are there, each once.
func (f *sinkFixture) want(mails ...sinkMail) {
	f.Helper()
	got := f.contents()
	for _, m := range mails {
		i := slices.IndexFunc(got, func(d Delivered) bool { return f.same(d.Data, m.data) })
		if i < 0 {
			f.broken("%q is not there, or not as it was: %s", m.uid, abridge([]byte(m.data)))
		}
		got = slices.Delete(got, i, i+1)
	}
	if len(got) > 0 {
		f.broken("there are %d messages too many, the first is %s", len(got), abridge(got[0].Data))
	}
}

func (f *sinkFixture) same(got []byte, want string) bool {
	if f.Same != nil {
		return f.Same(got, []byte(want))
	}
	return string(got) == want
}

// abridge shows a message in few words.
func abridge(data []byte) string {
	if len(data) <= 120 {
		return fmt.Sprintf("%q", data)
	}
	return fmt.Sprintf("%d octets, %q…", len(data), data[:100])
}

var errCutShort = fmt.Errorf("the test's reader: %w", retrieval.ErrTruncated)

// failing is a message of which only n octets can be read.
func (m *sinkMail) failing(n int) *retrieval.Message {
	return m.message(io.MultiReader(bytes.NewReader([]byte(m.data[:n])), errReader{errCutShort}))
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// over is a context that has ended.
func (f *sinkFixture) over() context.Context {
	ctx, cancel := context.WithCancelCause(f.Context())
	cancel(errors.New("the test's context is over"))
	return ctx
}
