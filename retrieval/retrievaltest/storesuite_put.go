package retrievaltest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

func storeLoadNothing(f *storeFixture) {
	f.want(sinkBox)
	f.put(sinkBox, storeRecords(1)...)
	f.want(retrieval.Box{Account: sinkBox.Account, Mailbox: "Archive"})
}

func storePut(f *storeFixture) {
	recs := storeRecords(8)
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
	f.put(sinkBox, recs[:3]...)
	f.put(sinkBox, recs[3:]...)
	f.want(sinkBox, recs...)
}

func storeReplace(f *storeFixture) {
	recs := storeRecords(3)
	f.put(sinkBox, recs...)
	for _, stage := range []retrieval.Stage{retrieval.Settled, retrieval.Doomed, retrieval.Intended} {
		recs[1].Stage, recs[1].Ref = stage, recs[1].Ref+" changed"
		f.put(sinkBox, recs[1])
		f.want(sinkBox, recs...)
	}
}

func storeNothing(f *storeFixture) {
	f.put(sinkBox)
	f.forget(sinkBox)
	f.want(sinkBox)
	recs := storeRecords(2)
	f.put(sinkBox, recs...)
	f.put(sinkBox)
	f.forget(sinkBox)
	f.want(sinkBox, recs...)
}

func storeForget(f *storeFixture) {
	f.forget(sinkBox, "3857529045.1")
	recs := storeRecords(5)
	f.put(sinkBox, recs...)
	f.forget(sinkBox, recs[1].UID, "no such UID", recs[3].UID, recs[3].UID)
	f.want(sinkBox, recs[0], recs[2], recs[4])
	f.forget(sinkBox, recs[1].UID)
	f.want(sinkBox, recs[0], recs[2], recs[4])
	f.put(sinkBox, recs[1])
	f.want(sinkBox, recs[0], recs[1], recs[2], recs[4])
}

func storeBoxes(f *storeFixture) {
	for i, box := range awkwardBoxes {
		rec := storeRecords(1)[0]
		rec.Ref = strings.Repeat("x", i)
		f.put(box, rec)
	}
	for i, box := range awkwardBoxes {
		rec := storeRecords(1)[0]
		rec.Ref = strings.Repeat("x", i)
		f.want(box, rec)
	}
	for i, box := range awkwardBoxes {
		f.forget(box, storeRecords(1)[0].UID)
		f.want(box)
		for _, other := range awkwardBoxes[i+1:] {
			if len(f.load(other)) != 1 {
				f.broken("Forget in the mailbox %.100q has changed the mailbox %.100q", box, other)
			}
		}
	}
}

func storeAwkwardUIDs(f *storeFixture) {
	recs := storeRecords(len(awkwardUIDs))
	for i := range recs {
		recs[i].UID = awkwardUIDs[i]
	}
	f.put(sinkBox, recs...)
	f.want(sinkBox, recs...)
	for i := range recs {
		f.forget(sinkBox, recs[i].UID)
		if got := len(f.load(sinkBox)); got != len(recs)-i-1 {
			f.broken("after Forget of %.100q there are %d records, want %d", recs[i].UID, got, len(recs)-i-1)
		}
	}
}

func storeOwn(f *storeFixture) {
	recs := storeRecords(3)
	f.put(sinkBox, recs...)
	mine := f.load(sinkBox)
	delete(mine, recs[0].UID)
	mine[recs[1].UID] = retrieval.Record{}
	mine["mine"] = retrieval.Record{UID: "mine"}
	f.want(sinkBox, recs...)
}

// storePutRefused puts records together with one that a store may refuse.
func storePutRefused(f *storeFixture) {
	recs := storeRecords(4)
	f.put(sinkBox, recs[3])
	for _, uid := range []retrieval.UID{"", retrieval.UID(strings.Repeat("u", 1<<20))} {
		refused := recs[1]
		refused.UID = uid
		changed := recs[3]
		changed.Ref = "changed"
		if err := f.Store.Put(f.Context(), sinkBox, recs[0], changed, refused, recs[2]); err == nil {
			f.want(sinkBox, recs[0], changed, refused, recs[2])
			f.forget(sinkBox, recs[0].UID, refused.UID, recs[2].UID)
			f.put(sinkBox, recs[3])
		}
		f.want(sinkBox, recs[3])
	}
}

func storeCancelled(f *storeFixture) {
	ctx, cancel := context.WithCancelCause(f.Context())
	cancel(errors.New("the test's context is over"))
	recs := storeRecords(4)
	f.put(sinkBox, recs[:2]...)
	there := slices.Clone(recs[:2])
	if err := f.Store.Put(ctx, sinkBox, recs[2:]...); err == nil {
		there = recs
	}
	f.want(sinkBox, there...)
	if err := f.Store.Forget(ctx, sinkBox, recs[0].UID); err == nil {
		there = there[1:]
	}
	f.want(sinkBox, there...)
}

func storeMany(f *storeFixture) {
	n := 100_000
	if testing.Short() {
		n = 20_000
	}
	recs := storeRecords(n)
	half := n / 2
	f.put(sinkBox, recs[:half]...)
	for batch := range slices.Chunk(recs[half:], 5000) {
		f.put(sinkBox, batch...)
	}
	f.want(sinkBox, recs...)
	var uids []retrieval.UID
	for _, rec := range recs[10:] {
		uids = append(uids, rec.UID)
	}
	f.forget(sinkBox, uids...)
	f.want(sinkBox, recs[:10]...)
}

func storeDurable(f *storeFixture) {
	recs := storeRecords(10)
	f.put(sinkBox, recs...)
	recs[3].Stage, recs[3].Ref = retrieval.Doomed, "changed"
	f.put(sinkBox, recs[3])
	f.reopen()
	f.want(sinkBox, recs...)
}

func storeForgetDurable(f *storeFixture) {
	recs := storeRecords(3)
	f.put(sinkBox, recs...)
	f.forget(sinkBox, recs[0].UID)
	f.reopen()
	if _, ok := f.load(sinkBox)[recs[0].UID]; ok {
		f.broken("%q is there again", recs[0].UID)
	}
}

func storeLocked(f *storeFixture) {
	if s, err := f.OpenAgain(); !errors.Is(err, retrieval.ErrLocked) {
		f.broken("opening the store a second time: %v, %v, want ErrLocked", s, err)
	}
	f.put(sinkBox, storeRecords(1)...)
	f.want(sinkBox, storeRecords(1)...)
}
