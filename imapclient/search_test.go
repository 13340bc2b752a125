package imapclient_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

func TestSearch(t *testing.T) {
	count := &imapclient.SearchOptions{CountOnly: true}
	first := &imapclient.SearchOptions{First: 1, Last: 2}
	last := &imapclient.SearchOptions{First: -1, Last: -2}
	second := &imapclient.SearchOptions{First: -2, Last: -2}
	const found = " 4 messages, 2 to 9"
	for _, tt := range []struct {
		name, extensions string
		o                *imapclient.SearchOptions
		script           []string
		want             string
	}{
		{"plain", "", nil, []string{"C: a1 UID SEARCH ALL", "S: * SEARCH 9 2 3 4", "S: a1 OK"}, "2:4,9" + found},
		{"plain, twice, with a space", "", nil, []string{"C: a1 UID SEARCH ALL", "S: * SEARCH 9 2 ", "S: * 5 EXISTS", "S: * search 3 4 4 2 0", "S: a1 OK"}, "2:4,9" + found},
		{"plain, nothing", "", nil, []string{"C: a1 UID SEARCH ALL", "S: * SEARCH", "S: a1 OK"}, " 0 messages, 0 to 0"},
		{"plain, silence", "", nil, []string{"C: a1 UID SEARCH ALL", "S: a1 OK"}, " 0 messages, 0 to 0"},
		{"plain, the first", "", first, []string{"C: a1 UID SEARCH ALL", "S: * SEARCH 2 3 4 9", "S: a1 OK"}, "2:3" + found},
		{"plain, the last", "", last, []string{"C: a1 UID SEARCH ALL", "S: * SEARCH 2 3 4 9", "S: a1 OK"}, "4,9" + found},
		{"plain, the last but one", "", second, []string{"C: a1 UID SEARCH ALL", "S: * SEARCH 2 3 4 9", "S: a1 OK"}, "4" + found},
		{"plain, beyond the end", "", &imapclient.SearchOptions{First: -4, Last: -9}, []string{"C: a1 UID SEARCH ALL", "S: * SEARCH 2 3 4 9", "S: a1 OK"}, "2" + found},
		{"plain, all beyond the end", "", &imapclient.SearchOptions{First: 5, Last: 9}, []string{"C: a1 UID SEARCH ALL", "S: * SEARCH 2 3 4 9", "S: a1 OK"}, found},
		{"plain, all before the beginning", "", &imapclient.SearchOptions{First: -5, Last: -9}, []string{"C: a1 UID SEARCH ALL", "S: * SEARCH 2 3 4 9", "S: a1 OK"}, found},
		{"plain, count", "", count, []string{"C: a1 UID SEARCH ALL", "S: * SEARCH 2 3 4 9", "S: a1 OK"}, found},
		{"extended", "ESEARCH", nil, []string{"C: a1 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A1") UID ALL 9,2:4`, "S: a1 OK"}, "2:4,9" + found},
		{"extended, backwards, twice, touching", "ESEARCH", nil, []string{"C: a1 UID SEARCH RETURN (ALL) ALL", `S: * esearch (tag "A1") uid all 4:3,9,2,3:4`, "S: a1 OK"}, "2:4,9" + found},
		{"extended, nothing", "IMAP4rev2", nil, []string{"C: a1 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A1") UID`, "S: a1 OK"}, " 0 messages, 0 to 0"},
		{"extended, unknown items", "ESEARCH", nil, []string{"C: a1 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A1") UID X-NEW (a (b)) RELEVANCY (4 99) ALL 2:4,9 ADDTO (0 1:2)`, "S: a1 OK"}, "2:4,9" + found},
		{"extended, another's", "ESEARCH", nil, []string{"C: a1 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "B7") UID ALL 77`, `S: * ESEARCH (TAG "A1") UID ALL 2:4,9`, "S: a1 OK"}, "2:4,9" + found},
		// QUIRK: some servers answer with the old response.
		{"extended, answered plainly", "ESEARCH", nil, []string{"C: a1 UID SEARCH RETURN (ALL) ALL", "S: * SEARCH 2 3 4 9", "S: a1 OK"}, "2:4,9" + found},
		{"extended, count", "ESEARCH", count, []string{"C: a1 UID SEARCH RETURN (MIN MAX COUNT) ALL", `S: * ESEARCH (TAG "A1") UID MIN 2 MAX 9 COUNT 4`, "S: a1 OK"}, found},
		{"extended, count of nothing", "ESEARCH", count, []string{"C: a1 UID SEARCH RETURN (MIN MAX COUNT) ALL", `S: * ESEARCH (TAG "A1") UID COUNT 0`, "S: a1 OK"}, " 0 messages, 0 to 0"},
		{"extended, count, answered plainly", "ESEARCH", count, []string{"C: a1 UID SEARCH RETURN (MIN MAX COUNT) ALL", "S: * SEARCH 2 3 4 9", "S: a1 OK"}, found},
		{"extended, ALL is left out", "ESEARCH", nil, []string{"C: a1 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A1") UID COUNT 4`, "S: a1 OK", "C: a2 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A2") UID ALL 2:4,9`, "S: a2 OK"}, "2:4,9" + found},
		// QUIRK: iCloud.
		{"extended, no MIN and MAX", "ESEARCH", count, []string{"C: a1 UID SEARCH RETURN (MIN MAX COUNT) ALL", `S: * ESEARCH (TAG "A1") UID COUNT 4`, "S: a1 OK",
			"C: a2 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A2") UID ALL 2:4,9`, "S: a2 OK"}, found},
		{"extended, no answer", "ESEARCH", count, []string{"C: a1 UID SEARCH RETURN (MIN MAX COUNT) ALL", "S: a1 OK",
			"C: a2 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A2") UID ALL 2:4,9`, "S: a2 OK"}, found},
		{"partial", "ESEARCH PARTIAL", last, []string{"C: a1 UID SEARCH RETURN (MIN MAX COUNT PARTIAL -1:-2) ALL", `S: * ESEARCH (TAG "A1") UID PARTIAL (-1:-2 4,9) COUNT 4 MIN 2 MAX 9`, "S: a1 OK"}, "4,9" + found},
		{"partial, nothing", "ESEARCH PARTIAL", first, []string{"C: a1 UID SEARCH RETURN (MIN MAX COUNT PARTIAL 1:2) ALL", `S: * ESEARCH (TAG "A1") UID PARTIAL (1:2 NIL) COUNT 0`, "S: a1 OK"}, " 0 messages, 0 to 0"},
		{"partial by CONTEXT", "ESEARCH CONTEXT=SEARCH", first, []string{"C: a1 UID SEARCH RETURN (MIN MAX COUNT PARTIAL 1:2) ALL", `S: * ESEARCH (TAG "A1") UID PARTIAL (1:2 2:3) COUNT 4 MIN 2 MAX 9`, "S: a1 OK"}, "2:3" + found},
		{"not by CONTEXT", "ESEARCH CONTEXT=SEARCH", last, []string{"C: a1 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A1") UID ALL 2:4,9`, "S: a1 OK"}, "4,9" + found},
		{"partial, more than asked for", "ESEARCH PARTIAL", first, []string{"C: a1 UID SEARCH RETURN (MIN MAX COUNT PARTIAL 1:2) ALL", `S: * ESEARCH (TAG "A1") UID PARTIAL (1:2 2:4294967295) COUNT 4 MIN 2 MAX 9`, "S: a1 OK"}, "2:3" + found},
		{"partial, answered plainly", "ESEARCH PARTIAL", first, []string{"C: a1 UID SEARCH RETURN (MIN MAX COUNT PARTIAL 1:2) ALL", "S: * SEARCH 2 3 4 9", "S: a1 OK"}, "2:3" + found},
		{"partial, left out", "ESEARCH PARTIAL", first, []string{"C: a1 UID SEARCH RETURN (MIN MAX COUNT PARTIAL 1:2) ALL", `S: * ESEARCH (TAG "A1") UID COUNT 4 MIN 2 MAX 9`, "S: a1 OK",
			"C: a2 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A2") UID ALL 2:4,9`, "S: a2 OK"}, "2:3" + found},
		{"everything there can be", "ESEARCH", nil, []string{"C: a1 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A1") UID ALL 1:4294967295`, "S: a1 OK"}, "1:* 4294967295 messages, 1 to 4294967295"},
		{"everything, the last", "ESEARCH", last, []string{"C: a1 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A1") UID ALL 2:4294967295,4294967290:4294967295,1`, "S: a1 OK"}, "4294967294:4294967295 4294967295 messages, 1 to 4294967295"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := selected(t, tt.extensions, lines(tt.script...))
			r, err := c.Search(t.Context(), nil, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%v %d messages, %d to %d", r.UIDs, r.Count, r.Min, r.Max); got != tt.want {
				t.Errorf("found %s, want %s", got, tt.want)
			}
		})
	}
}

