package imapclient_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"example.com/postbag/imapclient"
)

func TestSetRanges(t *testing.T) {
	s := imapclient.UIDs(5, 1, 2, 3, 9, 0, 2)
	var got []uint32
	for first, last := range s.Ranges() {
		got = append(got, first, last)
	}
	if want := []uint32{1, 3, 5, 5, 9, 9}; !slices.Equal(got, want) || s.Len() != 5 || !slices.Equal(slices.Collect(s.Values()), []uint32{1, 2, 3, 5, 9}) {
		t.Errorf("%v has %d UIDs, the ranges %v", s, s.Len(), got)
	}
	if n := imapclient.All().Len(); n != 1<<32-1 {
		t.Errorf("All has %d UIDs", n)
	}
	for range imapclient.All().Values() { // leaving it is possible
		break
	}
	if (imapclient.Set{}).Len() != 0 {
		t.Error("the empty set is not empty")
	}
}

// What a server says in ranges of any form is the set of its numbers, and what
// is done with sets is what is done with their numbers.
func TestSetsAgree(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		a, b := ranges(rnd), ranges(rnd)
		c := selected(t, "UIDPLUS ESEARCH", lines("C: a1 UID SEARCH …", `S: * ESEARCH (TAG "A1") UID ALL `+a.text, "S: a1 OK"))
		wanted := imapclient.UIDs(b.uids...)
		first := rnd.IntN(5) + 1
		o := &imapclient.SearchOptions{First: first, Last: first + rnd.IntN(4)}
		if rnd.IntN(2) == 0 {
			o = &imapclient.SearchOptions{First: -o.First, Last: -o.Last}
		}
		r, err := c.Search(t.Context(), &imapclient.Query{UIDs: &wanted}, o)
		if err != nil {
			t.Fatal(err)
		}
		var both []uint32
		for _, uid := range a.uids {
			if wanted.Has(uid) && !slices.Contains(both, uid) {
				both = append(both, uid)
			}
		}
		slices.Sort(both)
		n := len(both)
		from, to := min(o.First-1, n), min(o.Last, n)
		if o.First < 0 {
			from, to = max(n+o.Last, 0), max(n+o.First+1, 0)
		}
		if got := slices.Collect(r.UIDs.Values()); !slices.Equal(got, both[from:to]) || int(r.Count) != n {
			t.Fatalf("%s and %v, from %d to %d: %v of %d, want %v of %v", a.text, wanted, o.First, o.Last, got, r.Count, both[from:to], both)
		}
	}
}

// written is a set as a server may write it, and what is in it.
type written struct {
	text string
	uids []uint32
}

func ranges(rnd *rand.Rand) written {
	var w written
	for range rnd.IntN(6) + 1 {
		first := rnd.Uint32N(40) + 1
		last := first + rnd.Uint32N(4)
		if w.text != "" {
			w.text += ","
		}
		s := imapclient.Range(first, last)
		w.text += s.String()
		w.uids = append(w.uids, slices.Collect(s.Values())...)
	}
	return w
}
