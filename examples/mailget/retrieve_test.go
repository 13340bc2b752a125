package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

var protocols = []retrieval.Protocol{retrieval.POP3, retrieval.IMAP}

func TestDelete(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		args := w.into("-json", "-policy", "delete", w.url)
		if got, want := w.must(w.mailget(args...)), (report{Listed: 12, Delivered: 12, Deleted: 12}); got != want {
			t.Errorf("%s: %+v, want %+v", p, got, want)
		}
		if !slices.Equal(w.files(), sorted(demoMail())) || len(w.server.Contents()) != 0 {
			t.Errorf("%s: %d files here, %d messages there", p, len(w.files()), len(w.server.Contents()))
		}
		if got := w.must(w.mailget(args...)); got != (report{}) {
			t.Errorf("%s, again: %+v", p, got)
		}
	}
}

func TestLeaveIsTheDefault(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		args := w.into("-json", w.url)
		if got, want := w.must(w.mailget(append(args, "-limit", "5")...)), (report{Listed: 12, Delivered: 5, Skipped: 7}); got != want {
			t.Errorf("%s: %+v, want %+v", p, got, want)
		}
		if got, want := w.must(w.mailget(args...)), (report{Listed: 12, Delivered: 7, Skipped: 5}); got != want {
			t.Errorf("%s: %+v, want %+v", p, got, want)
		}
		if len(w.server.Contents()) != 12 {
			t.Errorf("%s: %d messages there, want 12", p, len(w.server.Contents()))
		}
	}
}

func TestSync(t *testing.T) {
	w := newPlace(t, retrieval.IMAP)
	w.server.Deliver(demoMail()...)
	args := w.into("-json", "-policy", "sync", w.url+"/INBOX")
	w.must(w.mailget(args...))
	there := w.server.Contents()
	w.server.SetFlags(there[3].UID, retrieval.FlagAnswered)
	w.server.Delete(there[4].UID)
	if got, want := w.must(w.mailget(args...)), (report{Listed: 11, Reflagged: 1, Discarded: 1, Skipped: 10}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if flagged, _ := filepath.Glob(w.path("mail/cur/*:2,R")); len(flagged) != 1 || len(w.files()) != 11 {
		t.Errorf("%q have the flag, %d files in all", flagged, len(w.files()))
	}
}

// Without a ledger nothing is remembered, but the Maildir has each message
// once all the same.
func TestNoLedger(t *testing.T) {
	w := newPlace(t, retrieval.POP3)
	w.server.Deliver(demoMail()...)
	for range 2 {
		if got := w.must(w.mailget("-json", "-to", "maildir:"+w.path("mail"), w.url)); got.Delivered != 12 {
			t.Errorf("%+v, want 12 delivered", got)
		}
	}
	if n := len(w.files()); n != 12 {
		t.Errorf("%d files, want 12", n)
	}
}

// A ledger that is gone is found out, and what then is said by -reset.
func TestLostLedger(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		w.must(w.mailget(w.into("-json", w.url)...))
		if err := os.Remove(w.path("ledger")); err != nil {
			t.Fatal(err)
		}
		if r := w.mailget(w.into("-policy", "delete", w.url)...); r.code != 6 || !strings.Contains(r.stderr, "another ledger") || len(w.server.Contents()) != 12 {
			t.Errorf("%s: %+v, want exit 6 and nothing done", p, r)
		}
		if got := w.must(w.mailget(w.into("-json", "-policy", "delete", "-reset", "refetch", w.url)...)); got.Delivered != 12 || got.Deleted != 12 || len(w.files()) != 12 {
			t.Errorf("%s: %+v, %d files, want 12 delivered, and none of them twice", p, got, len(w.files()))
		}
	}
}

// What -to none threw away must not count as delivered, whatever is called
// with the same ledger afterwards.
func TestNoneThenDelete(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		none := []string{"-json", "-to", "none", "-ledger", w.path("ledger"), w.url}
		if got := w.must(w.mailget(none...)); got.Delivered != 12 {
			t.Errorf("%s: %+v, want 12 delivered", p, got)
		}
		if got := w.must(w.mailget(none...)); got.Delivered != 0 {
			t.Errorf("%s: %+v, want none delivered the second time", p, got)
		}
		if got := w.must(w.mailget(w.into("-json", "-policy", "delete", w.url)...)); got.Delivered != 12 || got.Deleted != 12 {
			t.Errorf("%s: %+v, want 12 delivered and deleted", p, got)
		}
		if !slices.Equal(w.files(), sorted(demoMail())) {
			t.Fatalf("%s: %d files, want 12", p, len(w.files()))
		}
	}
}

func TestSummaryLine(t *testing.T) {
	w := newPlace(t, retrieval.IMAP)
	w.server.Deliver(demoMail()...)
	r := w.mailget(w.into("-policy", "delete", w.url)...)
	if want := "12 messages on the server, 12 delivered (293 KB), 12 deleted there in "; r.code != 0 || !strings.HasPrefix(r.stdout, want) || strings.Count(r.stdout, "\n") != 1 || r.stderr != "" {
		t.Errorf("%+v, want one line %q…", r, want)
	}
}

