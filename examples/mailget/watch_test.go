package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
)

// -watch delivers what is there, then what comes, until it is interrupted.
func TestWatch(t *testing.T) {
	for _, form := range []string{"text", "json"} {
		w := newPlace(t, retrieval.IMAP)
		w.server.Deliver(demoMail()[:11]...)
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		args := append([]string{"-password-file", w.path("password"), "-cafile", w.path("ca"), "-watch"}, w.into(w.url)...)
		if form == "json" {
			args = append(args, "-json")
		}
		log, stderr := io.Pipe()
		ended := make(chan int)
		var stdout bytes.Buffer
		go func() {
			code := run(ctx, args, strings.NewReader(""), &stdout, stderr)
			stderr.Close()
			ended <- code
		}()
		for lines := bufio.NewScanner(log); lines.Scan(); {
			line := lines.Text()
			if form == "json" && !json.Valid([]byte(line)) {
				t.Errorf("%q is no JSON", line)
			}
			switch line = strings.NewReplacer(`"`, "", ":", "=").Replace(line); {
			case strings.Contains(line, "delivered=11"):
				w.server.Deliver(demoMail()[11])
			case strings.Contains(line, "delivered=1"):
				interrupt()
			}
		}
		if code := <-ended; code != 0 || stdout.Len() > 0 {
			t.Errorf("%s: exit code %d, stdout %q", form, code, &stdout)
		}
		if !slices.Equal(w.files(), sorted(demoMail())) {
			t.Errorf("%s: %d files, want 12", form, len(w.files()))
		}
	}
}

// What time does not help ends a watch, with the exit code of a run.
func TestWatchGivesUp(t *testing.T) {
	w := newPlace(t, retrieval.IMAP)
	w.server.Deliver(demoMail()...)
	w.must(w.mailget(w.into("-json", w.url)...))
	w.server.Renumber()
	r := w.mailget(w.into("-watch", w.url)...)
	if r.code != 5 || !strings.Contains(r.stderr, "given up") || !strings.Contains(r.stderr, "\nmailget: nothing was done") {
		t.Errorf("%+v, want exit code 5", r)
	}
}

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
