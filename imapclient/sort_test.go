package imapclient_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

func TestSort(t *testing.T) {
	by := []imapclient.SortBy{{Key: imapclient.SortDate, Reverse: true}, {Key: imapclient.SortSubject}}
	display := []imapclient.SortBy{{Key: imapclient.SortDisplayFrom}}
	for _, tt := range []struct {
		name, extensions string
		q                *imapclient.Query
		o                *imapclient.SortOptions
		script           []string
		want             string
	}{
		{"by arrival", "SORT", nil, nil, []string{"C: a1 UID SORT (ARRIVAL) UTF-8 ALL", "S: * SORT 5 3 4 1 2 ", "S: a1 OK"}, "[5 3 4 1 2]"},
		{"by others", "SORT", &imapclient.Query{Flags: []string{`\Seen`}}, &imapclient.SortOptions{By: by}, []string{"C: a1 UID SORT (REVERSE DATE SUBJECT) UTF-8 SEEN", "S: * SORT", "S: a1 OK"}, "[]"},
		{"by name", "SORT SORT=DISPLAY", nil, &imapclient.SortOptions{By: display}, []string{"C: a1 UID SORT (DISPLAYFROM) UTF-8 ALL", "S: * SORT 2 (MODSEQ 7)", "S: a1 OK"}, "[2]"},
		{"text", "SORT LITERAL+", &imapclient.Query{Subject: "ü"}, nil, []string{"C: a1 UID SORT (ARRIVAL) UTF-8 SUBJECT {2+}", "C: ü", "S: * SORT 2", "S: a1 OK"}, "[2]"},
		{"US-ASCII", "SORT", nil, nil, []string{"C: a1 UID SORT (ARRIVAL) UTF-8 ALL", "S: a1 NO [BADCHARSET (US-ASCII)] no", "C: a2 UID SORT (ARRIVAL) US-ASCII ALL", "S: * SORT 2 1", "S: a2 OK"}, "[2 1]"},
		{"the first two", "SORT", nil, &imapclient.SortOptions{First: 1, Last: 2}, []string{"C: a1 UID SORT (ARRIVAL) UTF-8 ALL", "S: * SORT 5 3 4", "S: a1 OK"}, "[5 3]"},
		{"the last two", "SORT", nil, &imapclient.SortOptions{First: -1, Last: -2}, []string{"C: a1 UID SORT (ARRIVAL) UTF-8 ALL", "S: * SORT 5 3 4", "S: a1 OK"}, "[3 4]"},
		{"beyond both ends", "SORT", nil, &imapclient.SortOptions{First: -4, Last: -9}, []string{"C: a1 UID SORT (ARRIVAL) UTF-8 ALL", "S: * SORT 5 3 4", "S: a1 OK"}, "[]"},
		{"beyond the end", "SORT", nil, &imapclient.SortOptions{First: 2, Last: 9}, []string{"C: a1 UID SORT (ARRIVAL) UTF-8 ALL", "S: * SORT 5 3 4", "S: a1 OK"}, "[3 4]"},
		{"a window", "SORT ESORT PARTIAL", nil, &imapclient.SortOptions{First: 1, Last: 3}, []string{"C: a1 UID SORT RETURN (PARTIAL 1:3) (ARRIVAL) UTF-8 ALL", `S: * ESEARCH (TAG "A1") UID PARTIAL (1:3 9,3:4)`, "S: a1 OK"}, "[9 3 4]"},
		{"an empty window", "SORT ESORT CONTEXT=SORT", nil, &imapclient.SortOptions{First: 1, Last: 3}, []string{"C: a1 UID SORT RETURN (PARTIAL 1:3) (ARRIVAL) UTF-8 ALL", `S: * ESEARCH (TAG "A1") UID PARTIAL (1:3 NIL)`, "S: a1 OK"}, "[]"},
		{"a window without bounds", "SORT ESORT PARTIAL", nil, &imapclient.SortOptions{First: 1, Last: 3}, []string{"C: a1 UID SORT RETURN (PARTIAL 1:3) (ARRIVAL) UTF-8 ALL", `S: * ESEARCH (TAG "A1") UID PARTIAL (1:3 5:4294967295)`, "S: a1 OK"}, "[5 6 7]"},
		{"a window, answered plainly", "SORT ESORT PARTIAL", nil, &imapclient.SortOptions{First: 2, Last: 3}, []string{"C: a1 UID SORT RETURN (PARTIAL 2:3) (ARRIVAL) UTF-8 ALL", "S: * SORT 9 8 7 6", "S: a1 OK",
			"C: a2 UID SORT (ARRIVAL) UTF-8 ALL", "S: * SORT 9 8 7 6", "S: a2 OK"}, "[8 7]"},
		{"nothing asked", "SORT", &imapclient.Query{UIDs: set()}, nil, nil, "[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := selected(t, tt.extensions, lines(tt.script...))
			uids, err := c.Sort(t.Context(), tt.q, tt.o)
			if err != nil || fmt.Sprint(uids) != tt.want {
				t.Errorf("Sort = %v, %v, want %s", uids, err, tt.want)
			}
		})
	}
}

