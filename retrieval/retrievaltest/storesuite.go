package retrievaltest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

// StoreUnderTest is what [TestStore] needs of an implementation: a store that
// is empty, and what cannot be seen through the interface.
type StoreUnderTest struct {
	Store retrieval.Store

	// Reopen ends the work with the store as a crash does, without another
	// call of its methods or those of its pages, and opens what that left
	// behind. The pages that were open can be opened again: if the store
	// waits until a lease has run out, it has. Nil means that nothing
	// outlives the process.
	Reopen func() (retrieval.Store, error)

	// OpenAgain opens the store as another process would, while Store is in
	// use: it returns [retrieval.ErrLocked], or a store whose Open does for a
	// page that is in use. Nil means that no other process can reach it.
	OpenAgain func() (retrieval.Store, error)

	// TakeOver opens a page that is in use as another process does when its
	// holder seems to be dead. Nil means that the store never does that.
	TakeOver func(box retrieval.Box) (retrieval.Page, error)
}

// TestStore proves that an implementation keeps the contract of
// [retrieval.Store] and [retrieval.Page]. newStore is called for each subtest.
func TestStore(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	for _, tt := range storeTests {
		t.Run(tt.name, func(t *testing.T) {
			f := &storeFixture{T: t, StoreUnderTest: newStore(t), rule: tt.rule}
			switch {
			case tt.needs == needsReopen && f.Reopen == nil:
				t.Skip("the store cannot be reopened")
			case tt.needs == needsLock && f.OpenAgain == nil:
				t.Skip("no other process can reach the store")
			case tt.needs == needsTakeOver && f.TakeOver == nil:
				t.Skip("the store never takes a page away from its holder")
			}
			tt.test(f)
		})
	}
}

const needsTakeOver suiteNeeds = 1 << 20

var storeTests = []struct {
	name  string
	needs suiteNeeds
	rule  string // printed with each failure
	test  func(*storeFixture)
}{
	{"LoadNothing", 0, "a mailbox that nothing was said of has an empty page, and that is no error", storeLoadNothing},
	{"Put", 0, "Load returns every record as it was put, each field, to the nanosecond and the octet", storePut},
	{"Replace", 0, "Put replaces the record of the same UID, whatever it said, and no other", storeReplace},
	{"Nothing", 0, "a Change of nothing is no error and changes nothing", storeNothing},
	{"Forget", 0, "Forget removes the records named, passes over what is not there, and leaves the others", storeForget},
	{"ForgetAndPut", 0, "a record that one Change both forgets and puts is there, as it was put", storeForgetAndPut},
	{"Cursor", 0, "a cursor is set to the octet, left alone by nil, and removed by an empty one", storeCursor},
	{"Clock", 0, "a clock is set to the nanosecond, and left alone by nil", storeClock},
	{"Hours", 0, "hours are set as a whole, in their order, left alone by nil, and removed by empty ones", storeHours},
	{"Boxes", 0, "the page of one mailbox has nothing to do with that of another", storeBoxes},
	{"AwkwardUIDs", 0, "UIDs may hold any octets, and those that differ in one are different", storeAwkwardUIDs},
	{"Own", 0, "what Load returns is the caller's own: to change it changes nothing in the store", storeOwn},
	{"Given", 0, "what Update was given is the caller's own again: to change it changes nothing in the store", storeGiven},
	{"Refused", 0, "an Update that fails at one record has done nothing: no other record, cursor, clock or hour", storeRefused},
	{"Cancelled", 0, "Update with a context that is over is an error without effect, or done", storeCancelled},
	{"CancelledMeanwhile", 0, "Update whose context ends meanwhile is an error without effect, or done", storeCancelledMeanwhile},
	{"Concurrent", 0, "a store is safe for use by several goroutines, each with pages of its own", storeConcurrent},
	{"Many", 0, "100,000 records are not too many, in one Update or many", storeMany},
	{"Taken", 0, "Open of a page that is in use is ErrLocked, disturbs nobody, and works after Close", storeTaken},
	{"Closed", 0, "Load and Update of a closed page are errors without effect", storeClosed},
	{"CloseTwice", 0, "to close a page twice is no error, and does not close that of the next holder", storeCloseTwice},
	{"Durable", needsReopen, "what Update has put is there after a crash", storeDurable},
	{"ForgetDurable", needsReopen, "what Update has forgotten is gone after a crash", storeForgetDurable},
	{"StateDurable", needsReopen, "cursor and clock are there after a crash", storeStateDurable},
	{"HoursDurable", needsReopen, "hours are there after a crash", storeHoursDurable},
	{"Identity", needsReopen, "the store's name, if it has one, is the same in all pages and after a crash", storeIdentity},
	{"Locked", needsLock, "whoever is refused because another process has the page gets ErrLocked", storeLocked},
	{"Fenced", needsTakeOver, "Update of a page that was taken over is ErrLocked and writes nothing", storeFenced},
	{"FencedClose", needsTakeOver, "to close a page that was taken over does not close that of the new holder", storeFencedClose},
}

