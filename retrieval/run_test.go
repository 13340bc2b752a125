package retrieval_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	"example.com/postbag/retrieval/retrievaltest"
)

// box is a Maildir with a ledger, and an account on a server in process.
type box struct {
	t      *testing.T
	dir    string
	server *retrievaltest.Server
	acct   retrieval.Account
}

func newBox(t *testing.T, p retrieval.Protocol, policy retrieval.Policy) *box {
	b := &box{t: t, dir: t.TempDir(), server: retrievaltest.NewServer(t, nil)}
	b.acct = b.server.Account(p)
	b.acct.Policy = policy
	return b
}

// run does what a program does in one go: open everything, Run, close.
func (b *box) run() (retrieval.Report, error) { return b.runWith(nil) }

// runWith lets wrap put something between Run and the disk.
func (b *box) runWith(wrap func(retrieval.Sink, retrieval.Store) (retrieval.Sink, retrieval.Store)) (retrieval.Report, error) {
	b.t.Helper()
	ledger, err := disk.OpenLedger(filepath.Join(b.dir, "ledger"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer ledger.Close()
	maildir, err := disk.OpenMaildir(filepath.Join(b.dir, "mail"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer maildir.Close()
	var sink retrieval.Sink = maildir
	var store retrieval.Store = ledger
	if wrap != nil {
		sink, store = wrap(sink, store)
	}
	return retrieval.Run(b.t.Context(), b.acct, sink, store)
}

// mustRun runs and compares what the report counts.
func (b *box) mustRun(want retrieval.Report) retrieval.Report {
	b.t.Helper()
	got, err := b.run()
	if err != nil {
		b.t.Fatal(err)
	}
	counts := retrieval.Report{Listed: got.Listed, Delivered: got.Delivered, Deleted: got.Deleted, Reflagged: got.Reflagged, Discarded: got.Discarded, Skipped: got.Skipped, Failed: got.Failed}
	if fmt.Sprint(counts) != fmt.Sprint(want) {
		b.t.Fatalf("report %+v, want %+v; failures %v", counts, want, got.Failures)
	}
	return got
}

// files returns the delivered messages by the names of their files.
func (b *box) files() map[string][]byte {
	b.t.Helper()
	files := make(map[string][]byte)
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(b.dir, "mail", sub))
		if err != nil {
			b.t.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(b.dir, "mail", sub, e.Name()))
			if err != nil {
				b.t.Fatal(err)
			}
			files[sub+"/"+e.Name()] = data
		}
	}
	return files
}

// wantFiles fails unless each message was delivered exactly once, to the octet.
func (b *box) wantFiles(msgs ...[]byte) {
	b.t.Helper()
	var got []string
	for _, data := range b.files() {
		got = append(got, string(data))
	}
	var want []string
	for _, m := range msgs {
		want = append(want, string(m))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		b.t.Fatalf("the Maildir holds %d messages %.200q, want %d %.200q", len(got), got, len(want), want)
	}
}

func (b *box) contents() []retrievaltest.Message {
	b.t.Helper()
	return b.server.Contents()
}

// mails returns n different messages.
func mails(n int) [][]byte {
	var msgs [][]byte
	for i := range n {
		msgs = append(msgs, fmt.Appendf(nil, "From: a@example.com\r\nSubject: %d\r\n\r\n.dot\r\nnumber %d%s\r\n", i, i, strings.Repeat(" x", i*i%700)))
	}
	return msgs
}

var protocols = []retrieval.Protocol{retrieval.POP3, retrieval.IMAP}

func TestDownloadAndDelete(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, retrieval.DownloadAndDelete)
			msgs := mails(20)
			b.server.Deliver(msgs...)
			b.mustRun(retrieval.Report{Listed: 20, Delivered: 20, Deleted: 20})
			b.wantFiles(msgs...)
			if n := len(b.contents()); n != 0 {
				t.Fatalf("%d messages left on the server", n)
			}
			b.mustRun(retrieval.Report{})
		})
	}
}