func TestSortRefused(t *testing.T) {
	c := selected(t, "SORT THREAD=ORDEREDSUBJECT", "")
	before := c.Stats().Out
	_, err := c.Sort(t.Context(), nil, &imapclient.SortOptions{By: []imapclient.SortBy{{Key: imapclient.SortDisplayTo}}})
	wants(t, "SORT=DISPLAY", err, errors.ErrUnsupported)
	_, err = c.Threads(t.Context(), "", nil)
	wants(t, "THREAD=REFERENCES", err, errors.ErrUnsupported)
	for _, key := range []imapclient.SortKey{"", "DATE) UTF-8 ALL\r\nb1 EXPUNGE", "date"} {
		if _, err := c.Sort(t.Context(), nil, &imapclient.SortOptions{By: []imapclient.SortBy{{Key: key}}}); err == nil {
			t.Errorf("the key %q is no error", key)
		}
	}
	if _, err := c.Threads(t.Context(), "a\r\nb1 EXPUNGE", nil); err == nil {
		t.Error("a bad algorithm is no error")
	}
	if c.Stats().Out != before {
		t.Error("something was written")
	}
	c = selected(t, "", "")
	_, err = c.Sort(t.Context(), nil, nil)
	wants(t, "SORT", err, errors.ErrUnsupported)
	for _, q := range []imapclient.Query{{ModSeq: 5}, {Not: []imapclient.Query{{EmailID: "x"}}}} {
		_, err = c.Sort(t.Context(), &q, nil)
		wants(t, "Sort", err, errors.ErrUnsupported)
		_, err = c.Threads(t.Context(), "", &q)
		wants(t, "Threads", err, errors.ErrUnsupported)
	}
	if _, err := c.Sort(t.Context(), nil, &imapclient.SortOptions{First: 2, Last: 1}); err == nil || errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("from 2 to 1: %v", err)
	}
}

func TestThreads(t *testing.T) {
	for _, tt := range []struct{ name, answer, want string }{
		{"RFC 5256", "(2)(3 6 (4 23)(44 7 96))", "0:2 0:3 1:6 2:4 3:23 2:44 3:7 4:96"},
		{"missing ones", "((3)(5)) (1 ((7)(8 9)))", "0:0 1:3 1:5 0:1 1:0 2:7 2:8 3:9"},
		{"one", "(1)", "0:1"},
		{"nothing", "", ""},
	} {
		c := selected(t, "THREAD=REFERENCES", lines("C: a1 UID THREAD REFERENCES UTF-8 SEEN", "S: * THREAD "+tt.answer, "S: a1 OK"))
		threads, err := c.Threads(t.Context(), "references", &imapclient.Query{Flags: []string{`\Seen`}})
		var got []string
		for _, m := range threads {
			got = append(got, fmt.Sprintf("%d:%d", m.Level, m.UID))
		}
		if s := strings.Join(got, " "); err != nil || s != tt.want {
			t.Errorf("%s: %s, %v, want %s", tt.name, s, err, tt.want)
		}
	}
}

func TestThreadsMalformed(t *testing.T) {
	for _, answer := range []string{"1", "(1", "(1))", "()", "(1 ())", "(0)", "(1 -2)", "(1 x)", "(4294967296)", `("1")`, "(1,2)", "(1:4294967295)", strings.Repeat("(", 500_000), strings.Repeat("(1 ", 300_000), strings.Repeat("(1 ", 20_000) + strings.Repeat(")", 20_000)} {
		c := selected(t, "THREAD=REFERENCES", lines("C: a1 UID THREAD REFERENCES UTF-8 ALL", "S: * THREAD "+answer, "S: a1 OK", "C: a2 NOOP", "S: a2 OK"))
		if threads, err := c.Threads(t.Context(), "", nil); !errors.Is(err, imapclient.ErrProtocol) {
			t.Errorf("%.40s: %d messages, %v", answer, len(threads), err)
		}
		_, err := c.Noop(t.Context())
		wants(t, "Noop", err, nil)
	}
}

// A thread may be long.
func TestLongThread(t *testing.T) {
	answer := "(1" + strings.Repeat(" 2", 100_000) + ")"
	c := selected(t, "THREAD=REFERENCES", lines("C: a1 UID THREAD REFERENCES UTF-8 ALL", "S: * THREAD "+answer, "S: a1 OK"))
	threads, err := c.Threads(t.Context(), "", nil)
	if err != nil || len(threads) != 100_001 || threads[100_000].Level != 100_000 {
		t.Errorf("%d messages, %v", len(threads), err)
	}
}
