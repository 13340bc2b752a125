package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestJudge has the states that a program can leave behind.
func TestJudge(t *testing.T) {
	whole := func(tokens ...string) (all [][]byte) {
		for _, token := range tokens {
			all = append(all, mail(token))
		}
		return all
	}
	cut := mail("m2")[:len(mail("m2"))-100]
	tests := []struct {
		name    string
		mode    mode
		here    [][]byte
		there   [][]byte
		sent    []string // besides the three
		prelude bool
		want    string
	}{
		{name: "all fetched and deleted", mode: remove, here: whole("m1", "m2", "m3"), want: "0/0/0"},
		{name: "one twice", mode: remove, here: whole("m1", "m2", "m2", "m3"), want: "1/0/0"},
		{name: "one nowhere", mode: remove, here: whole("m1", "m3"), want: "0/1/0"},
		{name: "one not deleted", mode: remove, here: whole("m1", "m2", "m3"), there: whole("m2"), want: "0/0/1"},
		{name: "all kept", mode: leave, here: whole("m1", "m2", "m3"), there: whole("m1", "m2", "m3"), want: "0/0/0"},
		{name: "one not fetched", mode: leave, here: whole("m1", "m2"), there: whole("m1", "m2", "m3"), want: "0/0/1"},
		{name: "one cut short and deleted", mode: remove, here: append(whole("m1", "m3"), cut), want: "0/1/0, 1 damaged"},
		{name: "one made up", mode: remove, here: whole("m1", "m2", "m3", "forged"), want: "0/0/0, 1 forged"},
		{name: "a file of nothing", mode: remove, here: append(whole("m1", "m2", "m3"), nil), want: "0/0/0, 1 forged"},
		{name: "line ends and header changed", mode: remove, here: append(whole("m1", "m3"), append([]byte("X-Added: yes\n"), bytes.ReplaceAll(mail("m2"), []byte("\r\n"), []byte("\n"))...)), want: "0/0/0"},
		{name: "foreign removed unread", mode: remove, sent: []string{foreign}, here: whole("m1", "m2", "m3"), want: "0/0/0, 1 foreign"},
		{name: "foreign fetched and deleted", mode: remove, sent: []string{foreign}, here: whole("m1", "m2", "m3", foreign), want: "0/0/0"},
		{name: "foreign removed though all was to stay", mode: leave, sent: []string{foreign}, here: whole("m1", "m2", "m3", foreign), there: whole("m1", "m2", "m3"), want: "0/0/0, 1 foreign"},
		{name: "deleted here, and back", mode: follow, prelude: true, here: whole("m1", "m2", "m3"), there: whole("m1", "m2", "m3"), want: "1/0/1"},
		{name: "deleted here, and there", mode: follow, prelude: true, here: whole("m2", "m3"), there: whole("m2", "m3"), want: "0/0/0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, "INBOX", "new"), 0o700); err != nil {
				t.Fatal(err)
			}
			for i, data := range tt.here {
				if err := os.WriteFile(filepath.Join(dir, "INBOX", "new", string(rune('a'+i))), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			sent := make(map[string][]byte)
			for _, token := range append(tt.sent, tokens...) {
				sent[token] = mail(token)
			}
			got, err := read(dir, sent)
			if err != nil {
				t.Fatal(err)
			}
			var r result
			r.judge(&cell{table: &table{mode: tt.mode}}, got, sent, tt.there, tt.prelude)
			if r.String() != tt.want {
				t.Errorf("%s, want %s", r, tt.want)
			}
		})
	}
}

// TestFramed: the smuggler's dots stay as they are, those at the begin of a
// line are doubled.
func TestFramed(t *testing.T) {
	got := string(framed([]byte("Subject: x\r\n\r\n.one\r\nlf\n.\nend\r\n"), false, ""))
	if want := "+OK\r\nSubject: x\r\n\r\n..one\r\nlf\n.\nend\r\n.\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := string(framed(mail("m1"), true, "1 0")); strings.Contains(got, "token") || !strings.HasSuffix(got, "\r\n\r\n.\r\n") {
		t.Errorf("TOP 1 0 is %q", got)
	}
}

// TestCommandOf: which lines are steps at which a fault can be.
func TestCommandOf(t *testing.T) {
	for line, want := range map[string]string{
		`a1 UID STORE 1 +FLAGS (\Deleted)`: "STORE",
		`a1 store 1 +FLAGS (\Seen)`:        "STORE",
		"a1 EXPUNGE":                       "EXPUNGE",
		"a1 UID EXPUNGE 1":                 "EXPUNGE",
		"a1 CLOSE":                         "EXPUNGE",
		"a1 UID FETCH 1 (UID)":             "",
		"DONE":                             "",
	} {
		if got := commandOf([]byte(line + "\r\n")); got != want {
			t.Errorf("%s is %q, want %q", line, got, want)
		}
	}
}

// TestPageIsCurrent: the page that is committed has all tables, faults and
// programs, and what is said about them.
func TestPageIsCurrent(t *testing.T) {
	page, err := os.ReadFile("../../docs/crash-matrix.md")
	if err != nil {
		t.Fatal(err)
	}
	tables := allTables()
	cells := enumerate(tables, programs)
	for _, c := range cells {
		c.result.measured = true
	}
	for line := range strings.Lines(writePage(tables, programs, cells)) {
		first, _, isRow := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		first = "| " + first
		switch {
		case strings.HasPrefix(line, "On "): // the day and the machine
		case strings.HasPrefix(line, "| fault"), !isRow:
			first = line
			fallthrough
		default:
			if !bytes.Contains(page, []byte(first)) {
				t.Errorf("go run ./crashmatrix -out ../docs/crash-matrix.md: the page lacks %q", first)
			}
		}
	}
}
