package main

import (
	"strings"
	"testing"
)

// The limit of a day holds over several calls, and a dry run knows of it.
func TestLimitDay(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		w.server.Deliver([]byte("Subject: large\r\n\r\n" + strings.Repeat("x", 900_000) + "\r\n"))
		args := []string{"-limit-day", "1MB", w.url}
		for i, tt := range []struct {
			args []string
			want string
		}{
			{nil, "13 messages on the server, 12 delivered ("},
			{nil, "13 messages on the server, 0 delivered, 13 left as they were"},
			{[]string{"-dry-run"}, "INBOX: 0 messages would be delivered, 13 left as they are; -limit-day has room again in 2"},
			{[]string{"-dry-run", "-json"}, `"skipped":13,"room_in_ms":8`},
			{[]string{"-json"}, `,"room_in_ms":8`},
		} {
			r := w.mailget(w.into(append(tt.args, args...)...)...)
			if r.code != 0 || r.stderr != "" || !strings.Contains(r.stdout, tt.want) || tt.args == nil && !strings.Contains(r.stdout, "; -limit-day has room again in 2") {
				t.Errorf("%s %d: %+v, want %q", p, i, r, tt.want)
			}
		}
		used := []string{"-limit-day", "100KB", w.url}
		if r := w.mailget(w.into(used...)...); r.code != 0 || !strings.HasPrefix(r.stdout, "the server was not asked; -limit-day has room again in 2") {
			t.Errorf("%s: used up: %+v", p, r)
		}
		if r := w.mailget(w.into(append(used, "-dry-run")...)...); r.code != 0 || !strings.HasPrefix(r.stdout, "the server was not asked; -limit-day has room again in 2") {
			t.Errorf("%s: used up, a dry run: %+v", p, r)
		}
		w.must(w.mailget(w.into("-json", w.url)...))
		if n := len(w.files()); n != 13 {
			t.Errorf("%s: without the limit %d files, want 13", p, n)
		}
		if r := w.mailget("-to", "none", "-limit-day", "1MB", w.url); r.code != 2 || !strings.Contains(r.stderr, "-limit-day needs -ledger") {
			t.Errorf("%s: without a ledger: %+v", p, r)
		}
		if r := w.mailget("-list", "-limit-day", "1MB", w.url); r.code != 2 || !strings.Contains(r.stderr, "-list retrieves nothing") {
			t.Errorf("%s: with -list: %+v", p, r)
		}
	}
	if r := call(t.Context(), "-help"); !strings.Contains(r.stdout, "\n  -limit-day SIZE") {
		t.Error("-help does not tell of -limit-day")
	}
}
