package retrievaltest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"example.com/postbag/retrieval"
)

// cut calls try with a session that is cut at a point, for one point after the
// other until the session ends before. Sessions that are cut before they begin
// are passed over.
func (f *fixture) cut(point func(n int) Point, try func(r retrieval.Retriever, fault *Fault)) {
	f.Helper()
	for n := 0; ; n++ {
		fault := Cut(point(n))
		r, err := f.box.OpenFaulty(f, fault)
		if err != nil && fault.Struck() == 0 {
			f.broken("open: %v", err)
		}
		if err == nil {
			try(r, fault)
			r.Close()
		}
		if fault.Struck() == 0 {
			return
		}
	}
}

func (f *fixture) needFaults() {
	if f.box.OpenFaulty == nil {
		f.Skip("no sessions with faults")
	}
}

// everyFew are points within whatever the server says.
func everyFew(n int) Point { return AfterReceived(int64(n) * 311) }

func testCutMessage(f *fixture) {
	f.needFaults()
	f.deliver(sample(8)[:3]...)
	all := f.contents()
	f.cut(everyFew, func(r retrieval.Retriever, fault *Fault) {
		sums, err := r.List(f.Context())
		if err != nil {
			return
		}
		for m, err := range r.Fetch(f.Context(), uidsOf(sums)...) {
			if err != nil {
				continue
			}
			i := slices.IndexFunc(all, func(a Message) bool { return a.UID == m.UID })
			got, err := io.ReadAll(m)
			if err == nil && !bytes.Equal(got, all[i].Data) || err != nil && !errors.Is(err, retrieval.ErrTruncated) {
				f.broken("%s: %d of %d octets of a message, and then %v", fault, len(got), len(all[i].Data), err)
			}
		}
	})
}

func testCutLoop(f *fixture) {
	f.needFaults()
	f.deliver(sample(8)[:3]...)
	f.cut(everyFew, func(r retrieval.Retriever, fault *Fault) {
		sums, err := r.List(f.Context())
		if err != nil {
			return
		}
		var whole, errs int
		var last error
		for m, err := range r.Fetch(f.Context(), uidsOf(sums)...) {
			if errors.Is(last, retrieval.ErrSession) {
				f.broken("%s: after the error %q the sequence goes on", fault, last)
			}
			if last = err; err != nil {
				errs++
			} else if _, err := io.Copy(io.Discard, m); err == nil {
				whole++
			}
		}
		if whole < len(sums) && !errors.Is(last, retrieval.ErrSession) {
			f.broken("%s: a sequence with %d of %d messages and %d errors ends with %v, want ErrSession", fault, whole, len(sums), errs, last)
		}
	})
}

func testCutCommit(f *fixture) {
	f.needFaults()
	f.deliver(sample(1)...)
	for _, point := range []func(n int) Point{
		func(n int) Point { return BeforeCommand("", n+1) },
		func(n int) Point { return AfterCommand("", n+1) },
		func(n int) Point { return AfterReceived(int64(n) * 53) },
	} {
		f.cut(point, func(r retrieval.Retriever, fault *Fault) {
			for len(f.contents()) < 4 {
				f.deliver(sample(1)...)
			}
			uids := uidsOf(f.listed(r))
			if len(uids) < 4 || r.Delete(uids[0], uids[2]) != nil {
				return
			}
			rcpt, err := r.Commit(f.Context())
			if err != nil && !errors.Is(err, retrieval.ErrUncommitted) {
				f.broken("%s: Commit: %v, want ErrUncommitted", fault, err)
			}
			f.fate(fault, uids, rcpt, err)
		})
	}
}

// listed is a list that may fail.
func (f *fixture) listed(r retrieval.Retriever) []retrieval.Summary {
	sums, _ := r.List(f.Context())
	return sums
}

// fate compares a Receipt with what there is. The first and third of uids were
// marked.
func (f *fixture) fate(fault fmt.Stringer, uids []retrieval.UID, rcpt retrieval.Receipt, err error) {
	f.Helper()
	there := make(map[retrieval.UID]bool)
	for _, m := range f.contents() {
		there[m.UID] = true
	}
	fates := slices.Concat(rcpt.Deleted, rcpt.Kept, rcpt.Unknown)
	for i, uid := range uids {
		marked := i == 0 || i == 2
		if !marked && i < 4 && !there[uid] {
			f.broken("%s: %s is gone, which was not marked", fault, uid)
		}
		if n := len(slices.DeleteFunc(slices.Clone(fates), func(u retrieval.UID) bool { return u != uid })); marked && n != 1 {
			f.broken("%s: the Receipt %+v names %s %d times, want 1", fault, rcpt, uid, n)
		}
	}
	for _, uid := range rcpt.Deleted {
		if there[uid] {
			f.broken("%s: %s is called deleted, and is there", fault, uid)
		}
	}
	for _, uid := range rcpt.Kept {
		if !there[uid] {
			f.broken("%s: %s is called kept, and is gone", fault, uid)
		}
	}
	if err == nil && len(rcpt.Deleted) != 2 {
		f.broken("%s: Commit without an error, and the Receipt %+v", fault, rcpt)
	}
}

func uidsOf(sums []retrieval.Summary) []retrieval.UID {
	var uids []retrieval.UID
	for _, s := range sums {
		uids = append(uids, s.UID)
	}
	return uids
}
