package retrievaltest

import (
	"math"
	"slices"
	"time"

	"example.com/postbag/retrieval"
)

// storeAccount is the page of an account itself.
var storeAccount = retrieval.Box{Account: sinkBox.Account}

// storeDay returns n hours.
func storeDay(n int) []retrieval.Hour {
	hours := make([]retrieval.Hour, n)
	for i := range hours {
		hours[i] = retrieval.Hour{Begins: storeTime.Add(time.Duration(i) * time.Hour), Octets: int64(i) << 30}
	}
	return hours
}

// wantHours fails unless just these hours are there.
func (f *storeFixture) wantHours(p retrieval.Page, want ...retrieval.Hour) {
	f.Helper()
	same := func(a, b retrieval.Hour) bool { return a.Begins.Equal(b.Begins) && a.Octets == b.Octets }
	got := f.load(p).Hours
	if !slices.EqualFunc(got, want, same) || (got == nil) != (len(want) == 0) {
		f.broken("the hours are %v, nil: %v, want %v, nil: %v", got, got == nil, want, len(want) == 0)
	}
}

func storeHours(f *storeFixture) {
	p := f.open(storeAccount)
	f.wantHours(p)
	odd := []retrieval.Hour{
		{Begins: storeTime.In(time.FixedZone("elsewhere", 1800)), Octets: math.MaxInt64},
		{Begins: storeTime.Add(-123456789), Octets: 0},
		{Octets: 1},
	}
	for _, hours := range [][]retrieval.Hour{storeDay(1), storeDay(25), odd, storeDay(2)} {
		f.update(p, retrieval.Change{Hours: hours})
		f.wantHours(p, hours...)
		f.update(p, retrieval.Change{Clock: &storeClocks[0], Cursor: []byte("c")})
		f.put(p, storeRecords(1)...)
		f.wantHours(p, hours...)
	}
	box := f.open(sinkBox)
	f.put(box, storeRecords(1)...)
	f.wantHours(box)
	f.update(box, retrieval.Change{Hours: storeDay(3)})
	for range 2 {
		f.update(p, retrieval.Change{Hours: []retrieval.Hour{}})
		f.wantHours(p)
	}
	f.want(p, storeRecords(1)...)
	f.wantState(p, []byte("c"), storeClocks[0])
	f.wantHours(box, storeDay(3)...)
}

func storeHoursDurable(f *storeFixture) {
	p, other := f.open(storeAccount), f.open(retrieval.Box{Account: "another"})
	f.put(p, storeRecords(1)...)
	f.put(other, storeRecords(1)...)
	f.update(p, retrieval.Change{Hours: storeDay(3)})
	f.update(p, retrieval.Change{Hours: storeDay(4), Clock: &storeClocks[0]})
	f.update(other, retrieval.Change{Hours: storeDay(2)})
	f.update(other, retrieval.Change{Hours: []retrieval.Hour{}})
	f.reopen()
	f.wantHours(f.open(storeAccount), storeDay(4)...)
	f.wantHours(f.open(retrieval.Box{Account: "another"}))
}