// storeFixture is one subtest.
type storeFixture struct {
	*testing.T
	StoreUnderTest
	rule string
}

func (f *storeFixture) broken(format string, args ...any) {
	f.Helper()
	f.Fatalf("%s\nthe rule: %s", fmt.Sprintf(format, args...), f.rule)
}

var storeTime = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// storeRecords returns n records.
func storeRecords(n int) []retrieval.Record {
	recs := make([]retrieval.Record, n)
	for i := range recs {
		recs[i] = retrieval.Record{
			UID:   retrieval.UID(fmt.Sprintf("3857529045.%d", i+1)),
			Stage: retrieval.Intended + retrieval.Stage(i%3),
			Ref:   fmt.Sprintf("name %d", i),
			Since: storeTime.Add(time.Duration(i) * time.Second),
		}
	}
	return recs
}

func (f *storeFixture) open(box retrieval.Box) retrieval.Page {
	f.Helper()
	p, err := f.Store.Open(f.Context(), box)
	if err != nil {
		f.broken("Open of %.100q: %v", box, err)
	}
	return p
}

func (f *storeFixture) close(p retrieval.Page) {
	f.Helper()
	if err := p.Close(); err != nil {
		f.broken("Close: %v", err)
	}
}

func (f *storeFixture) update(p retrieval.Page, ch retrieval.Change) {
	f.Helper()
	if err := p.Update(f.Context(), ch); err != nil {
		f.broken("Update: %v", err)
	}
}

func (f *storeFixture) put(p retrieval.Page, recs ...retrieval.Record) {
	f.Helper()
	f.update(p, retrieval.Change{Put: recs})
}

func (f *storeFixture) forget(p retrieval.Page, uids ...retrieval.UID) {
	f.Helper()
	f.update(p, retrieval.Change{Forget: uids})
}

func (f *storeFixture) load(p retrieval.Page) retrieval.State {
	f.Helper()
	st, err := p.Load(f.Context())
	if err != nil {
		f.broken("Load: %v", err)
	}
	return st
}

// want fails unless just these records are there.
func (f *storeFixture) want(p retrieval.Page, recs ...retrieval.Record) {
	f.Helper()
	got := f.load(p).Records
	for _, want := range recs {
		rec, ok := got[want.UID]
		if !ok {
			f.broken("the record of %.100q is not there", want.UID)
		}
		if !sameRecord(rec, want) {
			f.broken("the record is %.500v, want %.500v", rec, want)
		}
	}
	if len(got) != len(recs) {
		f.broken("there are %d records, want %d", len(got), len(recs))
	}
}

// wantState fails unless cursor and clock are these.
func (f *storeFixture) wantState(p retrieval.Page, cursor []byte, c retrieval.Clock) {
	f.Helper()
	st := f.load(p)
	if !bytes.Equal(st.Cursor, cursor) || (st.Cursor == nil) != (cursor == nil) {
		f.broken("the cursor is %.100q, nil: %v, want %.100q, nil: %v", st.Cursor, st.Cursor == nil, cursor, cursor == nil)
	}
	if !st.Clock.Time.Equal(c.Time) || !st.Clock.Wall.Equal(c.Wall) {
		f.broken("the clock is %v, want %v", st.Clock, c)
	}
}

// sameRecord compares two records; times are the same in any zone, and flags
// in any order.
func sameRecord(a, b retrieval.Record) bool {
	return a.UID == b.UID && a.Stage == b.Stage && a.Ref == b.Ref && retrieval.SameFlags(a.Flags, b.Flags) &&
		a.Since.Equal(b.Since) && a.Delivered.Equal(b.Delivered) && a.Vanished.Equal(b.Vanished) && a.Retry.Equal(b.Retry) && a.Received.Equal(b.Received) &&
		a.Size == b.Size && a.Print == b.Print && a.Email == b.Email && a.Twin == b.Twin && a.HeaderOnly == b.HeaderOnly &&
		a.Seeded == b.Seeded && a.Missed.Equal(b.Missed) && a.Due == b.Due && retrieval.SameFlags(a.Following, b.Following) && retrieval.SameFlags(a.Sending, b.Sending) && a.Deletes == b.Deletes && a.Attempts == b.Attempts
}

func (f *storeFixture) reopen() {
	f.Helper()
	s, err := f.Reopen()
	if err != nil {
		f.broken("open after a crash: %v", err)
	}
	f.Store = s
}