func TestLeaveOnServer(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, nil)
			msgs := mails(12)
			b.server.Deliver(msgs[:10]...)
			first := b.mustRun(retrieval.Report{Listed: 10, Delivered: 10})
			second := b.mustRun(retrieval.Report{Listed: 10, Skipped: 10})
			if second.Bytes != 0 || second.WireIn > first.WireIn-first.Bytes {
				t.Errorf("with nothing new %d octets came in, with %d octets of mail %d", second.WireIn, first.Bytes, first.WireIn)
			}
			b.server.Delete(b.contents()[3].UID)
			b.server.Deliver(msgs[10:]...)
			b.mustRun(retrieval.Report{Listed: 11, Delivered: 2, Skipped: 9})
			b.wantFiles(msgs...)
			if n := len(b.contents()); n != 11 {
				t.Fatalf("%d messages on the server, want 11", n)
			}
		})
	}
}

func TestServerSync(t *testing.T) {
	b := newBox(t, retrieval.IMAP, retrieval.ServerSync)
	msgs := mails(4)
	b.server.Deliver(msgs...)
	b.mustRun(retrieval.Report{Listed: 4, Delivered: 4})
	for name := range b.files() {
		if !strings.HasPrefix(name, "new/") {
			t.Errorf("%s was delivered as if it had flags", name)
		}
	}
	on := b.contents()
	for _, m := range on {
		if len(m.Flags) > 0 {
			t.Errorf("%s has the flags %q after a run", m.UID, m.Flags)
		}
	}
	b.server.SetFlags(on[0].UID, retrieval.FlagSeen, retrieval.FlagFlagged)
	b.server.Delete(on[1].UID)
	b.mustRun(retrieval.Report{Listed: 3, Reflagged: 1, Discarded: 1, Skipped: 2})
	b.wantFiles(msgs[0], msgs[2], msgs[3])
	for name, data := range b.files() {
		if flagged := strings.HasPrefix(name, "cur/") && strings.HasSuffix(name, ":2,FS"); flagged != bytes.Equal(data, msgs[0]) {
			t.Errorf("%s holds %.40q", name, data)
		}
	}
	b.server.SetFlags(on[0].UID)
	b.mustRun(retrieval.Report{Listed: 3, Reflagged: 1, Skipped: 2})
	b.mustRun(retrieval.Report{Listed: 3, Skipped: 3})
}

func TestSyncNeedsAMirror(t *testing.T) {
	b := newBox(t, retrieval.IMAP, retrieval.ServerSync)
	_, err := retrieval.Run(t.Context(), b.acct, retrieval.SinkFunc(func(context.Context, *retrieval.Message) error { return nil }), new(retrieval.Memory))
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Fatalf("%v, want errors.ErrUnsupported", err)
	}
}

// More messages than a batch holds.
func TestManyMessages(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, retrieval.DownloadAndDelete)
			msgs := mails(1203)
			b.server.Deliver(msgs...)
			b.mustRun(retrieval.Report{Listed: 1203, Delivered: 1203, Deleted: 1203})
			b.wantFiles(msgs...)
		})
	}
}

func TestLimit(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, retrieval.DownloadAndDelete)
			b.acct.Limits.Messages = 4
			msgs := mails(10)
			b.server.Deliver(msgs...)
			b.mustRun(retrieval.Report{Listed: 10, Delivered: 4, Deleted: 4, Skipped: 6})
			b.wantFiles(msgs[:4]...)
			b.mustRun(retrieval.Report{Listed: 6, Delivered: 4, Deleted: 4, Skipped: 2})
			b.mustRun(retrieval.Report{Listed: 2, Delivered: 2, Deleted: 2})
			b.wantFiles(msgs...)
		})
	}
}

