package main

import (
	"encoding/json"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
)

func TestList(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		if r := w.mailget("-list", w.url); r.code != 0 || r.stdout+r.stderr != "" {
			t.Errorf("%s, nothing there: %+v", p, r)
		}
		w.server.Deliver(demoMail()...)
		r := w.mailget("-list", w.url)
		rows := strings.Split(strings.TrimSpace(r.stdout), "\n")
		if r.code != 0 || r.stderr != "" || len(rows) != 13 {
			t.Fatalf("%s: %+v, want 12 rows and a head", p, r)
		}
		for i, m := range w.server.Contents() {
			if !strings.HasPrefix(rows[i+1], string(m.UID)+" ") {
				t.Errorf("%s: row %q, want UID %s", p, rows[i+1], m.UID)
			}
			if len(m.Flags) > 0 {
				t.Errorf("%s: listing has set the flags %q", p, m.Flags)
			}
		}
		for i, want := range map[int]string{1: "Ann Archer                Lunch on Friday?", 4: "日本                      日本語", 8: "Raw 8-bit letters: äöü", 12: "no-name@example.com"} {
			if !strings.HasSuffix(rows[i], want) {
				t.Errorf("%s: row %q, want …%q", p, rows[i], want)
			}
		}
		if r := w.mailget("-list", "-limit", "2", w.url); strings.Count(r.stdout, "\n") != 3 || !strings.Contains(r.stdout, rows[2]) {
			t.Errorf("%s, with a limit: %+v", p, r)
		}
	}
}

func TestListJSON(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		if p == retrieval.IMAP {
			w.server.SetFlags(w.server.Contents()[1].UID, retrieval.FlagSeen, "keyword")
		}
		r := w.mailget("-list", "-json", w.url)
		lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
		if r.code != 0 || r.stderr != "" || len(lines) != 12 {
			t.Fatalf("%s: %+v, want 12 lines", p, r)
		}
		var e map[string]any
		if err := json.Unmarshal([]byte(lines[1]), &e); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]string{
			"uid":         `"` + string(w.server.Contents()[1].UID) + `"`,
			"subject":     `"Re: Lunch on Friday?"`,
			"from":        `[{"address":"bob@example.com","name":"Bob"}]`,
			"to":          `[{"address":"user@example.com","name":"Demo"}]`,
			"cc":          `[]`,
			"date":        `"2026-03-03T02:15:00+01:00"`,
			"message_id":  `"demo-2@example.com"`,
			"in_reply_to": `["demo-1@example.com"]`,
			"references":  `["demo-1@example.com"]`,
		} {
			if got, _ := json.Marshal(e[key]); string(got) != want {
				t.Errorf("%s: %s is %s, want %s", p, key, got, want)
			}
		}
		flags, _ := json.Marshal(e["flags"])
		if (p == retrieval.POP3) != (string(flags) == "[]") || p == retrieval.IMAP && !strings.Contains(strings.ToLower(string(flags)), `"\\seen"`) {
			t.Errorf("%s: flags are %s", p, flags)
		}
		if size, _ := e["size"].(float64); size != float64(len(demoMail()[1])) {
			t.Errorf("%s: size is %v, want %d", p, e["size"], len(demoMail()[1]))
		}
	}
}

func TestCell(t *testing.T) {
	for _, tt := range []struct {
		s     string
		width int
		cut   bool
		want  string
	}{
		{"abc", 5, true, "abc  "},
		{"abcde", 5, true, "abcde"},
		{"abcdef", 5, true, "abcd…"},
		{"abcdef", 5, false, "abcdef"},
		{"日本", 5, true, "日本 "},
		{"日本語", 5, true, "日本…"},
		{"a日本語", 5, true, "a日… "},
		{"e\u0301e\u0301", 2, true, "e\u0301e\u0301"},
		{"a\u202eb\x1b[1m\nc", 0, false, "ab[1mc"},
	} {
		if got := cell(tt.s, tt.width, tt.cut); got != tt.want {
			t.Errorf("cell(%q, %d, %v) = %q, want %q", tt.s, tt.width, tt.cut, got, tt.want)
		}
	}
}

func TestMarks(t *testing.T) {
	for flags, want := range map[string]string{"": "", `\Seen`: "S", `\SEEN \flagged x $Junk`: "+FS", `\Deleted \Draft \Answered $Forwarded`: "DPRT"} {
		if got := (&entry{Flags: strings.Fields(flags)}).marks(); got != want {
			t.Errorf("marks of %s are %q, want %q", flags, got, want)
		}
	}
}
