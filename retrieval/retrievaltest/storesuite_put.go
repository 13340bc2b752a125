package retrievaltest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

func storeLoadNothing(f *storeFixture) {
	p := f.open(sinkBox)
	f.want(p)
	f.wantState(p, nil, retrieval.Clock{})
	f.put(p, storeRecords(1)...)
	other := f.open(retrieval.Box{Account: sinkBox.Account, Mailbox: "Archive"})
	f.want(other)
	f.wantState(other, nil, retrieval.Clock{})
}

func storePut(f *storeFixture) {
	recs := storeRecords(10)
	recs[0].Since = time.Time{}
	recs[1].Since = storeTime.Add(123456789)
	recs[2].Since = storeTime.In(time.FixedZone("elsewhere", 3*3600))
	recs[3].Since = time.Now()
	recs[4].Ref = ""
	recs[5].Ref = "\x00\xff/..\n " + strings.Repeat("long", 3000)
	recs[6].Flags = []retrieval.Flag{retrieval.FlagSeen, retrieval.FlagForwarded, "keyword"}
	for i := range 100 {
		recs[7].Flags = append(recs[7].Flags, retrieval.Flag(strings.Repeat("k", i+1)))
	}
	recs[8] = fullRecord("full")
	recs = append(recs, eachField()...)
	p := f.open(sinkBox)
	f.put(p, recs[:3]...)
	f.put(p, recs[3:]...)
	f.want(p, recs...)
	f.close(p)
	f.want(f.open(sinkBox), recs...)
}

// fullRecord has a value in each field.
func fullRecord(uid retrieval.UID) retrieval.Record {
	return retrieval.Record{
		UID: uid, Stage: retrieval.Settled, Ref: "r", Flags: []retrieval.Flag{retrieval.FlagSeen},
		Since: storeTime.Add(1), Delivered: storeTime.Add(20), Received: storeTime.Add(30), Size: 1 << 40, Print: retrieval.Print{1, 2, 15: 255},
		Email: "M\x00\xff", Twin: true, Seeded: true, HeaderOnly: true, Due: true, Vanished: storeTime.Add(-300), Missed: storeTime.Add(-200), Following: []retrieval.Flag{"a"}, Sending: []retrieval.Flag{"b", "c"}, Deletes: 4, Attempts: 50_000, Retry: storeTime.Add(time.Hour),
	}
}

// eachField returns a record for each field, which has no other but UID and
// Stage; a field that is added to Record is among them.
func eachField() []retrieval.Record {
	var recs []retrieval.Record
	full := reflect.ValueOf(fullRecord(""))
	for i := range full.NumField() {
		switch name := full.Type().Field(i).Name; {
		case name == "UID":
			continue
		case full.Field(i).IsZero():
			panic("fullRecord lacks " + name)
		}
		rec := retrieval.Record{UID: retrieval.UID(fmt.Sprint("field ", i)), Stage: retrieval.Intended}
		reflect.ValueOf(&rec).Elem().Field(i).Set(full.Field(i))
		recs = append(recs, rec)
	}
	return recs
}

func storeReplace(f *storeFixture) {
	p := f.open(sinkBox)
	recs := storeRecords(3)
	f.put(p, recs...)
	for _, stage := range []retrieval.Stage{retrieval.Settled, retrieval.Doomed, retrieval.Intended} {
		recs[1].Stage, recs[1].Ref = stage, recs[1].Ref+" changed"
		f.put(p, recs[1])
		f.want(p, recs...)
	}
}

func storeNothing(f *storeFixture) {
	p := f.open(sinkBox)
	f.update(p, retrieval.Change{})
	f.want(p)
	recs := storeRecords(2)
	f.update(p, retrieval.Change{Put: recs, Cursor: []byte("c"), Clock: &storeClocks[0]})
	f.update(p, retrieval.Change{})
	f.update(p, retrieval.Change{Put: recs[:0], Forget: []retrieval.UID{}})
	f.want(p, recs...)
	f.wantState(p, []byte("c"), storeClocks[0])
}

func storeForget(f *storeFixture) {
	p := f.open(sinkBox)
	f.forget(p, "3857529045.1")
	recs := storeRecords(5)
	f.put(p, recs...)
	f.forget(p, recs[1].UID, "no such UID", recs[3].UID, recs[3].UID)
	f.want(p, recs[0], recs[2], recs[4])
	f.forget(p, recs[1].UID)
	f.want(p, recs[0], recs[2], recs[4])
	f.put(p, recs[1])
	f.want(p, recs[0], recs[1], recs[2], recs[4])
}

func storeForgetAndPut(f *storeFixture) {
	p := f.open(sinkBox)
	recs := storeRecords(4)
	f.put(p, recs[0], recs[1], recs[3])
	changed := recs[0]
	changed.Ref = "changed"
	f.update(p, retrieval.Change{
		Put:    []retrieval.Record{changed, recs[2], recs[3]},
		Forget: []retrieval.UID{recs[0].UID, recs[1].UID, recs[3].UID},
	})
	f.want(p, changed, recs[2], recs[3])
}