// A server that has renumbered its mailbox: nothing that is known means
// anything, and above all nothing may be discarded.
func TestRenumbered(t *testing.T) {
	for _, policy := range []retrieval.Policy{retrieval.ServerSync, retrieval.LeaveOnServer} {
		b := newBox(t, retrieval.IMAP, policy)
		msgs := mails(3)
		b.server.Deliver(msgs...)
		b.mustRun(retrieval.Report{Listed: 3, Delivered: 3})
		b.server.Renumber()
		rep, err := b.run()
		if !errors.Is(err, retrieval.ErrRenumbered) || rep.Delivered+rep.Discarded+rep.Deleted != 0 {
			t.Fatalf("%+v, %v, want ErrRenumbered and nothing done", rep, err)
		}
		b.wantFiles(msgs...)
	}
}

// A sink that refuses a message ends the run; what was delivered before is
// settled and deleted, the rest stays.
func TestSinkFails(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, retrieval.DownloadAndDelete)
			msgs := mails(9)
			b.server.Deliver(msgs...)
			full := errors.New("disk is full")
			n := 0
			rep, err := b.runWith(func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
				return &hookedSink{s.(maildir), func(op string) error {
					if op == "deliver" {
						if n++; n == 5 {
							return full
						}
					}
					return nil
				}}, st
			})
			if !errors.Is(err, retrieval.ErrSink) || !errors.Is(err, full) || rep.Delivered != 4 || rep.Deleted != 4 {
				t.Fatalf("%+v, %v, want 4 delivered and deleted, and ErrSink", rep, err)
			}
			b.wantFiles(msgs[:4]...)
			if n := len(b.contents()); n != 5 {
				t.Fatalf("%d messages on the server, want 5", n)
			}
			b.mustRun(retrieval.Report{Listed: 5, Delivered: 5, Deleted: 5})
			b.wantFiles(msgs...)
		})
	}
}

// A SinkFunc that does not read a message to its end has still been given it.
func TestSinkFunc(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, retrieval.DownloadAndDelete)
			b.server.Deliver(mails(5)...)
			var heads []string
			rep, err := retrieval.Run(t.Context(), b.acct, retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
				head := make([]byte, 5)
				_, err := io.ReadFull(m, head)
				heads = append(heads, string(head))
				return err
			}), new(retrieval.Memory))
			if err != nil || rep.Delivered != 5 || rep.Deleted != 5 || strings.Join(heads, "") != strings.Repeat("From:", 5) {
				t.Fatalf("%+v, %v, heads %q", rep, err, heads)
			}
		})
	}
}

func TestWrongPassword(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, nil)
			const secret = "not-the-password"
			b.acct.Password = func(context.Context) (string, error) { return secret, nil }
			_, err := b.run()
			if !errors.Is(err, retrieval.ErrAuth) || strings.Contains(err.Error(), secret) {
				t.Fatalf("%v, want ErrAuth without the password", err)
			}
		})
	}
}

// maildir is all that a disk.Maildir can do.
type maildir interface {
	retrieval.Sink
	retrieval.Flusher
	retrieval.Finder
	retrieval.Mirrorer
}

// hookedSink asks a function before each effect.
type hookedSink struct {
	maildir
	before func(op string) error
}

func (s *hookedSink) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	if err := s.before("deliver"); err != nil {
		return "", err
	}
	return s.maildir.Deliver(ctx, m)
}

func (s *hookedSink) Flush(ctx context.Context) error {
	if err := s.before("flush"); err != nil {
		return err
	}
	return s.maildir.Flush(ctx)
}

func (s *hookedSink) SetFlags(ctx context.Context, ref string, flags []retrieval.Flag) (string, error) {
	if err := s.before("setflags"); err != nil {
		return "", err
	}
	return s.maildir.SetFlags(ctx, ref, flags)
}

func (s *hookedSink) Discard(ctx context.Context, ref string) error {
	if err := s.before("discard"); err != nil {
		return err
	}
	return s.maildir.Discard(ctx, ref)
}
