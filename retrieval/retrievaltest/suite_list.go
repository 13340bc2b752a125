package retrievaltest

import (
	"errors"
	"slices"
	"strings"

	"example.com/postbag/retrieval"
)

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
	r := f.open()
	sums, err := r.List(f.Context())
	if err != nil {
		f.broken("List: %v", err)
	}
	r.Close() // of a maildrop there may be one session at a time
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

func testGeneration(f *fixture) {
	f.deliver(sample(3)...)
	r := f.open()
	gen := r.Features().Generation
	for _, uid := range f.list(r) {
		if gen != "" && !strings.HasPrefix(string(uid), gen+".") {
			f.broken("the UID %q is not of the generation %q", uid, gen)
		}
	}
}

func testSnapshot(f *fixture) {
	f.deliver(sample(4)...)
	r := f.open()
	uids := f.list(r)
	f.deliver([]byte("Subject: late\r\n\r\nlate\r\n"))
	late := f.contents()[4].UID
	n := 0
	for m, err := range r.Fetch(f.Context(), uids...) {
		if err != nil || !slices.Contains(uids, m.UID) {
			f.broken("after another delivery Fetch of what was listed yields %v, %v", m, err)
		}
		n++
	}
	if n != 4 {
		f.broken("after another delivery Fetch of what was listed yields %d messages, want 4", n)
	}
	if err := r.Delete(late); !errors.Is(err, retrieval.ErrGone) {
		f.broken("Delete of what arrived after List: %v, want ErrGone", err)
	}
	if again := f.list(r); len(again) < 4 || !slices.Equal(again[:4], uids) {
		f.broken("List again = %q, want it to begin with %q", again, uids)
	}
}

func testAmbiguous(f *fixture) {
	if f.box.OpenAmbiguous == nil {
		f.Skip("no server gives two messages the same UID")
	}
	f.deliver(sample(2)...)
	r, err := f.box.OpenAmbiguous(f)
	if err != nil {
		f.broken("open: %v", err)
	}
	defer r.Close()
	if sums, err := r.List(f.Context()); !errors.Is(err, retrieval.ErrAmbiguous) {
		f.broken("List = %v, %v, want ErrAmbiguous", sums, err)
	}
}