func storeCursor(f *storeFixture) {
	p := f.open(sinkBox)
	recs := storeRecords(1)
	f.put(p, recs...)
	for _, cursor := range [][]byte{[]byte("1"), []byte("\x00\xff\n"), make([]byte, 100_000), []byte("a")} {
		f.update(p, retrieval.Change{Cursor: cursor})
		f.wantState(p, cursor, retrieval.Clock{})
		f.put(p, recs...)
		f.wantState(p, cursor, retrieval.Clock{})
	}
	for range 2 {
		f.update(p, retrieval.Change{Cursor: []byte{}})
		f.wantState(p, nil, retrieval.Clock{})
	}
	f.want(p, recs...)
}

var storeClocks = []retrieval.Clock{
	{Time: storeTime, Wall: storeTime.Add(time.Hour)},
	{Time: storeTime.Add(-123456789), Wall: storeTime.Add(1)},
	{Time: storeTime.In(time.FixedZone("elsewhere", -3600)), Wall: time.Unix(0, 0)},
}

func storeClock(f *storeFixture) {
	p := f.open(sinkBox)
	for _, c := range storeClocks {
		f.update(p, retrieval.Change{Clock: &c})
		f.wantState(p, nil, c)
		f.put(p, storeRecords(1)...)
		f.wantState(p, nil, c)
	}
	f.update(p, retrieval.Change{Clock: &retrieval.Clock{}})
	f.wantState(p, nil, retrieval.Clock{})
}

func storeBoxes(f *storeFixture) {
	rec := func(i int) retrieval.Record {
		r := storeRecords(1)[0]
		r.Ref = strings.Repeat("x", i)
		return r
	}
	pages := make([]retrieval.Page, len(awkwardBoxes))
	for i, box := range awkwardBoxes {
		pages[i] = f.open(box)
		f.update(pages[i], retrieval.Change{Put: []retrieval.Record{rec(i)}, Cursor: fmt.Append(nil, i), Clock: &retrieval.Clock{Wall: time.Unix(int64(i), 0)}})
	}
	for i := range awkwardBoxes {
		f.want(pages[i], rec(i))
		f.wantState(pages[i], fmt.Append(nil, i), retrieval.Clock{Wall: time.Unix(int64(i), 0)})
	}
	for i, box := range awkwardBoxes {
		f.update(pages[i], retrieval.Change{Forget: []retrieval.UID{rec(i).UID}, Cursor: []byte{}})
		f.want(pages[i])
		for j := i + 1; j < len(awkwardBoxes); j++ {
			if st := f.load(pages[j]); len(st.Records) != 1 || st.Cursor == nil {
				f.broken("Update of the mailbox %.100q has changed the mailbox %.100q", box, awkwardBoxes[j])
			}
		}
	}
}

func storeAwkwardUIDs(f *storeFixture) {
	recs := storeRecords(len(awkwardUIDs))
	for i := range recs {
		recs[i].UID = awkwardUIDs[i]
	}
	p := f.open(sinkBox)
	f.put(p, recs...)
	f.want(p, recs...)
	for i := range recs {
		f.forget(p, recs[i].UID)
		if got := len(f.load(p).Records); got != len(recs)-i-1 {
			f.broken("after Forget of %.100q there are %d records, want %d", recs[i].UID, got, len(recs)-i-1)
		}
	}
}

// owned puts a state with slices, and returns what was put.
func (f *storeFixture) owned(p retrieval.Page) (given retrieval.Change, want []retrieval.Record) {
	recs := storeRecords(3)
	for i := range recs {
		recs[i].Flags = []retrieval.Flag{"a", "b"}
	}
	given = retrieval.Change{Put: recs, Cursor: []byte("cursor"), Clock: &retrieval.Clock{Time: storeTime, Wall: storeTime}, Hours: storeDay(3)}
	f.update(p, given)
	want = slices.Clone(recs)
	for i := range want {
		want[i].Flags = slices.Clone(want[i].Flags)
	}
	return given, want
}

func storeOwn(f *storeFixture) {
	p := f.open(sinkBox)
	_, want := f.owned(p)
	mine := f.load(p)
	mine.Cursor[0] = 'x'
	mine.Records[want[2].UID].Flags[0] = "changed"
	delete(mine.Records, want[0].UID)
	mine.Records[want[1].UID] = retrieval.Record{}
	mine.Records["mine"] = retrieval.Record{UID: "mine"}
	mine.Hours[0].Octets = 7
	f.want(p, want...)
	f.wantState(p, []byte("cursor"), retrieval.Clock{Time: storeTime, Wall: storeTime})
	f.wantHours(p, storeDay(3)...)
}

func storeGiven(f *storeFixture) {
	p := f.open(sinkBox)
	given, want := f.owned(p)
	given.Put[0].Flags[0] = "changed"
	given.Put[1] = retrieval.Record{}
	given.Cursor[0] = 'x'
	given.Hours[0].Octets = 7
	*given.Clock = retrieval.Clock{}
	f.want(p, want...)
	f.wantState(p, []byte("cursor"), retrieval.Clock{Time: storeTime, Wall: storeTime})
	f.wantHours(p, storeDay(3)...)
}

func storeMany(f *storeFixture) {
	n := 100_000
	if testing.Short() {
		n = 20_000
	}
	p := f.open(sinkBox)
	recs := storeRecords(n)
	half := n / 2
	f.put(p, recs[:half]...)
	for batch := range slices.Chunk(recs[half:], 5000) {
		f.put(p, batch...)
	}
	f.want(p, recs...)
	var uids []retrieval.UID
	for _, rec := range recs[10:] {
		uids = append(uids, rec.UID)
	}
	f.forget(p, uids...)
	f.want(p, recs[:10]...)
}
