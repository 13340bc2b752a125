package retrieval_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// cutShort is a sink that ends a run when so many messages were delivered: on
// the way into the next one.
type cutShort struct {
	retrieval.Sink
	left int
	end  func()
}

func (c *cutShort) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	if c.left--; c.left < 0 {
		c.end()
	}
	return c.Sink.Deliver(ctx, m)
}

// A program goes on with an mbox after a run was cancelled, or has panicked:
// what that run has delivered, and never made durable, is not in the mbox twice.
func TestMboxAfterRunCutShort(t *testing.T) {
	for _, p := range protocols {
		for _, tt := range []struct {
			name string
			end  func(cancel func())
		}{
			{"cancelled", func(cancel func()) { cancel() }},
			{"panics", func(cancel func()) { panic("the sink's") }},
		} {
			t.Run(string(p)+"/"+tt.name, func(t *testing.T) {
				b := newBox(t, p, retrieval.DownloadAndDelete)
				msgs := mails(5)
				b.server.Deliver(msgs...)
				path := filepath.Join(b.dir, "mbox")
				mbox, err := disk.OpenMbox(path, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer mbox.Close()
				store := new(retrieval.Memory)
				func() {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					defer func() { recover() }()
					sink := struct {
						*cutShort
						retrieval.Flusher
						retrieval.Finder
					}{&cutShort{mbox, 2, func() { tt.end(cancel) }}, mbox, mbox}
					if _, err := retrieval.Run(ctx, b.acct, sink, store); err == nil {
						t.Error("the run was not cut short")
					}
				}()
				if rep, err := retrieval.Run(t.Context(), b.acct, mbox, store); err != nil || rep.Delivered != len(msgs) {
					t.Fatalf("%+v, %v", rep, err)
				}
				var got []string
				for m, err := range readMbox(t, path) {
					if err != nil {
						t.Fatal(err)
					}
					data, err := io.ReadAll(m)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, string(data))
				}
				if len(got) != len(msgs) {
					t.Errorf("%d messages in the mbox, want %d: %.300q", len(got), len(msgs), got)
				}
			})
		}
	}
}

// What a sink that vouches for each message has taken is recorded also when a
// run is cancelled: it does not get it again.
func TestCancelledAfterDelivery(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, retrieval.DownloadAndDelete)
			b.server.Deliver(mails(5)...)
			store := new(retrieval.Memory)
			times := make(map[retrieval.UID]int)
			take := retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
				_, err := io.Copy(io.Discard, m)
				if err == nil {
					times[m.UID]++
				}
				return err
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if _, err := retrieval.Run(ctx, b.acct, &cutShort{take, 3, cancel}, store); err == nil {
				t.Error("the run was not cut short")
			}
			if _, err := retrieval.Run(t.Context(), b.acct, take, store); err != nil {
				t.Fatal(err)
			}
			more := 0
			for _, n := range times {
				more += n - 1
			}
			if len(times) != 5 || more > 1 { // the one on whose way it was cancelled
				t.Errorf("delivered %v times", times)
			}
			if n := len(b.contents()); n != 0 {
				t.Errorf("%d messages left on the server", n)
			}
		})
	}
}

// A run that is cancelled when all is delivered, and before it is deleted, says
// that it has not come to its end.
func TestCancelledBeforeCommit(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, retrieval.DownloadAndDelete)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			store := &afterUpdate{new(retrieval.Memory), func(ch retrieval.Change) {
				if len(ch.Put) == 1 && ch.Put[0].Stage == retrieval.Doomed && ch.Put[0].Vanished.IsZero() {
					cancel()
				}
			}}
			for range 2 { // the clock is written
				b.server.Deliver(mails(1)...)
				if _, err := retrieval.Run(t.Context(), b.acct, retrieval.SinkFunc(discardAll), store.Store); err != nil {
					t.Fatal(err)
				}
			}
			b.server.Deliver(mails(1)...)
			rep, err := retrieval.Run(ctx, b.acct, retrieval.SinkFunc(discardAll), store)
			if rep.Delivered != 1 || rep.Deleted != 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("%+v, %v, want one delivered and that it was cancelled", rep, err)
			}
		})
	}
}

// afterUpdate is a store that tells of each change.
type afterUpdate struct {
	retrieval.Store
	tell func(retrieval.Change)
}

func (s *afterUpdate) Open(ctx context.Context, box retrieval.Box) (retrieval.Page, error) {
	p, err := s.Store.Open(ctx, box)
	return &afterUpdatePage{p, s.tell}, err
}

type afterUpdatePage struct {
	retrieval.Page
	tell func(retrieval.Change)
}

func (p *afterUpdatePage) Update(ctx context.Context, ch retrieval.Change) error {
	err := p.Page.Update(ctx, ch)
	p.tell(ch)
	return err
}
