package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

func TestDeleteAfter(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		args := w.into("-json", w.url)
		for _, tt := range []struct {
			after string
			want  report
		}{
			{"30d", report{Listed: 12, Delivered: 12}},
			{"29d23h", report{Listed: 12, Skipped: 12}},
			{"1ns", report{Listed: 12, Deleted: 12}},
		} {
			if got := w.must(w.mailget(append(args, "-delete-after", tt.after)...)); got != tt.want {
				t.Errorf("%s, after %s: %+v, want %+v", p, tt.after, got, tt.want)
			}
		}
		if !slices.Equal(w.files(), sorted(demoMail())) || len(w.server.Contents()) != 0 {
			t.Errorf("%s: %d files here, %d messages there", p, len(w.files()), len(w.server.Contents()))
		}
	}
}

func TestKeepLast(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		newest := w.server.Contents()[7:]
		args := w.into("-json", "-keep-last", "5", w.url)
		if got, want := w.must(w.mailget(args...)), (report{Listed: 12, Delivered: 12, Deleted: 7}); got != want {
			t.Errorf("%s: %+v, want %+v", p, got, want)
		}
		left := w.server.Contents()
		if len(left) != 5 || left[0].UID != newest[0].UID || len(w.files()) != 12 {
			t.Errorf("%s: %d messages there, %d here", p, len(left), len(w.files()))
		}
	}
}

// A message that is too large comes as its header, is not deleted, and comes
// whole when it may.
func TestMaxSize(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		args := w.into("-json", "-policy", "delete", w.url)
		if got, want := w.must(w.mailget(append(args, "-max-size", "10kb")...)), (report{Listed: 12, Delivered: 12, HeaderOnly: 1, Deleted: 11}); got != want {
			t.Errorf("%s: %+v, want %+v", p, got, want)
		}
		if slices.ContainsFunc(w.files(), func(f string) bool { return len(f) > 10_000 }) || len(w.server.Contents()) != 1 {
			t.Errorf("%s: the large message is here, or not there any more", p)
		}
		w.must(w.mailget(args...))
		if !slices.Equal(w.files(), sorted(demoMail())) || len(w.server.Contents()) != 0 {
			t.Errorf("%s: %d files here, %d messages there", p, len(w.files()), len(w.server.Contents()))
		}
	}
}

func TestLimits(t *testing.T) {
	mail := demoMail()
	first, last := string(mail[0]), string(mail[len(mail)-1])
	for _, tt := range []struct {
		name string
		args []string
		want report
		has  string // among what is delivered
	}{
		{"bytes", []string{"-limit-bytes", "1"}, report{Listed: 12, Delivered: 1, Skipped: 11}, first},
		{"many bytes", []string{"-limit-bytes", "1GB"}, report{Listed: 12, Delivered: 12}, last},
		{"newest first", []string{"-newest-first", "-limit", "1"}, report{Listed: 12, Delivered: 1, Skipped: 11}, last},
		{"an hour", []string{"-limit-time", "1h"}, report{Listed: 12, Delivered: 12}, last},
		{"from a name", []string{"-from", "züRICH"}, report{Listed: 12, Delivered: 1, Skipped: 11}, string(mail[2])},
		{"from a domain", []string{"-from", "@EXAMPLE.NET"}, report{Listed: 12, Delivered: 2, Skipped: 10}, string(mail[4])},
		{"subject", []string{"-subject", "lunch"}, report{Listed: 12, Delivered: 2, Skipped: 10}, first},
		{"from and subject", []string{"-from", "bob", "-subject", "lunch"}, report{Listed: 12, Delivered: 1, Skipped: 11}, string(mail[1])},
	} {
		for _, p := range protocols {
			t.Run(tt.name+" "+string(p), func(t *testing.T) {
				w := newPlace(t, p)
				w.server.Deliver(mail...)
				if got := w.must(w.mailget(w.into(append(tt.args, "-json", w.url)...)...)); got != tt.want {
					t.Errorf("%+v, want %+v", got, tt.want)
				}
				if !slices.Contains(w.files(), tt.has) {
					t.Errorf("%.80q was not delivered", tt.has)
				}
			})
		}
	}
}

