package imapclient_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/postbag/imapclient"
)

// said returns a client, with INBOX selected, of a server that says something
// whatever it hears: in one piece, or octet by octet.
func said(t *testing.T, text string, drip bool) *imapclient.Client {
	t.Helper()
	var r io.Reader = strings.NewReader("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\nT1 OK\r\n" + text)
	if drip {
		r = iotest.OneByteReader(r)
	}
	c, err := imapclient.New(t.Context(), octets{r}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Select(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	return c
}

// The faults of the catalogue (shared/research/tools.md, section 9) that
// concern FETCH, by their numbers. F109 to F118 that concern any response are
// in TestBounds, FuzzSession and FuzzFetch too.
func TestFetchFaults(t *testing.T) {
	size := imapclient.Items{Size: true, Flags: true}
	uids := func(got told) string {
		var s []string
		for _, i := range got.infos {
			s = append(s, fmt.Sprint(i.UID))
		}
		return strings.Join(s, " ")
	}
	const ok2, noop = "* 2 FETCH (UID 2 FLAGS () RFC822.SIZE 2)\r\nA1 OK\r\n", "A2 OK\r\n"

	t.Run("F67 expunge in between", func(t *testing.T) {
		c := said(t, "* 1 FETCH (BODY[] {2}\r\naa UID 1)\r\n* 1 EXPUNGE\r\n* 1 FETCH (BODY[] {2}\r\nbb UID 2)\r\n* 2 FETCH (FLAGS (x))\r\nA1 OK\r\n", false)
		if f := fetchAll(t, c, 1, 2, 3); f.bodies[1] != "aa" || f.bodies[2] != "bb" || !errors.Is(f.gone[3], imapclient.ErrGone) {
			t.Errorf("%+v", f)
		}
		// Flags of what was message 1 are not those of what is message 1.
		c = said(t, "* 1 FETCH (FLAGS (old))\r\n* 1 EXPUNGE\r\n* 1 FETCH (UID 2 FLAGS (new) RFC822.SIZE 2)\r\nA1 OK\r\n", false)
		if got := fetchInfos(t, c, imapclient.All(), size); uids(got) != "2" || fmt.Sprint(got.infos[0].Flags) != "[new]" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("F68 nothing instead of a body", func(t *testing.T) {
		for _, body := range []string{"NIL", "", `""`, "{0}\r\n"} {
			c := said(t, "* 1 FETCH (UID 1 RFC822.SIZE 9 BODY[] "+body+")\r\nA1 OK\r\n", false)
			if f := fetchAll(t, c, 1); len(f.bodies) > 0 || f.gone[1] == nil || f.last != nil {
				t.Errorf("%q: %+v", body, f)
			}
		}
	})
	t.Run("F69 others, and out of order", func(t *testing.T) {
		c := said(t, "* 9 FETCH (UID 9 FLAGS (x))\r\n* 3 FETCH (UID 3 FLAGS () RFC822.SIZE 3)\r\n* 1 FETCH (FLAGS (y))\r\n* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 1)\r\n"+ok2, false)
		if got := fetchInfos(t, c, imapclient.UIDs(1, 2, 3), size); uids(got) != "3 1 2" || got.last != nil {
			t.Errorf("%+v", got)
		}
	})
	t.Run("F70 the last message whatever was asked", func(t *testing.T) {
		c := said(t, "* 3 FETCH (UID 3 FLAGS () RFC822.SIZE 3)\r\nA1 OK\r\n", false)
		if got := fetchInfos(t, c, imapclient.Range(10, 1<<32-1), size); len(got.infos) > 0 || got.last != nil {
			t.Errorf("%+v", got)
		}
	})
	t.Run("F71 odd UIDs", func(t *testing.T) {
		c := said(t, "* 1 FETCH (UID 0 FLAGS () RFC822.SIZE 1)\r\n* 2 FETCH (UID 2147483648 FLAGS () RFC822.SIZE 1)\r\n* 3 FETCH (UID 4294967295 FLAGS () RFC822.SIZE 1)\r\n* 4 FETCH (UID 4294967296 FLAGS () RFC822.SIZE 1)\r\nA1 OK\r\nA2 OK\r\n", false)
		if got := fetchInfos(t, c, imapclient.All(), size); uids(got) != "2147483648 4294967295" || got.last != nil {
			t.Errorf("%+v", got)
		}
	})
	t.Run("F74 the line is cut", func(t *testing.T) {
		whole := "* 1 FETCH (UID 1 RFC822.SIZE 4 BODY[] {4}\r\nbody FLAGS (x))\r\nA1 OK\r\n"
		for n := range len(whole) {
			c := said(t, whole[:n], false)
			f := fetchAll(t, c, 1)
			if body, got := f.bodies[1]; got && (body != "body" || n < strings.Index(whole, " FLAGS")) {
				t.Errorf("cut at %d: %+v", n, f)
			}
			if f.last == nil {
				t.Errorf("cut at %d: no error", n)
			}
		}
	})
	t.Run("F75 twice", func(t *testing.T) {
		row := "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 1 BODY[] {1}\r\na)\r\n"
		if f := fetchAll(t, said(t, row+row+"A1 OK\r\n", false), 1, 1); f.bodies[1] != "a" || f.last != nil {
			t.Errorf("%+v", f)
		}
		if got := fetchInfos(t, said(t, row+row+"A1 OK\r\n", false), imapclient.All(), size); uids(got) != "1" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("F86 EXISTS that cannot be", func(t *testing.T) {
		c := said(t, "* 1 EXISTS\r\n* 4000000000 EXISTS\r\n* 99999999999 EXISTS\r\n"+ok2+noop, false)
		if got := fetchInfos(t, c, imapclient.All(), size); uids(got) != "2" || got.last != nil {
			t.Errorf("%+v", got)
		}
	})
	t.Run("F109 literals", func(t *testing.T) {
		for _, tt := range []struct{ literal, want string }{
			{"{4294967295}\r\nabc", ""}, {"{-1}\r\nabc", ""}, {"{18446744073709551616}\r\nabc", ""}, {"{3}", ""}, {"{3}abc", ""},
			{"{3+}\r\nabc", "abc"}, {"~{3}\r\nabc", "abc"}, {"{003}\r\nabc", "abc"}, {"{0}\r\n", ""},
		} {
			f := fetchAll(t, said(t, "* 1 FETCH (UID 1 RFC822.SIZE 3 BODY[] "+tt.literal+")\r\nA1 OK\r\n", false), 1)
			if f.bodies[1] != tt.want || tt.want == "" && (len(f.bodies) > 0 || f.last == nil && f.gone[1] == nil) {
				t.Errorf("%q: %+v", tt.literal, f)
			}
		}
	})
	t.Run("F110 a million", func(t *testing.T) {
		for name, value := range map[string]string{
			"parentheses":    strings.Repeat("(", 1_000_000),
			"literals":       "(" + strings.Repeat("{1}\r\na ", 1_000_000) + ")",
			"response codes": "NIL)\r\n" + strings.Repeat("* OK [X]\r\n", 1_000_000) + "* 3 FETCH (UID 3",
			"brackets":       "BODY[HEADER.FIELDS (X) NIL",
		} {
			c := said(t, "* 1 FETCH (UID 1 RFC822.SIZE 1 FLAGS () ENVELOPE "+value+")\r\n"+ok2+strings.Repeat("A2 OK\r\nA3 OK\r\n", 1), false)
			got := fetchInfos(t, c, imapclient.UIDs(1, 2), imapclient.Items{Flags: true, Size: true, Envelope: true})
			if got.last != nil || !strings.Contains(uids(got), "2") {
				t.Errorf("%s: %s, %v", name, uids(got), got.last)
			}
		}
	})
	t.Run("F111 answers that nobody waits for", func(t *testing.T) {
		for _, tt := range []string{"ZZ OK\r\n", "+ go on\r\n"} {
			if got := fetchInfos(t, said(t, tt+ok2, false), imapclient.All(), size); !errors.Is(got.last, imapclient.ErrProtocol) {
				t.Errorf("%q: %+v", tt, got)
			}
		}
		c := said(t, ok2+"A1 OK\r\nA2 OK\r\n", false)
		if got := fetchInfos(t, c, imapclient.All(), size); got.last != nil {
			t.Errorf("%+v", got)
		}
		if _, err := c.Noop(t.Context()); !errors.Is(err, imapclient.ErrProtocol) {
			t.Errorf("two OKs: Noop = %v", err)
		}
	})
	t.Run("F113 another protocol", func(t *testing.T) {
		for _, text := range []string{"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-x\r\n", "220 smtp\r\n", "\x00\x01\x02\r\n", "\x16\x03\x01\x00\r\n"} {
			if got := fetchInfos(t, said(t, text, false), imapclient.All(), size); got.last == nil {
				t.Errorf("%q: %+v", text, got)
			}
		}
	})
	t.Run("F116 octet by octet", func(t *testing.T) {
		const row = "* 1 FETCH (UID 1 FLAGS (a b) RFC822.SIZE 3 ENVELOPE ({3}\r\nd d {4}\r\ns\"ub NIL) BODYSTRUCTURE (\"text\" {5}\r\nplain (\"a\" \"b\"))"
		var shown [2]string
		for i, drip := range []bool{false, true} {
			c := said(t, row+")\r\nA1 OK\r\n"+row+" BODY[] {3}\r\nabc)\r\nA2 OK\r\n", drip)
			got := fetchInfos(t, c, imapclient.UIDs(1), imapclient.Items{Flags: true, Size: true, Envelope: true, Structure: true})
			shown[i] = fmt.Sprint(got.infos[0].Flags, shownEnvelope(got), outline(got.infos[0].Structure), fetchAll(t, c, 1).bodies)
		}
		if shown[0] != shown[1] || !strings.Contains(shown[0], "abc") {
			t.Errorf("%q and %q", shown[0], shown[1])
		}
	})
}

func shownEnvelope(got told) string { return shown(got.infos[0].Envelope) }

// A body that holds what looks like the end of everything is a body.
func TestBodyLikeResponses(t *testing.T) {
	body := []byte("A1 OK done\r\n* BYE\r\n)\r\n* 2 FETCH (UID 2 BODY[] {3}\r\nabc)\r\n+ \r\n\r\n")
	c := said(t, fmt.Sprintf("* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\nA1 OK\r\n", len(body), body), true)
	var got bytes.Buffer
	for m, err := range c.Bodies(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.WriteTo(&got); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got.Bytes(), body) {
		t.Errorf("%q", got.Bytes())
	}
}