// A run that is interrupted says so, and the next one goes on.
func TestInterrupt(t *testing.T) {
	w := newPlace(t, retrieval.POP3)
	w.server.Deliver(demoMail()...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := call(ctx, append([]string{"-password-file", w.path("password"), "-cafile", w.path("ca")}, w.into(w.url)...)...)
	if r.code != 4 || !strings.HasPrefix(r.stderr, "mailget: interrupted;") {
		t.Errorf("%+v", r)
	}
	w.must(w.mailget(w.into("-json", w.url)...))
	if n := len(w.files()); n != 12 {
		t.Errorf("%d files, want 12", n)
	}
}

// Neither a transcript nor an error nor a report holds the password or mail.
func TestTranscript(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		w.write("wrong", "not the password\n")
		for _, password := range []string{"password", "wrong"} {
			r := call(t.Context(), "-password-file", w.path(password), "-cafile", w.path("ca"), "-to", "none", "-json", "-transcript", w.path("transcript"), w.url)
			data, err := os.ReadFile(w.path("transcript"))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(data), "\nC: ") || !strings.Contains(string(data), "S: ") {
				t.Errorf("%s: this is no transcript: %q", p, data)
			}
			for _, secret := range []string{retrievaltest.Password, "not the password", "Shall we meet"} {
				if strings.Contains(string(data)+r.stdout+r.stderr, secret) {
					t.Errorf("%s: %q shows in the transcript or the output", p, secret)
				}
			}
		}
		if fi, err := os.Stat(w.path("transcript")); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v, want mode 0600", fi.Mode(), err)
		}
	}
}

// A session is not written over what is kept or read.
func TestWrittenOver(t *testing.T) {
	w := newPlace(t, retrieval.POP3)
	w.server.Deliver(demoMail()...)
	args := []string{"-to", "mbox:" + w.path("mbox"), "-ledger", w.path("ledger"), w.url}
	if r := w.mailget(args...); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	if err := os.Link(w.path("mbox"), w.path("link")); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"-transcript", "-record"} {
		for _, name := range []string{"mbox", "./mbox", "link", "ledger", "password", "ca"} {
			before := w.read(strings.TrimPrefix(name, "./"))
			r := w.mailget(append([]string{flag, w.dir + "/" + name}, args...)...)
			if r.code != 2 || !strings.Contains(r.stderr, flag+" would write over") {
				t.Errorf("%s %s: %+v, want exit code 2", flag, name, r)
			}
			if w.read(strings.TrimPrefix(name, "./")) != before {
				t.Errorf("%s has written over %s", flag, name)
			}
		}
	}
	r := w.mailget(append([]string{"-transcript", w.path("log"), "-record", w.path("log")}, args...)...)
	if r.code != 2 {
		t.Errorf("%+v, want exit code 2", r)
	}
	if r := w.mailget(append([]string{"-transcript", os.DevNull, "-record", w.path("log")}, args...)...); r.code != 0 {
		t.Errorf("%+v", r)
	}
}

func (w *place) read(name string) string {
	w.Helper()
	data, err := os.ReadFile(w.path(name))
	if err != nil {
		w.Fatal(err)
	}
	return string(data)
}

// What -record writes can be replayed, and shows neither secrets nor mail.
func TestRecord(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		r := call(t.Context(), "-password-file", w.path("password"), "-cafile", w.path("ca"), "-to", "none", "-record", w.path("session"), w.url)
		if r.code != 0 {
			t.Fatalf("%+v", r)
		}
		data, err := os.ReadFile(w.path("session"))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{retrievaltest.Password, "Shall we meet", "Lunch", "ann@"} {
			if strings.Contains(string(data), secret) {
				t.Errorf("%s: %q shows in the session", p, secret)
			}
		}
		sink := retrieval.SinkFunc(func(context.Context, *retrieval.Message) error { return nil })
		rep, err := retrieval.Run(t.Context(), retrievaltest.Replay(t, w.path("session")), sink, new(retrieval.Memory))
		if err != nil || rep.Delivered != 12 {
			t.Errorf("%s: replayed: %+v, %v", p, rep, err)
		}
	}
}

func TestPasswordFromEnvironment(t *testing.T) {
	w := newPlace(t, retrieval.IMAP)
	t.Setenv("MAILGET_TEST_PASSWORD", retrievaltest.Password)
	r := call(t.Context(), "-password-env", "MAILGET_TEST_PASSWORD", "-cafile", w.path("ca"), "-to", "none", w.url)
	if r.code != 0 {
		t.Errorf("%+v", r)
	}
}

func TestDemo(t *testing.T) {
	r := call(t.Context(), "-demo")
	if r.code != 0 || r.stderr != "" || !strings.HasSuffix(r.stdout, "All went as it should.\n") {
		t.Errorf("%+v", r)
	}
	for _, want := range []string{"12 deleted there", "Grüße aus Zürich", "äöü", ":2,FS", "1 removed here"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("the demo does not show %q", want)
		}
	}
}
