package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// A dry run tells what the next run would do, and changes nothing.
func TestDryRun(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		dry := w.into("-dry-run", "-policy", "delete", "-max-size", "10KB", w.url)
		if r := w.mailget(dry...); r.code != 0 || r.stderr != "" || r.stdout != "INBOX: 11 messages would be delivered (2.88 KB), 1 as headers only, 11 deleted there\n" {
			t.Errorf("%s: %+v", p, r)
		}
		for _, to := range []string{"mbox:" + w.path("mbox"), "none", "pipe:true", "lmtp:" + w.path("socket")} {
			args := []string{"-dry-run", "-ledger", w.path("ledger"), "-to", to, w.url}
			switch to[:4] {
			case "pipe":
				args = append(args, "-allow-root")
			case "lmtp":
				args = append(args, "-rcpt", "joe")
			}
			if r := w.mailget(args...); r.code != 0 || !strings.HasPrefix(r.stdout, "INBOX: 12 messages would be delivered (293 KB)") {
				t.Errorf("%s, to %s: %+v", p, to, r)
			}
		}
		if names := w.names(); !slices.Equal(names, []string{"ca", "password"}) || len(w.server.Contents()) != 12 {
			t.Errorf("%s: there is %q now, and %d messages", p, names, len(w.server.Contents()))
		}

		w.must(w.mailget(w.into("-json", "-limit", "11", w.url)...))
		before, names := w.server.Contents(), w.names()
		r := w.mailget(append(dry, "-json")...)
		var f struct {
			Mailbox string
			Deliver []struct {
				UID  string
				Size int64
			}
			Delete  []string
			Skipped int
		}
		if err := json.Unmarshal([]byte(r.stdout), &f); err != nil || r.code != 0 || r.stderr != "" {
			t.Fatalf("%s: %v, %+v", p, err, r)
		}
		if last := before[11]; f.Mailbox != "INBOX" || len(f.Deliver) != 1 || f.Deliver[0].UID != string(last.UID) || f.Deliver[0].Size != int64(len(demoMail()[11])) || len(f.Delete) != 12 {
			t.Errorf("%s: %+v", p, f)
		}
		if after := w.names(); !slices.Equal(after, names) || len(w.server.Contents()) != 12 || len(w.files()) != 11 {
			t.Errorf("%s: there is %q now, %q before, and %d messages", p, after, names, len(w.server.Contents()))
		}
	}
}

// After a crash a dry run tells what the next run finds in the Maildir or mbox,
// and leaves both as they are.
func TestDryRunAfterCrash(t *testing.T) {
	for _, to := range []string{"maildir:", "mbox:"} {
		w := newPlace(t, retrieval.IMAP)
		w.server.Deliver(demoMail()...)
		args := []string{"-json", "-to", to + w.path("mail"), "-ledger", w.path("ledger"), w.url}
		w.must(w.mailget(append(args, "-limit", "11")...))
		w.forgetDeliveries()
		before := w.everything()
		var f struct{ Deliver []any }
		r := w.mailget(append(args, "-dry-run")...)
		if err := json.Unmarshal([]byte(r.stdout), &f); err != nil || len(f.Deliver) != 1 {
			t.Errorf("%s %v, %+v; want one to be delivered", to, err, r)
		}
		if after := w.everything(); after != before {
			t.Errorf("%s there was\n%.2000s\nand there is\n%.2000s", to, before, after)
		}
		if rep := w.must(w.mailget(args...)); rep.Delivered != 1 {
			t.Errorf("%s %+v, want one delivered", to, rep)
		}
	}
}

// forgetDeliveries leaves the ledger as if a crash had come before anything that
// was delivered was recorded as such.
func (w *place) forgetDeliveries() {
	w.Helper()
	l, err := disk.OpenLedger(w.path("ledger"))
	if err != nil {
		w.Fatal(err)
	}
	defer l.Close()
	a := w.server.Account(retrieval.IMAP)
	page, err := l.Open(w.Context(), a.Box())
	if err != nil {
		w.Fatal(err)
	}
	defer page.Close()
	st, err := page.Load(w.Context())
	var ch retrieval.Change
	for _, rec := range st.Records {
		rec.Stage, rec.Ref = retrieval.Intended, ""
		ch.Put = append(ch.Put, rec)
	}
	if err == nil {
		err = page.Update(w.Context(), ch)
	}
	if err != nil || len(ch.Put) == 0 {
		w.Fatalf("%d records, %v", len(ch.Put), err)
	}
}

// everything is the names, times and contents of all files.
func (w *place) everything() string {
	w.Helper()
	var all strings.Builder
	for _, name := range w.names() {
		fi, err := os.Stat(w.path(name))
		if err != nil {
			w.Fatal(err)
		}
		fmt.Fprintln(&all, name, fi.ModTime(), fi.Size())
		if !fi.IsDir() {
			data, err := os.ReadFile(w.path(name))
			if err != nil {
				w.Fatal(err)
			}
			fmt.Fprintf(&all, "%x\n", sha256.Sum256(data))
		}
	}
	return all.String()
}

// names returns the names of all files and folders that mailget may have made.
func (w *place) names() []string {
	w.Helper()
	var all []string
	err := filepath.WalkDir(w.dir, func(name string, _ os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(w.dir, name); rel != "." {
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return all
}
