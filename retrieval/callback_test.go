package retrieval_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"slices"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

func readMbox(t *testing.T, path string) iter.Seq2[*disk.MboxMessage, error] {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return disk.ReadMbox(bytes.NewReader(data))
}

// wantAgain has a sound sink follow one that misbehaved: nothing may have been
// deleted, and what was under way comes once more and says so.
func (b *box) wantAgain(store retrieval.Store, redelivered retrieval.UID, msgs ...[]byte) {
	b.t.Helper()
	if n := len(b.contents()); n != len(msgs) {
		b.t.Fatalf("%d messages on the server, want %d", n, len(msgs))
	}
	var got [][]byte
	again := false
	_, err := retrieval.Run(b.t.Context(), b.acct, retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
		data, err := io.ReadAll(m)
		got = append(got, data)
		again = again || m.Redelivery && m.UID == redelivered
		return err
	}), store)
	if err != nil {
		b.t.Fatal(err)
	}
	if !slices.EqualFunc(got, msgs, bytes.Equal) || !again {
		b.t.Errorf("delivered %.200q, again: %v, want %.200q", got, again, msgs)
	}
}

// TestCallback is F128: what a function may do that is used as a sink.
func TestCallback(t *testing.T) {
	for _, p := range protocols {
		for _, tt := range []struct {
			name string
			sink func(cancel func()) retrieval.SinkFunc
		}{
			{"panics", func(func()) retrieval.SinkFunc {
				return func(context.Context, *retrieval.Message) error { panic("the sink's") }
			}},
			{"panics within a Tee", func(func()) retrieval.SinkFunc {
				tee := retrieval.Tee(retrieval.SinkFunc(discardAll), retrieval.SinkFunc(func(context.Context, *retrieval.Message) error { panic("the sink's") }))
				return func(ctx context.Context, m *retrieval.Message) error {
					_, err := tee.Deliver(ctx, m)
					return err
				}
			}},
			{"blocks until the end of its context", func(cancel func()) retrieval.SinkFunc {
				return func(ctx context.Context, m *retrieval.Message) error {
					cancel()
					<-ctx.Done()
					return ctx.Err()
				}
			}},
			{"returns nil after the end of its context", func(cancel func()) retrieval.SinkFunc {
				return func(ctx context.Context, m *retrieval.Message) error {
					cancel()
					return nil
				}
			}},
		} {
			t.Run(string(p)+"/"+tt.name, func(t *testing.T) {
				b := newBox(t, p, retrieval.DownloadAndDelete)
				msgs := mails(3)
				b.server.Deliver(msgs...)
				first := b.contents()[0].UID
				cause := errors.New("enough")
				ctx, cancel := context.WithCancelCause(t.Context())
				store := new(retrieval.Memory)
				calls := 0
				sink := tt.sink(func() { cancel(cause) })
				func() {
					defer func() {
						if r := recover(); r != nil && r != "the sink's" {
							panic(r)
						} else if r != nil {
							cancel(cause)
						}
					}()
					_, err := retrieval.Run(ctx, b.acct, retrieval.SinkFunc(func(ctx context.Context, m *retrieval.Message) error {
						calls++
						return sink(ctx, m)
					}), store)
					if !errors.Is(err, cause) {
						t.Errorf("%v, want the cause", err)
					}
				}()
				if calls != 1 || ctx.Err() == nil {
					t.Errorf("%d calls, %v", calls, ctx.Err())
				}
				b.wantAgain(store, first, msgs...)
			})
		}
	}
}

// A function that keeps a message and reads on later gets nothing of another.
func TestCallbackKeepsTheMessage(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, nil)
			msgs := mails(8)
			b.server.Deliver(msgs...)
			var kept []*retrieval.Message
			var buffers [][]byte
			rep, err := retrieval.Run(t.Context(), b.acct, retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
				for _, old := range kept {
					if n, err := old.Read(make([]byte, 100)); n > 0 || err == nil {
						t.Errorf("a message that is over was read: %d octets, %v", n, err)
					}
				}
				kept = append(kept, m)
				buf := make([]byte, 20)
				_, err := io.ReadFull(m, buf)
				buffers = append(buffers, buf)
				return err
			}), new(retrieval.Memory))
			if err != nil || rep.Delivered != len(msgs) {
				t.Fatal(rep, err)
			}
			for i, buf := range buffers {
				if !bytes.Equal(buf, msgs[i][:20]) {
					t.Errorf("a buffer that was kept holds %q, want %q", buf, msgs[i][:20])
				}
			}
		})
	}
}

// Who opens a Retriever may not use it for something else within Fetch; it
// says so or does it, and neither hangs nor mixes up messages.
func TestCallbackCallsRetriever(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, nil)
			msgs := mails(4)
			b.server.Deliver(msgs...)
			r, err := retrieval.Open(t.Context(), b.acct)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			list, err := r.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var uids []retrieval.UID
			for _, s := range list {
				uids = append(uids, s.UID)
			}
			for m, err := range r.Fetch(t.Context(), uids...) {
				if err != nil {
					continue
				}
				_, listErr := r.List(t.Context())
				data, err := io.ReadAll(m)
				if err == nil && !slices.ContainsFunc(msgs, func(want []byte) bool { return bytes.Equal(want, data) }) {
					t.Errorf("within Fetch, after List (%v), a message reads %q", listErr, data)
				}
			}
		})
	}
}
