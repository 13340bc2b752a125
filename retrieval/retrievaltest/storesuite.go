package retrievaltest

import (
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
	// call of its methods, and opens what that left behind. Nil means that
	// nothing outlives the process.
	Reopen func() (retrieval.Store, error)

	// OpenAgain opens the store as another process would, while Store is in
	// use. Nil means that any number may use it at a time.
	OpenAgain func() (retrieval.Store, error)
}

// TestStore proves that an implementation keeps the contract of
// retrieval.Store. newStore is called for each subtest.
func TestStore(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	for _, tt := range storeTests {
		t.Run(tt.name, func(t *testing.T) {
			f := &storeFixture{T: t, StoreUnderTest: newStore(t), rule: tt.rule}
			switch {
			case tt.needs == needsReopen && f.Reopen == nil:
				t.Skip("the store cannot be reopened")
			case tt.needs == needsLock && f.OpenAgain == nil:
				t.Skip("the store does not say that it is for one process at a time")
			}
			tt.test(f)
		})
	}
}

var storeTests = []struct {
	name  string
	needs suiteNeeds
	rule  string // printed with each failure
	test  func(*storeFixture)
}{
	{"LoadNothing", 0, "Load of a mailbox without records is no error and no records", storeLoadNothing},
	{"Put", 0, "Load returns every record as it was put, each field to the nanosecond and the octet", storePut},
	{"Replace", 0, "Put replaces the record of the same UID, whatever it said, and no other", storeReplace},
	{"Nothing", 0, "Put of no records and Forget of no UIDs are no errors and change nothing", storeNothing},
	{"Forget", 0, "Forget removes the records named, passes over what is not there, and leaves the others", storeForget},
	{"Boxes", 0, "the records of one mailbox have nothing to do with those of another", storeBoxes},
	{"AwkwardUIDs", 0, "UIDs may hold any octets, and those that differ in one are different", storeAwkwardUIDs},
	{"Own", 0, "what Load returns is the caller's own: to change it changes nothing in the store", storeOwn},
	{"PutAtOnce", 0, "the records of one Put appear together", storePutAtOnce},
	{"ForgetAtOnce", 0, "the records of one Forget disappear together", storeForgetAtOnce},
	{"PutRefused", 0, "a Put that fails at one record has put none", storePutRefused},
	{"Cancelled", 0, "Put and Forget with a context that is over are an error without effect, or done", storeCancelled},
	{"Concurrent", 0, "a store is safe for use by several goroutines", storeConcurrent},
	{"Many", 0, "100,000 records are not too many, in one Put or many", storeMany},
	{"Durable", needsReopen, "what Put has called done is there after a crash", storeDurable},
	{"ForgetDurable", needsReopen, "what Forget has called done is gone after a crash", storeForgetDurable},
	{"Locked", needsLock, "whoever is refused because another process has the store gets ErrLocked", storeLocked},
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

func (f *storeFixture) put(box retrieval.Box, recs ...retrieval.Record) {
	f.Helper()
	if err := f.Store.Put(f.Context(), box, recs...); err != nil {
		f.broken("Put: %v", err)
	}
}

func (f *storeFixture) forget(box retrieval.Box, uids ...retrieval.UID) {
	f.Helper()
	if err := f.Store.Forget(f.Context(), box, uids...); err != nil {
		f.broken("Forget: %v", err)
	}
}

func (f *storeFixture) load(box retrieval.Box) map[retrieval.UID]retrieval.Record {
	f.Helper()
	recs, err := f.Store.Load(f.Context(), box)
	if err != nil {
		f.broken("Load: %v", err)
	}
	return recs
}

// want fails unless just these records are there.
func (f *storeFixture) want(box retrieval.Box, recs ...retrieval.Record) {
	f.Helper()
	got := f.load(box)
	for _, want := range recs {
		rec, ok := got[want.UID]
		if !ok {
			f.broken("the record of %.100q is not there", want.UID)
		}
		if rec.UID != want.UID || rec.Stage != want.Stage || rec.Ref != want.Ref || !rec.Since.Equal(want.Since) || !retrieval.SameFlags(rec.Flags, want.Flags) {
			f.broken("the record is %.300v, want %.300v", rec, want)
		}
	}
	if len(got) != len(recs) {
		f.broken("there are %d records, want %d", len(got), len(recs))
	}
}

func (f *storeFixture) reopen() {
	f.Helper()
	s, err := f.Reopen()
	if err != nil {
		f.broken("open after a crash: %v", err)
	}
	f.Store = s
}
