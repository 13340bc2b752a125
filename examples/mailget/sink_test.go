package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

func TestMbox(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		args := []string{"-json", "-policy", "delete", "-to", "mbox:" + w.path("mbox"), "-ledger", w.path("ledger"), w.url}
		if got, want := w.must(w.mailget(args...)), (report{Listed: 12, Delivered: 12, Deleted: 12}); got != want {
			t.Errorf("%s: %+v, want %+v", p, got, want)
		}
		if got := w.mbox("mbox"); !slices.Equal(got, sorted(demoMail())) {
			t.Errorf("%s: %d messages in the mbox, not those of the server", p, len(got))
		}
	}
}

// mbox returns the messages in an mbox, sorted.
func (w *place) mbox(name string) []string {
	w.Helper()
	data, err := os.ReadFile(w.path(name))
	if err != nil {
		w.Fatal(err)
	}
	var all []string
	for m, err := range disk.ReadMbox(bytes.NewReader(data)) {
		if err != nil {
			w.Fatal(err)
		}
		text, err := io.ReadAll(m)
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, string(text))
	}
	slices.Sort(all)
	return all
}

// The program gets each message, and its arguments as they are, for no shell
// looks at them. What it says decides.
func TestPipe(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh here")
	}
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		w.write("take", "test $# = 2 || exit 75; cat >$1/taken.$POSTBAG_UID; grep -q 'Subject: Lunch on Friday' $1/taken.$POSTBAG_UID && exit 65; echo $2 >>$1/args\n")
		args := []string{"-allow-root", "-policy", "delete", "-to", "pipe:sh " + w.path("take") + " " + w.dir + " $(id);x", "-ledger", w.path("ledger"), w.url}
		r := w.mailget(args...)
		if r.code != 1 || !strings.Contains(r.stdout, "11 delivered") || !strings.Contains(r.stdout, "11 deleted there, 1 failed") || strings.Contains(r.stderr, "Friday") {
			t.Errorf("%s: %+v, want one message refused", p, r)
		}
		if data, _ := os.ReadFile(w.path("args")); string(data) != strings.Repeat("$(id);x\n", 11) {
			t.Errorf("%s: the last argument was %q", p, data)
		}
		var got []string
		files, _ := filepath.Glob(w.path("taken.*"))
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(data))
		}
		slices.Sort(got)
		if !slices.Equal(got, sorted(demoMail())) || len(w.server.Contents()) != 1 {
			t.Errorf("%s: the program got %d messages, %d are there", p, len(got), len(w.server.Contents()))
		}
	}
}

// Root runs no program unless that is asked for by name.
func TestPipeAsRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this is about root")
	}
	w := newPlace(t, retrieval.IMAP)
	w.write("take", "touch $1/taken\n")
	w.server.Deliver(demoMail()...)
	r := w.mailget("-to", "pipe:sh "+w.path("take")+" "+w.dir, w.url)
	if _, err := os.Stat(w.path("taken")); r.code != 2 || !strings.Contains(r.stderr, "-allow-root") || err == nil {
		t.Errorf("%+v, %v, want exit code 2", r, err)
	}
}

// Several of -to get each message, and it is deleted when all have it.
func TestSeveralTo(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		s := newRelay(t, "tcp", "127.0.0.1:0", true)
		args := w.into("-json", "-policy", "delete", "-to", "mbox:"+w.path("mbox"), "-to", "smtp:"+s.addr, w.url)
		names := w.names()
		if r := w.mailget(append(args, "-rcpt", "joe", "-dry-run")...); r.code != 0 || !slices.Equal(w.names(), names) {
			t.Errorf("%s: dry run: %+v; there is %q", p, r, w.names())
		}
		r := w.mailget("-policy", "delete", "-to", "maildir:"+w.path("less"), "-to", "smtp:"+s.addr, "-rcpt", "nobody", w.url)
		if r.code != 1 || len(w.server.Contents()) != 12 || len(w.filesIn("less")) != 0 {
			t.Errorf("%s, to a recipient that is none: %+v, %d messages there, %d here", p, r, len(w.server.Contents()), len(w.filesIn("less")))
		}
		if got, want := w.must(w.mailget(append(args, "-rcpt", "joe")...)), (report{Listed: 12, Delivered: 12, Deleted: 12}); got != want {
			t.Errorf("%s: %+v, want %+v", p, got, want)
		}
		if got := w.mbox("mbox"); !slices.Equal(got, sorted(demoMail())) {
			t.Errorf("%s: %d messages in the mbox, not those of the server", p, len(got))
		}
		if got := s.took(); !slices.Equal(got, forEach("<joe>")) || !slices.Equal(w.files(), sorted(demoMail())) {
			t.Errorf("%s: the server took %d messages, the Maildir has %d", p, len(got), len(w.files()))
		}
	}
}

// Two Maildirs are kept in step with the server.
func TestSyncOfTwo(t *testing.T) {
	w := newPlace(t, retrieval.IMAP)
	w.server.Deliver(demoMail()...)
	args := w.into("-json", "-policy", "sync", "-to", "maildir:"+w.path("other"), w.url)
	w.must(w.mailget(args...))
	on := w.server.Contents()
	w.server.Delete(on[0].UID)
	w.server.SetFlags(on[1].UID, retrieval.FlagSeen)
	if got, want := w.must(w.mailget(args...)), (report{Listed: 11, Reflagged: 1, Discarded: 1, Skipped: 10}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, maildir := range []string{"mail", "other"} {
		seen, _ := filepath.Glob(filepath.Join(w.path(maildir), "cur", "*:2,S"))
		if !slices.Equal(w.filesIn(maildir), sorted(demoMail()[1:])) || len(seen) != 1 {
			t.Errorf("%s has %d messages, %d of them seen", maildir, len(w.filesIn(maildir)), len(seen))
		}
	}
}

// Several mailboxes become a tree, and what is moved away does not come again.
func TestMailboxes(t *testing.T) {
	w := newPlace(t, retrieval.IMAP)
	w.server.Deliver(demoMail()[:3]...)
	for _, name := range []string{"Work/2026", "Junk", "Done"} {
		w.server.Create(name)
	}
	w.server.DeliverTo("Work/2026", demoMail()[3:7]...)
	w.server.DeliverTo("Junk", demoMail()[7:]...)
	args := w.into("-json", "-mailboxes", "*, -Junk", "-move-to", "Done", w.url)
	if got, want := w.must(w.mailget(args...)), (report{Listed: 7, Delivered: 7, Acted: 7}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if !slices.Equal(w.files(), sorted(demoMail()[:3])) || !slices.Equal(w.filesIn("mail/.Work.2026"), sorted(demoMail()[3:7])) {
		t.Errorf("%d files in INBOX, %d in Work/2026", len(w.files()), len(w.filesIn("mail/.Work.2026")))
	}
	if n := len(w.server.ContentsOf("Done")); n != 7 {
		t.Errorf("%d messages in Done, want 7", n)
	}
	if got := w.must(w.mailget(args...)); got != (report{}) {
		t.Errorf("again: %+v", got)
	}
	r := w.mailget(w.into("-mailboxes", "Junk,INBOX", w.url)...)
	if lines := strings.Split(r.stdout, "\n"); r.code != 0 || len(lines) != 4 || !strings.HasPrefix(lines[1], "Junk: 5 messages on the server, 5 delivered") {
		t.Errorf("%+v, want a line for each mailbox", r)
	}
}
