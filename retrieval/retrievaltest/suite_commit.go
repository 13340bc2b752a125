package retrievaltest

import (
	"context"
	"errors"
	"io"
	"slices"

	"example.com/postbag/retrieval"
)

func testDeleteWithinLoop(f *fixture) {
	f.deliver(sample(12)...)
	r := f.open()
	uids := f.list(r)
	for m, err := range r.Fetch(f.Context(), uids...) {
		if err != nil {
			f.broken("Fetch: %v", err)
		}
		io.Copy(io.Discard, m)
		if err := r.Delete(m.UID); err != nil {
			f.broken("Delete in the loop: %v", err)
		}
	}
	if n := len(f.contents()); n != 12 {
		f.broken("%d messages before Commit, want 12", n)
	}
	rcpt, err := r.Commit(f.Context())
	if err != nil || len(rcpt.Deleted) != 12 || len(rcpt.Kept)+len(rcpt.Unknown) != 0 {
		f.broken("Commit = %d deleted, %d kept, %d unknown, %v", len(rcpt.Deleted), len(rcpt.Kept), len(rcpt.Unknown), err)
	}
	if n := len(f.contents()); n != 0 {
		f.broken("%d messages after Commit, want none", n)
	}
}

func testCloseDeletesNothing(f *fixture) {
	f.deliver(sample(4)...)
	r := f.open()
	if err := r.Delete(f.list(r)...); err != nil {
		f.broken("Delete: %v", err)
	}
	if err := r.Close(); err != nil {
		f.broken("Close: %v", err)
	}
	if uids := f.list(f.open()); len(uids) != 4 {
		f.broken("%d messages after Close, want 4", len(uids))
	}
}

func testCommit(f *fixture) {
	f.deliver(sample(6)...)
	before := f.contents()
	r := f.open()
	uids := f.list(r)
	f.deliver([]byte("Subject: late\r\n\r\nlate\r\n"))
	if err := f.box.Delete(uids[5]); err != nil { // marked here, removed by another
		f.Fatal(err)
	}
	if err := r.Delete(uids[1], uids[3], uids[5], uids[1]); err != nil {
		f.broken("Delete: %v", err)
	}
	rcpt, err := r.Commit(f.Context())
	if err != nil && !errors.Is(err, retrieval.ErrUncommitted) {
		f.broken("Commit: %v", err)
	}
	if !slices.Contains(rcpt.Deleted, uids[1]) || !slices.Contains(rcpt.Deleted, uids[3]) {
		f.broken("Receipt.Deleted = %q, want %q and %q in it", rcpt.Deleted, uids[1], uids[3])
	}
	left := f.held()
	want := []retrieval.UID{before[0].UID, before[2].UID, before[4].UID}
	if len(left) != 4 || !slices.Equal(left[:3], want) {
		f.broken("left are %q, want %q and the one that came late", left, want)
	}
}

func testCommitAfterBreak(f *fixture) {
	f.deliver(sample(30)...)
	r := f.open()
	uids := f.list(r)
	for m, err := range r.Fetch(f.Context(), uids...) {
		if err != nil {
			f.broken("Fetch: %v", err)
		}
		io.Copy(io.Discard, m)
		if err := r.Delete(m.UID); err != nil {
			f.broken("Delete: %v", err)
		}
		break
	}
	rcpt, err := r.Commit(f.Context())
	if err != nil || len(rcpt.Deleted) != 1 {
		f.broken("Commit = %d deleted, %v", len(rcpt.Deleted), err)
	}
	if n := len(f.contents()); n != 29 {
		f.broken("%d messages left, want 29", n)
	}
}

func testForeignMarks(f *fixture) {
	f.deliver(sample(4)...)
	r := f.open()
	if !r.Features().Flags {
		f.Skip("the server has no flags")
	}
	other := f.open()
	uids := f.list(r)
	f.list(other)
	if err := retrieval.SetFlags(f.Context(), other, retrieval.AddFlags, []retrieval.Flag{retrieval.FlagDeleted}, uids[0], uids[2]); err != nil {
		f.broken("SetFlags: %v", err)
	}
	before := f.held() // Gmail removes what is marked at once
	if err := r.Delete(uids[1]); err != nil {
		f.broken("Delete: %v", err)
	}
	if _, err := r.Commit(f.Context()); err != nil {
		f.broken("Commit: %v", err)
	}
	left, want := f.held(), before
	if want = slices.DeleteFunc(want, func(u retrieval.UID) bool { return u == uids[1] }); !slices.Equal(left, want) {
		f.broken("left are %q, want %q", left, want)
	}
}

func testDeleteUnlisted(f *fixture) {
	f.deliver(sample(2)...)
	r := f.open()
	uids := f.list(r)
	if err := r.Delete(uids[0], "4294967295.no-such-uid"); !errors.Is(err, retrieval.ErrGone) {
		f.broken("Delete = %v, want ErrGone", err)
	}
	if _, err := r.Commit(f.Context()); err != nil {
		f.broken("Commit: %v", err)
	}
	if n := len(f.contents()); n != 2 {
		f.broken("%d messages left, want 2", n)
	}
}

func testCommitCancelled(f *fixture) {
	f.deliver(sample(4)...)
	r := f.open()
	uids := f.list(r)
	if err := r.Delete(uids[0], uids[2]); err != nil {
		f.broken("Delete: %v", err)
	}
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	rcpt, err := r.Commit(ctx)
	f.fate(when("with a context that is over"), uids, rcpt, err)
}

// when says when something was done.
type when string

func (w when) String() string { return string(w) }