// Half an answer would mislead: it is an error, and the session goes on.
func TestSearchMalformed(t *testing.T) {
	for _, answer := range []string{
		"SEARCH 1 2 x", "SEARCH 1 -2", "SEARCH 1,2", "SEARCH 4294967296", "SEARCH (a", "SEARCH 1 (MODSEQ x)", "SEARCH 2 99999999999999999999",
		`ESEARCH (TAG "A1") UID ALL 0`, `ESEARCH (TAG "A1") UID ALL 1:*`, `ESEARCH (TAG "A1") UID ALL 1:`, `ESEARCH (TAG "A1") UID ALL`, `ESEARCH (TAG "A1") UID ALL ,`,
		`ESEARCH (TAG "A1") UID ALL 1:4294967296`, `ESEARCH (TAG "A1") UID MIN x`, `ESEARCH (TAG "A1") UID COUNT -1`, `ESEARCH (TAG "A1") UID PARTIAL 1:2 3`, `ESEARCH (TAG "A1") UID PARTIAL (1:2 3`,
		`ESEARCH (TAG "A1`, `ESEARCH (TAG "A1") UID X (`, `ESEARCH (TAG "A1") UID )`, `ESEARCH (TAG "A1") UID ` + strings.Repeat("(", 10_000),
	} {
		c := selected(t, "ESEARCH", lines("C: a1 UID SEARCH RETURN (ALL) ALL", "S: * SEARCH 5", "S: * "+answer, "S: a1 OK", "C: a2 NOOP", "S: a2 OK"))
		if r, err := c.Search(t.Context(), nil, nil); !errors.Is(err, imapclient.ErrProtocol) {
			t.Errorf("%.60s: %+v, %v", answer, r, err)
		}
		_, err := c.Noop(t.Context())
		wants(t, answer, err, nil)
	}
}

