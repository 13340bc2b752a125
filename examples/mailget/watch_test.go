package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
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

// A server that does not tell of news is asked as often as -poll says.
func TestPoll(t *testing.T) {
	w := newPlace(t, retrieval.POP3)
	w.server.Deliver(demoMail()[:11]...)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	log, stderr := io.Pipe()
	ended := make(chan int)
	go func() {
		args := append([]string{"-password-file", w.path("password"), "-cafile", w.path("ca"), "-watch", "-poll", "100ms"}, w.into(w.url)...)
		code := run(ctx, args, strings.NewReader(""), io.Discard, stderr)
		stderr.Close()
		ended <- code
	}()
	for lines := bufio.NewScanner(log); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.Contains(line, "delivered=11"):
			w.server.Deliver(demoMail()[11])
		case strings.Contains(line, "delivered=1"):
			interrupt()
		}
	}
	if code := <-ended; code != 0 || !slices.Equal(w.files(), sorted(demoMail())) {
		t.Errorf("exit code %d, %d files, want 12", code, len(w.files()))
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
