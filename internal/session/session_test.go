package session_test

import (
	"bytes"
	"strings"
	"testing"

	"example.com/postbag/internal/session"
)

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"no mark", "S: * OK\nX: what\n", "f:2: "},
		{"a space first", "S: * OK\n S: * OK\n", "f:2: "},
		{"bad base64", "S64: !!!\n", "f:1: "},
		{"bad number", "S: * OK\nS*: many\n", "f:2: "},
		{"huge number", "S*: 99999999999\n", "f:1: "},
		{"bad time", "~ soon\n", "f:1: "},
		{"bad switch", "= SSL\n", "f:1: "},
		{"an answer to nothing", "S: * OK\nC: a1 NOOP\nS: a2 OK\n", "f:3: "},
		{"no number of octets", "S: * OK\nC*: many\n", "f:2: "},
		{"after the end", "S: * OK\n= CLOSE\nC: a1 NOOP\n", "f:3: "},
	} {
		_, err := session.Parse("f", []byte(tt.text))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v, want the line named: %s", tt.name, err, tt.want)
		}
	}
}

func TestParse(t *testing.T) {
	s, err := session.Parse("f", []byte("# remark\n\n#another\nS: * OK  two spaces \nC*:\nS64: AAEC\nS*: 70\n~ 5m\n= CONNECT\nS: +OK\n# [server closes connection]\n"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.ServerOctets(&b); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	if !strings.HasPrefix(got, "* OK  two spaces \r\n\x00\x01\x02octets") || !strings.HasSuffix(got, "\r\n+OK\r\n") || len(got) != 19+3+70+5 {
		t.Errorf("%q", got)
	}
	if len(s.Conns) != 2 || len(s.Conns[0].Steps) != 5 || len(s.Conns[1].Steps) != 2 {
		t.Errorf("%+v", s.Conns)
	}
}

// session1 is an IMAP session with a literal that looks like answers.
const session1 = `S: * OK ready
C: a1 LOGIN "joe" ***
S: a1 OK in
C: a2 UID FETCH 1:2 (UID FLAGS BODY.PEEK[])
S: * 1 FETCH (UID 1 BODY[] {14}
S: a2 OK
S: C: x
S: )
S: a2 OK done
C: a3 LOGIN {3}
S: + go on
C: joe {3}
S: + go on
C: …
S: a3 OK
= CLOSE
`

func TestPlayer(t *testing.T) {
	good := []string{"> x9 login joe \"secret\"", "< x9 OK in", "> y UID FETCH 1:2 (BODY.PEEK[] UID FLAGS)",
		"< * 1 FETCH (UID 1 BODY[] {14}", "< a2 OK", "< C: x", "< )", "< y OK done", "> z LOGIN {3}", "< + go on", "> joe {3}", "< + go on", "> xyz", "< z OK"}
	for _, tt := range []struct {
		name   string
		change func([]string) []string
		want   string // in the error, "" for none
	}{
		{"as recorded", func(l []string) []string { return l }, ""},
		{"another command", func(l []string) []string { l[2] = "> y UID FETCH 1:3 (BODY.PEEK[] UID FLAGS)"; return l[:3] }, "f:4: "},
		{"one word less", func(l []string) []string { l[2] = "> y UID FETCH 1:2 (BODY.PEEK[] UID)"; return l[:3] }, "f:4: "},
		{"leaves early", func(l []string) []string { return l[:8] }, "f:10: "},
		{"says nothing", func(l []string) []string { return nil }, "f:2: "},
		{"within a command", func(l []string) []string { l[10] = "> jim {3}"; return l[:11] }, "f:12: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := session.Parse("f", []byte(session1))
			if err != nil {
				t.Fatal(err)
			}
			p := session.NewPlayer(s, nil)
			conn, err := p.Dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			d := newDriver(t, conn)
			d.hear("* OK ready")
			for _, l := range tt.change(append([]string{}, good...)) {
				if text, ok := strings.CutPrefix(l, "> "); ok {
					d.say(text)
				} else if tt.want == "" {
					d.hear(l[2:])
				}
			}
			conn.Close()
			err = p.Done()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
				t.Fatalf("Done = %v, want %q", err, tt.want)
			}
		})
	}
}