func TestSearchModSeq(t *testing.T) {
	q := &imapclient.Query{ModSeq: 620162338}
	c := selected(t, "CONDSTORE", lines("C: a1 UID SEARCH MODSEQ 620162338", "S: * SEARCH 2 5 6 (MODSEQ 917162500)", "S: a1 OK"))
	r, err := c.Search(t.Context(), q, nil)
	if err != nil || r.ModSeq != 917162500 || r.UIDs.String() != "2,5:6" {
		t.Errorf("Search = %+v, %v", r, err)
	}
	c = selected(t, "QRESYNC ESEARCH", lines("C: a1 UID SEARCH RETURN (ALL) MODSEQ 620162338", `S: * ESEARCH (TAG "A1") UID ALL 2 MODSEQ 5`, "S: a1 OK"))
	r, err = c.Search(t.Context(), q, nil)
	if err != nil || r.ModSeq != 5 || r.UIDs.String() != "2" {
		t.Errorf("Search = %+v, %v", r, err)
	}
}

// A set that is too long for a line is searched in parts; what the server says
// of others does not count.
func TestSearchLongSet(t *testing.T) {
	var uids []uint32
	for uid := uint32(100_001); uid < 104_001; uid += 2 {
		uids = append(uids, uid)
	}
	n := 0
	c, err := newScripted(t, func(line string) []string {
		n++
		tag, rest, _ := strings.Cut(line, " ")
		if len(line) > 8192 {
			t.Errorf("a line of %d octets", len(line))
		}
		numbers := strings.Split(strings.TrimSuffix(strings.TrimPrefix(rest, "UID SEARCH UID "), " SEEN"), ",")
		return []string{"* SEARCH 100002 7 " + strings.Join(numbers, " "), tag + " OK"}
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Search(t.Context(), &imapclient.Query{UIDs: set(uids...), Flags: []string{`\Seen`}}, &imapclient.SearchOptions{First: 2, Last: 3})
	if err != nil || n != 2 || int(r.Count) != len(uids) || r.Min != uids[0] || r.Max != uids[len(uids)-1] || !slices.Equal(slices.Collect(r.UIDs.Values()), uids[1:3]) {
		t.Errorf("%d commands, %+v, %v", n, r, err)
	}
}

func TestSearchCharset(t *testing.T) {
	q := &imapclient.Query{From: "j", Subject: "Grüße", Not: []imapclient.Query{{Body: "日"}}, Header: []imapclient.HeaderField{{"X", "ß"}}}
	narrow := &imapclient.Query{Subject: "Grüße", Flags: []string{`\Seen`}}
	latin := b64text("Gr\xfc\xdfe")
	for _, tt := range []struct {
		name, extensions string
		q                *imapclient.Query
		script           []string
		want             error
	}{
		{"literals, one after the other", "", q, []string{`C: a1 UID SEARCH CHARSET UTF-8 FROM "j" SUBJECT {7}`, "S: + go", "C64: " + b64text("Grüße"), `C:  HEADER "X" {2}`, "S: * 5 EXISTS", "S: +", "C64: " + b64text("ß"),
			"C:  NOT (BODY {3}", "S: + go", "C64: " + b64text("日"), "C: )", "S: * SEARCH 3", "S: a1 OK"}, nil},
		{"literals at once", "LITERAL-", q, []string{`C: a1 UID SEARCH CHARSET UTF-8 FROM "j" SUBJECT {7+}`, `C: Grüße HEADER "X" {2+}`, "C: ß NOT (BODY {3+}", "C: 日)", "S: * SEARCH 3", "S: a1 OK"}, nil},
		{"Latin-1 instead", "LITERAL+ ESEARCH", narrow, []string{"C: a1 UID SEARCH RETURN (ALL) CHARSET UTF-8 SEEN SUBJECT {7+}", "C: Grüße", `S: a1 NO [BADCHARSET (US-ASCII "iso-8859-1")] no`,
			"C: a2 UID SEARCH RETURN (ALL) CHARSET ISO-8859-1 SEEN SUBJECT {5+}", "C64: " + latin, "C: ", `S: * ESEARCH (TAG "A2") UID ALL 3`, "S: a2 OK"}, nil},
		{"Latin-1 instead, before the text", "", narrow, []string{"C: a1 UID SEARCH CHARSET UTF-8 SEEN SUBJECT {7}", `S: a1 NO [BADCHARSET (ISO-8859-1)] no`,
			"C: a2 UID SEARCH CHARSET ISO-8859-1 SEEN SUBJECT {5}", "S: + go", "C64: " + latin, "C: ", "S: * SEARCH 3", "S: a2 OK"}, nil},
		{"Latin-1 does not do", "LITERAL+", q, []string{"C: a1 UID SEARCH …", "C: …", "C: …", "C: …", "S: a1 NO [BADCHARSET (ISO-8859-1)] no"}, errors.ErrUnsupported},
		{"ASCII only", "LITERAL+", narrow, []string{"C: a1 UID SEARCH …", "C: …", "S: a1 NO [BADCHARSET (US-ASCII)] no"}, errors.ErrUnsupported},
		{"no word which", "LITERAL+", narrow, []string{"C: a1 UID SEARCH …", "C: …", "S: a1 NO [BADCHARSET] no"}, errors.ErrUnsupported},
		{"for another reason", "LITERAL+", narrow, []string{"C: a1 UID SEARCH …", "C: …", "S: a1 NO [SERVERBUG] no"}, imapclient.ErrUnavailable},
		{"OK ahead of the text", "", narrow, []string{"C: a1 UID SEARCH CHARSET UTF-8 SEEN SUBJECT {7}", "S: a1 OK done already"}, imapclient.ErrProtocol},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script := tt.script
			if tt.want != imapclient.ErrProtocol {
				script = append(script, "C: b1 NOOP", "S: b1 OK")
			}
			c := selected(t, tt.extensions, lines(script...))
			r, err := c.Search(t.Context(), tt.q, nil)
			if wants(t, "Search", err, tt.want); tt.want == nil && err == nil && r.UIDs.String() != "3" {
				t.Errorf("found %v", r.UIDs)
			}
			_, err = c.Noop(t.Context())
			wants(t, "Noop", err, map[bool]error{true: imapclient.ErrProtocol}[tt.want == imapclient.ErrProtocol])
		})
	}
}

