package imapclient_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
)

// day is a date in the far east, where it is another day than in UTC.
func day(d int) time.Time {
	return time.Date(2026, 2, d, 1, 0, 0, 0, time.FixedZone("", 9*3600))
}

// set is a pointer to a set of UIDs.
func set(uids ...uint32) *imapclient.Set {
	s := imapclient.UIDs(uids...)
	return &s
}

func TestQuery(t *testing.T) {
	const extensions = "WITHIN CONDSTORE OBJECTID X-GM-EXT-1 LITERAL+"
	for _, tt := range []struct {
		name string
		q    *imapclient.Query
		want string
	}{
		{"nil", nil, "ALL"},
		{"zero", &imapclient.Query{}, "ALL"},
		{"set", &imapclient.Query{UIDs: set(5, 1, 2, 3)}, "UID 1:3,5"},
		{"flags", &imapclient.Query{Flags: []string{`\Seen`, `\deleted`, "$Junk", `\Odd`, `\Recent`}, NotFlags: []string{`\Answered`, `\Flagged`, `\Draft`, "$Junk", `\Recent`}},
			`SEEN DELETED KEYWORD $Junk KEYWORD \Odd RECENT UNANSWERED UNFLAGGED UNDRAFT UNKEYWORD $Junk NOT RECENT`},
		{"dates", &imapclient.Query{Since: day(1), Before: day(2), SentSince: day(3), SentBefore: day(14)},
			"SINCE 1-Feb-2026 BEFORE 2-Feb-2026 SENTSINCE 3-Feb-2026 SENTBEFORE 14-Feb-2026"},
		{"ages", &imapclient.Query{Younger: time.Hour, Older: 90 * time.Second}, "YOUNGER 3600 OLDER 90"},
		{"sizes", &imapclient.Query{Larger: 1, Smaller: 1 << 40}, "LARGER 1 SMALLER 1099511627776"},
		{"text", &imapclient.Query{From: "a", To: "b c", Cc: `d"e\f`, Bcc: "g)", Subject: "{3}", Body: "NIL", Text: "*"},
			`FROM "a" TO "b c" CC "d\"e\\f" BCC "g)" SUBJECT "{3}" BODY "NIL" TEXT "*"`},
		{"fields", &imapclient.Query{Header: []imapclient.HeaderField{{"X-A", ""}, {`X"B`, "x"}}}, `HEADER "X-A" "" HEADER "X\"B" "x"`},
		{"extensions", &imapclient.Query{ModSeq: 1<<63 - 1, EmailID: "M6d9-9", ThreadID: "T_1", GmailRaw: "has:attachment"},
			`MODSEQ 9223372036854775807 EMAILID M6d9-9 THREADID T_1 X-GM-RAW "has:attachment"`},
		{"nested", &imapclient.Query{
			All: []imapclient.Query{{Flags: []string{`\Seen`}}, {}},
			Any: []imapclient.Query{{From: "a"}, {From: "b", To: "c"}, {Not: []imapclient.Query{{UIDs: set()}}}},
			Not: []imapclient.Query{{Subject: "x"}, {Body: "y"}},
		}, `(SEEN) (ALL) OR (FROM "a") OR (FROM "b" TO "c") (NOT (NOT ALL)) NOT (SUBJECT "x") NOT (BODY "y")`},
		{"one of one", &imapclient.Query{Any: []imapclient.Query{{From: "a"}}}, `(FROM "a")`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			c, err := newScripted(t, func(line string) []string {
				tag, rest, _ := strings.Cut(line, " ")
				if rest == "CAPABILITY" {
					return []string{"* CAPABILITY IMAP4rev1 " + extensions, tag + " OK"}
				}
				got = strings.TrimPrefix(rest, "UID SEARCH ")
				return []string{"* SEARCH", tag + " OK [CAPABILITY IMAP4rev1 " + extensions + "]"}
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Search(t.Context(), nil, nil) // learns the extensions
			wants(t, "Search", err, nil)
			_, err = c.Search(t.Context(), tt.q, nil)
			if wants(t, "Search", err, nil); got != tt.want {
				t.Errorf("sent %s\nwant %s", got, tt.want)
			}
		})
	}
}

// What cannot be written is refused, and so is what the server does not have;
// nothing is sent.
func TestQueryRefused(t *testing.T) {
	c := selected(t, "", "")
	before := c.Stats().Out
	deep := imapclient.Query{}
	for range 200 {
		deep = imapclient.Query{Not: []imapclient.Query{deep}}
	}
	circle := make([]imapclient.Query, 1)
	circle[0].Any = circle
	for name, q := range map[string]imapclient.Query{
		"CR LF":              {Subject: "a\r\nb1 DELETE INBOX"},
		"LF in a field":      {Header: []imapclient.HeaderField{{"X", "a\nb"}}},
		"NUL":                {Body: "a\x00b"},
		"CR in Gmail's":      {GmailRaw: "a\rb"},
		"not UTF-8":          {Text: "a\xffb"},
		"not UTF-8, nested":  {Any: []imapclient.Query{{All: []imapclient.Query{{Not: []imapclient.Query{{To: "\xff"}}}}}}},
		"flag with a space":  {Flags: []string{"a b"}},
		"flag with CR LF":    {NotFlags: []string{"a\r\nb"}},
		"no flag":            {Flags: []string{""}},
		"wildcard":           {Flags: []string{`\*`}},
		"field with a colon": {Header: []imapclient.HeaderField{{"a:b", ""}}},
		"field with a space": {Header: []imapclient.HeaderField{{"a b", ""}}},
		"no field":           {Header: []imapclient.HeaderField{{"", "x"}}},
		"an ID with a space": {EmailID: "a b"},
		"an ID with CR LF":   {ThreadID: "a\r\nb"},
		"a long ID":          {ThreadID: strings.Repeat("x", 256)},
		"no size":            {Larger: -1},
		"no age":             {Older: time.Millisecond},
		"an age before time": {Younger: -time.Hour},
		"year 10000":         {Since: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"too deep":           deep,
		"a circle":           circle[0],
	} {
		if _, err := c.Search(t.Context(), &q, nil); err == nil || errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, q := range map[string]imapclient.Query{
		"WITHIN":     {Older: time.Hour},
		"CONDSTORE":  {ModSeq: 5},
		"OBJECTID":   {EmailID: "x"},
		"X-GM-EXT-1": {Not: []imapclient.Query{{GmailRaw: "x"}}},
	} {
		_, err := c.Search(t.Context(), &q, nil)
		wants(t, name, err, errors.ErrUnsupported)
		for _, err := range c.Matching(t.Context(), &q) {
			wants(t, name, err, errors.ErrUnsupported)
		}
	}
	bad := []imapclient.SearchOptions{{First: 1}, {Last: 1}, {First: 2, Last: 1}, {First: -2, Last: -1}, {First: 1, Last: -1}}
	if beyond := int64(math.MaxUint32) + 1; int64(int(beyond)) == beyond { // not where int has 32 bits
		bad = append(bad, imapclient.SearchOptions{First: 1, Last: int(beyond)})
	}
	for _, o := range bad {
		if _, err := c.Search(t.Context(), nil, &o); err == nil {
			t.Errorf("%+v is no error", o)
		}
	}
	// The empty set matches nothing, without a question.
	r, err := c.Search(t.Context(), &imapclient.Query{UIDs: set()}, nil)
	if err != nil || r.Count != 0 {
		t.Errorf("in the empty set there is %+v, %v", r, err)
	}
	if c.Stats().Out != before {
		t.Errorf("%d octets were written", c.Stats().Out-before)
	}
}