// What is within a message that the client sends is no command, and what
// follows a refusal is one.
func TestPlayerUploads(t *testing.T) {
	for name, tt := range map[string]struct {
		script string
		say    []string
	}{
		"lines like commands": {"S: * OK\nC: a1 APPEND x {20}\nS: + go\nC: a2 NOOP\nC: a3 NOOP\nC: \nS: a1 OK\nC: a2 NOOP\nS: a2 OK\n",
			[]string{"> x1 APPEND x {20}", "< + go", "> a2 NOOP", "> a3 NOOP", "> ", "< x1 OK", "> x2 NOOP", "< x2 OK"}},
		"octets, whichever": {"S: * OK\nC: a1 APPEND x {20+}\nC*: 20\nC: )\nS: a1 OK\nC: a2 NOOP\nS: a2 OK\n",
			[]string{"> x1 APPEND x {20+}", "> 12345678\n.01234567", "> )", "< x1 OK", "> x2 NOOP", "< x2 OK"}},
		"refused": {"S: * OK\nC: a1 APPEND x {20}\nS: a1 NO\nC: a2 NOOP\nS: a2 OK\n",
			[]string{"> x1 APPEND x {20}", "< x1 NO", "> x2 NOOP", "< x2 OK"}},
		"refused late": {"S: * OK\nC: a1 APPEND x {9+}\nS: a1 NO\nC: a2 NOOP\nC: \nC: a2 NOOP\nS: a2 OK\n",
			[]string{"> x1 APPEND x {9+}", "< x1 NO", "> a2 NOOP", "> ", "> x2 NOOP", "< x2 OK"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := session.Parse("f", []byte(tt.script))
			if err != nil {
				t.Fatal(err)
			}
			p := session.NewPlayer(s, nil)
			conn, err := p.Dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			d := newDriver(t, conn)
			d.hear("* OK")
			for _, l := range tt.say {
				if text, ok := strings.CutPrefix(l, "> "); ok {
					d.say(text)
				} else {
					d.hear(l[2:])
				}
			}
			conn.Close()
			if err := p.Done(); err != nil {
				t.Error(err)
			}
		})
	}
	s, err := session.Parse("f", []byte("S: +OK\nC*: 20\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := session.NewPlayer(s, nil)
	conn, err := p.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	conn.Write([]byte("too few"))
	conn.Close()
	if err := p.Done(); err == nil || !strings.HasPrefix(err.Error(), "f:2: ") {
		t.Errorf("too few octets: %v", err)
	}
}

func TestPlayerEnds(t *testing.T) {
	parse := func(text string) *session.Player {
		s, err := session.Parse("f", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return session.NewPlayer(s, nil)
	}
	p := parse("S: +OK\n")
	conn, _ := p.Dial(t.Context(), "", "")
	conn.Write([]byte("DELE 1\r\n"))
	if err := p.Done(); err == nil || !strings.Contains(err.Error(), "DELE 1") {
		t.Errorf("a client that says more: %v", err)
	}
	p = parse("S: +OK\n")
	if _, err := p.Dial(t.Context(), "", ""); err != nil {
		t.Fatal(err)
	}
	if err := p.Done(); err == nil || !strings.Contains(err.Error(), "open") {
		t.Errorf("a client that does not close: %v", err)
	}
	p = parse("S: +OK\n= CONNECT\nS: +OK\n")
	conn, _ = p.Dial(t.Context(), "", "")
	conn.Close()
	if err := p.Done(); err == nil || !strings.Contains(err.Error(), "2 connections") {
		t.Errorf("a client that does not come again: %v", err)
	}
	p = parse("S: +OK\n")
	conn, _ = p.Dial(t.Context(), "", "")
	if _, err := p.Dial(t.Context(), "", ""); err == nil {
		t.Error("a connection too many is made")
	}
	conn.Close()
	if err := p.Done(); err == nil {
		t.Error("a connection too many is no departure")
	}
}

func TestMatching(t *testing.T) {
	for _, tt := range []struct {
		want, got string
		same      bool
	}{
		{"NOOP", "noop", true},
		{`SELECT INBOX`, `SELECT "INBOX"`, true},
		{`SELECT "a b"`, `SELECT "a B"`, false},
		{"STORE 1 (\\Seen x)", "STORE 1 (X \\Seen)", true},
		{"STORE 1 (\\Seen x)", "STORE 1 (\\Seen)", false},
		{"FETCH 1 (A B[C (D E)] F)", "FETCH 1 (F B[C (D E)] A)", true},
		{"PASS ***", "PASS a b c", true},
		{"PASS ***", "PASS", false},
		{"a … c … e", "a b c d e", true},
		{"a … c … e", "a b d e", false},
		{"RETR 1", "RETR 2", false},
		{`LIST "" "*"`, `LIST "" *`, false}, // a wildcard that is quoted is one all the same, but not to all servers
	} {
		s, err := session.Parse("f", []byte("S: +OK\nC: "+tt.want+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		p := session.NewPlayer(s, nil)
		conn, _ := p.Dial(t.Context(), "", "")
		conn.Write([]byte(tt.got + "\r\n"))
		conn.Close()
		if err := p.Done(); (err == nil) != tt.same {
			t.Errorf("%q is like %q: %v", tt.got, tt.want, err)
		}
	}
}