// A server with SEARCHRES is asked in one round trip.
func TestMatching(t *testing.T) {
	const fetch = " (UID FLAGS INTERNALDATE RFC822.SIZE)"
	row := func(uid int) string {
		return fmt.Sprintf(`S: * %d FETCH (UID %d FLAGS () INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 5)`, uid, uid)
	}
	q := &imapclient.Query{Flags: []string{`\Seen`}}
	german := &imapclient.Query{Subject: "Grüße"}
	for _, tt := range []struct {
		name, extensions string
		q                *imapclient.Query
		script           []string
		trips            int64
		want             []uint32
		err              error
	}{
		{"two trips", "", q, []string{"C: a1 UID SEARCH SEEN", "S: * SEARCH 2 4", "S: a1 OK", "C: a2 UID FETCH 2,4" + fetch, row(2), "S: * 3 FETCH (UID 3 FLAGS (x))", row(4), "S: a2 OK"}, 2, []uint32{2, 4}, nil},
		{"two trips, nothing", "", q, []string{"C: a1 UID SEARCH SEEN", "S: * SEARCH", "S: a1 OK"}, 1, nil, nil},
		{"one trip", "SEARCHRES", q, []string{"C: a1 UID SEARCH RETURN (SAVE) SEEN", "C: a2 UID FETCH $" + fetch, "S: a1 OK", row(2), "S: * 3 FETCH (UID 3 FLAGS (x))", row(4), "S: a2 OK"}, 1, []uint32{2, 4}, nil},
		{"one trip, refused", "SEARCHRES", q, []string{"C: a1 UID SEARCH RETURN (SAVE) SEEN", "C: a2 UID FETCH $" + fetch, "S: a1 NO [UNAVAILABLE] no", "S: a2 OK"}, 1, nil, imapclient.ErrUnavailable},
		{"one trip, both refused", "SEARCHRES", q, []string{"C: a1 UID SEARCH RETURN (SAVE) SEEN", "C: a2 UID FETCH $" + fetch, "S: a1 NO [UNAVAILABLE] no", "S: a2 BAD no set"}, 1, nil, imapclient.ErrUnavailable},
		{"another charset", "SEARCHRES LITERAL+", german, []string{"C: a1 UID SEARCH RETURN (SAVE) CHARSET UTF-8 SUBJECT {7+}", "C: Grüße", "C: a2 UID FETCH $" + fetch, "S: a1 NO [BADCHARSET (ISO-8859-1)] no", "S: a2 OK [X] nothing",
			"C: a3 UID SEARCH RETURN (SAVE) CHARSET ISO-8859-1 SUBJECT {5+}", "C64: " + b64text("Gr\xfc\xdfe"), "C: ", "C: a4 UID FETCH $" + fetch, "S: a3 OK", row(2), "S: a4 OK"}, 2, []uint32{2}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := selected(t, tt.extensions, lines(append(tt.script, "C: b1 NOOP", "S: b1 OK")...))
			before := c.Stats().RoundTrips
			var got []uint32
			var err error
			for s, e := range c.Matching(t.Context(), tt.q) {
				if err = e; e == nil {
					got = append(got, s.UID)
				}
			}
			if trips := c.Stats().RoundTrips - before; !slices.Equal(got, tt.want) || trips != tt.trips {
				t.Errorf("%v in %d round trips, want %v in %d", got, trips, tt.want, tt.trips)
			}
			wants(t, "Matching", err, tt.err)
			_, err = c.Noop(t.Context())
			wants(t, "Noop", err, nil)
		})
	}
}

// Leaving the loop leaves the session usable.
func TestMatchingBreak(t *testing.T) {
	c := selected(t, "SEARCHRES", lines("C: a1 UID SEARCH RETURN (SAVE) ALL", "C: a2 UID FETCH $ (UID FLAGS INTERNALDATE RFC822.SIZE)", "S: a1 OK",
		"S: * 1 FETCH (UID 1 RFC822.SIZE 5)", "S: * 2 FETCH (UID 2 RFC822.SIZE 5)", "S: a2 NO partly", "C: a3 NOOP", "S: a3 OK"))
	for s, err := range c.Matching(t.Context(), nil) {
		if err != nil || s.UID != 1 {
			t.Errorf("%+v, %v", s, err)
		}
		_, err = c.Noop(t.Context())
		wants(t, "Noop in the loop", err, imapclient.ErrBusy)
		break
	}
	_, err := c.Noop(t.Context())
	wants(t, "Noop", err, nil)
}
