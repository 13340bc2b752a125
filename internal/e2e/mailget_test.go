package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/postbag/imapclient"
)

// TestDelete empties a mailbox of real messages: each is in the Maildir as
// Dovecot stored it, and none is left there.
func TestDelete(t *testing.T) {
	w := newWorld(t)
	msgs := realMails(t, 300)
	for _, scheme := range []string{"pop3s", "imaps", "pop3", "imap"} {
		w.fresh(msgs)
		want := w.onServer()
		r, _ := w.run(scheme, "delete")
		if r.Listed != 300 || r.Delivered != 300 || r.Deleted != 300 || r.Failed != 0 {
			t.Errorf("%s: %+v, want 300 listed, delivered and deleted", scheme, r)
		}
		if got := w.here(); !slices.Equal(got, want) {
			t.Errorf("%s: the Maildir does not hold what Dovecot stored: %d files, want %d", scheme, len(got), len(want))
		}
		if left := w.onServer(); len(left) != 0 {
			t.Errorf("%s: %d messages are left on the server", scheme, len(left))
		}
	}
}

// TestSync keeps a Maildir in step with an IMAP mailbox that another client
// changes.
func TestSync(t *testing.T) {
	w := newWorld(t)
	w.fresh(realMails(t, 300))
	want := w.onServer()
	first, _ := w.run("imaps", "sync")
	if first.Delivered != 300 || !slices.Equal(w.here(), want) || !slices.Equal(w.onServer(), want) {
		t.Fatalf("%+v: not everything is here and there", first)
	}
	other := w.otherClient()
	for sum, err := range other.Summaries(t.Context(), imapclient.All()) {
		if err != nil {
			t.Fatal(err)
		}
		if len(sum.Flags) > 0 {
			t.Errorf("message %d has the flags %q after a sync", sum.UID, sum.Flags)
		}
	}

	again, _ := w.run("imaps", "sync")
	if again.Delivered+again.Reflagged+again.Discarded != 0 || again.Bytes != 0 || again.WireIn > first.Bytes/5 {
		t.Errorf("with nothing new: %+v", again)
	}

	var uids []uint32
	for sum, err := range other.Summaries(t.Context(), imapclient.All()) {
		if err != nil {
			t.Fatal(err)
		}
		uids = append(uids, sum.UID)
	}
	if err := other.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Seen`, `\Flagged`}, uids[:7]...); err != nil {
		t.Fatal(err)
	}
	if err := other.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Deleted`}, uids[290:]...); err != nil {
		t.Fatal(err)
	}
	if err := other.Expunge(t.Context(), uids[290:]...); err != nil {
		t.Fatal(err)
	}
	r, _ := w.run("imaps", "sync")
	if r.Reflagged != 7 || r.Discarded != 10 || r.Delivered != 0 {
		t.Errorf("%+v, want 7 reflagged and 10 discarded", r)
	}
	if got, want := w.here(), w.onServer(); !slices.Equal(got, want) || len(got) != 290 {
		t.Errorf("%d messages here, %d there, want the same 290", len(got), len(want))
	}
	flagged := 0
	for name := range hashes(t, filepath.Join(w.maildir(), "cur")) {
		if strings.HasSuffix(name, ":2,FS") {
			flagged++
		}
	}
	if flagged != 7 {
		t.Errorf("%d file names show the flags, want 7", flagged)
	}
}

// TestNothingNew shows that a run without new mail fetches no message.
func TestNothingNew(t *testing.T) {
	w := newWorld(t)
	for _, scheme := range []string{"pop3s", "imaps"} {
		w.fresh(mails(200, 5000))
		first, _ := w.run(scheme, "leave")
		again, _ := w.run(scheme, "leave")
		if first.Delivered != 200 || again.Delivered != 0 || again.Bytes != 0 || again.WireIn > first.WireIn/20 {
			t.Errorf("%s: first %+v, again %+v", scheme, first, again)
		}
	}
}

// TestKill kills mailget at random moments; a clean run follows each time.
// Every message must be in the Maildir exactly once.
func TestKill(t *testing.T) {
	w := newWorld(t)
	kills := 4
	if os.Getenv("POSTBAG_KILLS") != "" {
		kills = 20
	}
	msgs := mails(500, 4000)
	want := hashAll(msgs)
	for _, tt := range []struct{ scheme, policy string }{
		{"pop3s", "delete"}, {"pop3s", "leave"}, {"imaps", "delete"}, {"imaps", "sync"},
	} {
		var atOnce, alive int
		for range kills {
			w.fresh(msgs)
			cmd := w.mailget(tt.scheme, tt.policy)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			moment := w.randomMoment(cmd)
			cmd.Process.Kill()
			cmd.Wait()
			if cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
				alive++
			}
			atOnce += len(w.here())
			w.run(tt.scheme, tt.policy)
			if got := w.here(); !slices.Equal(got, want) {
				t.Fatalf("%s %s, killed %s: %d messages here, want 500, each once", tt.scheme, tt.policy, moment, len(got))
			}
			left := w.onServer()
			if tt.policy == "delete" && len(left) != 0 || tt.policy != "delete" && !slices.Equal(left, want) {
				t.Fatalf("%s %s, killed %s: %d messages on the server", tt.scheme, tt.policy, moment, len(left))
			}
		}
		t.Logf("%s %s: %d of %d runs killed before their end, with %d messages delivered on average", tt.scheme, tt.policy, alive, kills, atOnce/kills)
	}
}

// randomMoment waits for a moment of a run: when so many files are in the
// Maildir, finished or not, or a little after the last.
func (w *world) randomMoment(cmd *exec.Cmd) string {
	files := rand.IntN(600)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		n := 0
		for _, sub := range []string{"tmp", "new", "cur"} {
			entries, _ := os.ReadDir(filepath.Join(w.maildir(), sub))
			n += len(entries)
		}
		if n >= min(files, 500) {
			break
		}
		if _, err := os.Stat(fmt.Sprintf("/proc/%d/fd/0", cmd.Process.Pid)); err != nil {
			break // it has come to its end
		}
	}
	after := time.Duration(max(files-500, 0)) * 300 * time.Microsecond
	time.Sleep(after)
	return fmt.Sprintf("%v after %d files", after, min(files, 500))
}

// TestLargeMessage retrieves one message of 200 MB.
func TestLargeMessage(t *testing.T) {
	if testing.Short() {
		t.Skip("200 MB in short mode")
	}
	w := newWorld(t)
	for _, scheme := range []string{"pop3s", "imaps"} {
		w.fresh(mails(1, 200<<20))
		want := w.onServer()
		_, peak := w.run(scheme, "delete")
		if got := w.here(); !slices.Equal(got, want) {
			t.Errorf("%s: not what the server had", scheme)
		}
		t.Logf("%s: peak memory %d KiB", scheme, peak)
		if peak == 0 || peak > 64<<10 {
			t.Errorf("%s: peak memory %d KiB, want less than 64 MiB", scheme, peak)
		}
	}
}

// otherClient is another program that has the mailbox open.
func (w *world) otherClient() *imapclient.Client {
	w.Helper()
	c, err := imapclient.Dial(w.Context(), w.dovecot.IMAPS, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: w.dovecot.CA}})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { c.Close() })
	if err := c.Login(w.Context(), user, password); err != nil {
		w.Fatal(err)
	}
	if _, err := c.Select(context.Background(), "INBOX"); err != nil {
		w.Fatal(err)
	}
	return c
}