// When the time is up what was begun is done, and the rest is left.
func TestLimitTime(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		got := w.must(w.mailget(w.into("-json", "-limit-time", "1ns", w.url)...))
		if got.Delivered == 12 || got.Delivered+got.Skipped != 12 || got.Delivered != len(w.files()) {
			t.Errorf("%s: %+v, %d files", p, got, len(w.files()))
		}
	}
}

func TestMarkSeenAndMove(t *testing.T) {
	w := newPlace(t, retrieval.IMAP)
	w.server.Deliver(demoMail()...)
	w.server.Create("Done")
	args := w.into("-json", "-mark-seen", "-move-to", "Done", "-limit", "3", w.url)
	if got, want := w.must(w.mailget(args...)), (report{Listed: 12, Delivered: 3, Acted: 3, Skipped: 9}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	done := w.server.ContentsOf("Done")
	if len(done) != 3 || len(w.server.Contents()) != 9 {
		t.Fatalf("%d messages in Done, %d in INBOX, want 3 and 9", len(done), len(w.server.Contents()))
	}
	for _, m := range done {
		if !slices.ContainsFunc(m.Flags, func(f retrieval.Flag) bool { return strings.EqualFold(string(f), string(retrieval.FlagSeen)) }) {
			t.Errorf("message %s has the flags %q", m.UID, m.Flags)
		}
	}
}

// What is moved to a mailbox does not come from there; a "%" in its name stands
// for itself.
func TestMoveToAwkwardName(t *testing.T) {
	w := newPlace(t, retrieval.IMAP)
	for _, name := range []string{"Read%", "Reading"} {
		w.server.Create(name)
		w.server.DeliverTo(name, fmt.Appendf(nil, "Subject: in %s\r\n\r\n", name))
	}
	w.server.Deliver([]byte("Subject: in INBOX\r\n\r\n"))
	for range 2 {
		w.must(w.mailget(w.into("-json", "-mailboxes", "*", "-move-to", "Read%", w.url)...))
	}
	if n := len(w.server.ContentsOf("Read%")); n != 3 {
		t.Errorf("%d messages were moved or had been there, want 3", n)
	}
	if n := len(w.filesIn("mail/.Reading")); n != 1 {
		t.Errorf("%d messages of Reading delivered, want 1", n)
	}
}

// A mailbox to move to that is not there is found out before anything comes.
func TestMoveToNowhere(t *testing.T) {
	w := newPlace(t, retrieval.IMAP)
	w.server.Deliver(demoMail()...)
	r := w.mailget(w.into("-move-to", "Nowhere", w.url)...)
	if r.code != 2 || !strings.Contains(r.stderr, "no such mailbox") || len(w.server.Contents()) != 12 {
		t.Errorf("%+v, want exit code 2", r)
	}
	w.server.Create("Nowhere")
	if got, want := w.must(w.mailget(w.into("-json", "-move-to", "Nowhere", w.url)...)), (report{Listed: 12, Delivered: 12, Acted: 12}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if n := len(w.server.ContentsOf("Nowhere")); n != 12 || len(w.files()) != 12 {
		t.Errorf("%d messages were moved, %d are here", n, len(w.files()))
	}
}

// What goes on here goes there too: a flag, and a removal.
func TestBoth(t *testing.T) {
	for trash, want := range map[string]report{
		"":      {Listed: 12, Sent: 2, Deleted: 1, Skipped: 11},
		"Trash": {Listed: 12, Sent: 2, Skipped: 11},
	} {
		w := newPlace(t, retrieval.IMAP)
		w.server.Deliver(demoMail()...)
		w.server.Create("Trash")
		args := w.into("-json", "-policy", "sync", "-both", w.url)
		if trash != "" {
			args = append(args, "-trash", trash)
		}
		w.must(w.mailget(args...))
		files, _ := filepath.Glob(w.path("mail/new/*"))
		if err := os.Rename(files[0], filepath.Join(w.path("mail/cur"), filepath.Base(files[0])+":2,F")); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(files[1]); err != nil {
			t.Fatal(err)
		}
		dry := w.mailget(append(args, "-dry-run")...)
		var f struct{ Deliver, Delete, Send []any }
		if err := json.Unmarshal([]byte(dry.stdout), &f); err != nil || len(f.Deliver) != 0 || len(f.Delete) != 1 || len(f.Send) != 1 {
			t.Errorf("trash %q, dry run: %v, %+v", trash, err, dry)
		}
		if got := w.must(w.mailget(args...)); got != want {
			t.Errorf("trash %q: %+v, want %+v", trash, got, want)
		}
		flagged := 0
		for _, m := range w.server.Contents() {
			flagged += len(m.Flags)
		}
		if flagged != 1 || len(w.server.Contents()) != 11 || len(w.server.ContentsOf("Trash")) != len(trash)/5 {
			t.Errorf("trash %q: %d flags, %d messages, %d in Trash", trash, flagged, len(w.server.Contents()), len(w.server.ContentsOf("Trash")))
		}
	}
}

// With -up only what goes on here goes there.
func TestUp(t *testing.T) {
	w := newPlace(t, retrieval.IMAP)
	w.server.Deliver(demoMail()...)
	args := w.into("-json", "-policy", "sync", "-up", w.url)
	w.must(w.mailget(args...))
	files, _ := filepath.Glob(w.path("mail/new/*"))
	removed, err := os.ReadFile(files[0])
	if err == nil {
		err = os.Remove(files[0])
	}
	if err != nil {
		t.Fatal(err)
	}
	others := 0
	for _, m := range w.server.Contents() {
		switch {
		case bytes.Equal(m.Data, removed):
		case others == 0:
			w.server.Delete(m.UID)
			others++
		default:
			w.server.SetFlags(m.UID, retrieval.FlagSeen)
		}
	}
	if got, want := w.must(w.mailget(args...)), (report{Listed: 11, Sent: 1, Deleted: 1, Skipped: 10}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	seen, _ := filepath.Glob(w.path("mail/cur/*"))
	if len(w.files()) != 11 || len(seen) != 0 || len(w.server.Contents()) != 10 {
		t.Errorf("%d files, %d of them in cur, %d messages there", len(w.files()), len(seen), len(w.server.Contents()))
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[string]time.Duration{"90s": 90 * time.Second, "30d": 720 * time.Hour, "1d12h": 36 * time.Hour, "0d1s": time.Second, "1h30m": 90 * time.Minute} {
		if got, err := parseDuration(s); got != want || err != nil {
			t.Errorf("parseDuration(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "d", "1", "0d", "0s", "-1d", "1d-1h", "1.5d", "12h1d", "65536d", "1 d", "65535d2500000h"} {
		if got, err := parseDuration(s); err == nil {
			t.Errorf("parseDuration(%q) = %v, want an error", s, got)
		}
	}
}

func TestSizes(t *testing.T) {
	for s, want := range map[string]int64{"1": 1, "20B": 20, "500KB": 500_000, "10mb": 10_000_000, "2GB": 2_000_000_000} {
		if got, err := parseSize(s); got != want || err != nil {
			t.Errorf("parseSize(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "0", "0KB", "-1", "KB", "1.5MB", "1 MB", "1TB", "9223372036854775808", "9223372036854775GB"} {
		if got, err := parseSize(s); err == nil {
			t.Errorf("parseSize(%q) = %v, want an error", s, got)
		}
	}
}
