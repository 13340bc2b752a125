package retrievaltest

import (
	"context"
	"errors"
	"io"

	"example.com/postbag/retrieval"
)

func testCancel(f *fixture) {
	f.deliver(sample(16)...)
	r := f.open()
	uids := f.list(r)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(f.Context())
	var last error
	for m, err := range r.Fetch(ctx, uids...) {
		if last = err; err != nil {
			continue
		}
		cancel(cause)
		io.Copy(io.Discard, m)
	}
	cancel(nil)
	if !errors.Is(last, cause) || !errors.Is(last, retrieval.ErrSession) {
		f.broken("the loop ends with %v, want the cause %q and ErrSession", last, cause)
	}
	if _, err := r.List(f.Context()); err == nil {
		f.broken("List works after the session was cancelled")
	}
	r.Close()
	if n := len(f.list(f.open())); n != 16 {
		f.broken("%d messages left, want 16", n)
	}
}

func testCloseTwice(f *fixture) {
	r := f.open()
	for range 2 {
		if err := r.Close(); err != nil {
			f.broken("Close: %v", err)
		}
	}
}

func testCloseWithinLoop(f *fixture) {
	f.deliver(sample(16)...)
	r := f.open()
	uids := f.list(r)
	if err := r.Delete(uids[0]); err != nil {
		f.broken("Delete: %v", err)
	}
	n := 0
	var last error
	for _, err := range r.Fetch(f.Context(), uids...) {
		if last = err; err == nil && n == 2 {
			r.Close()
		}
		n++
	}
	if n < 16 && !errors.Is(last, retrieval.ErrSession) {
		f.broken("the loop ends after %d of 16 messages with %v, want ErrSession", n, last)
	}
	if n := len(f.contents()); n != 16 {
		f.broken("%d messages left, want 16", n)
	}
}

func testUseAfterClose(f *fixture) {
	f.deliver(sample(2)...)
	r := f.open()
	uids := f.list(r)
	r.Close()
	if sums, err := r.List(f.Context()); err == nil {
		f.broken("List = %d messages, nil after Close", len(sums))
	}
	var last error
	for _, err := range r.Fetch(f.Context(), uids...) {
		last = err
	}
	if !errors.Is(last, retrieval.ErrSession) {
		f.broken("Fetch after Close ends with %v, want ErrSession", last)
	}
	if err := r.Delete(uids...); err != nil {
		return
	}
	if rcpt, err := r.Commit(f.Context()); err == nil || len(rcpt.Deleted) > 0 {
		f.broken("Commit after Close = %v, %v, want an error", rcpt, err)
	}
}
