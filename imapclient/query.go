package imapclient

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Query is a condition on messages (RFC 9051 section 6.4.4). A message matches
// if all that is set holds; the zero value, and nil, are matched by all.
//
// Text is UTF-8 and matches regardless of case, anywhere unless the server
// knows only whole words. Of times that are dates, only the date in their own
// location counts. What needs an extension is [errors.ErrUnsupported] where
// the server lacks it, and nothing is sent.
type Query struct {
	UIDs *Set // nil: any; the empty set matches nothing

	Flags    []string // \Seen or a keyword; the message has them all
	NotFlags []string // and none of these

	Since, Before         time.Time     // date of arrival: that day or later, before that day
	SentSince, SentBefore time.Time     // the same for the Date field
	Younger, Older        time.Duration // time since arrival, in seconds: WITHIN (RFC 5032)

	Larger, Smaller int64 // octets; 0: any

	From, To, Cc, Bcc, Subject string // text in the field
	Header                     []HeaderField
	Body                       string // text in the body
	Text                       string // text in the body or the header

	ModSeq uint64 // changed since, or at, that: CONDSTORE (RFC 7162)

	EmailID, ThreadID string // OBJECTID (RFC 8474)

	GmailRaw string // as in Gmail's search box: X-GM-EXT-1

	All []Query // each matches
	Any []Query // one of them matches, if there are any
	Not []Query // none of them matches
}

// HeaderField is a header field and a text in it. An empty Text matches
// messages that have the field at all.
type HeaderField struct{ Name, Text string }

// maxQuery is how deep queries may be nested.
const maxQuery = 100

// check tells whether the query can be written.
func (q *Query) check(depth int) error {
	if depth > maxQuery {
		return fmt.Errorf("imap: a query of more than %d levels", maxQuery)
	}
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("imap: "+format, args...)) }
	for _, f := range slices.Concat(q.Flags, q.NotFlags) {
		if !isFlag([]byte(f)) || f == `\*` {
			bad("%q is not a flag", f)
		}
	}
	texts := []string{q.From, q.To, q.Cc, q.Bcc, q.Subject, q.Body, q.Text, q.GmailRaw}
	for _, h := range q.Header {
		if !isFieldName(h.Name) {
			bad("%q is no name of a header field", h.Name)
		}
		texts = append(texts, h.Text)
	}
	for _, t := range texts {
		if err := badArgument("the text to search for", t); err != nil {
			errs = append(errs, err)
		}
		if strings.ToValidUTF8(t, "") != t {
			bad("the text to search for is not UTF-8")
		}
	}
	for _, d := range []time.Time{q.Since, q.Before, q.SentSince, q.SentBefore} {
		if y := d.Year(); y < 1 || y > 9999 {
			bad("a date in the year %d", y)
		}
	}
	for _, d := range []time.Duration{q.Younger, q.Older} {
		if d != 0 && (d < time.Second || d/time.Second > math.MaxUint32) {
			bad("%v is no age of a message", d)
		}
	}
	for _, n := range []int64{q.Larger, q.Smaller} {
		if n < 0 {
			bad("%d octets", n)
		}
	}
	for _, id := range []string{q.EmailID, q.ThreadID} {
		if id != "" && !isObjectID([]byte(id)) {
			bad("%q is no object's identifier", id)
		}
	}
	for _, list := range [][]Query{q.All, q.Any, q.Not} {
		for i := range list {
			if len(errs) == 0 {
				errs = append(errs, list[i].check(depth+1))
			}
		}
	}
	return errors.Join(errs...)
}

// supported makes sure that the server has what a query needs.
func (c *Client) supported(q *Query) error {
	for _, part := range []struct {
		extension string
		used      bool
	}{
		{"WITHIN", q.Younger != 0 || q.Older != 0},
		{"CONDSTORE", q.ModSeq != 0},
		{"OBJECTID", q.EmailID != "" || q.ThreadID != ""},
		{"X-GM-EXT-1", q.GmailRaw != ""},
	} {
		if part.used {
			if err := c.needs(part.extension, "SEARCH"); err != nil {
				return err
			}
		}
	}
	for _, list := range [][]Query{q.All, q.Any, q.Not} {
		for i := range list {
			if err := c.supported(&list[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// isFieldName tells whether s can be the name of a header field. RFC 5322
// section 2.2.
func isFieldName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == ':' {
			return false
		}
	}
	return s != ""
}

// write writes the query as search keys.
func (q *Query) write(a *arguments) {
	n := a.words
	if q.UIDs != nil {
		if set := q.UIDs.String(); set != "" {
			a.word("UID " + set)
		} else {
			a.word("NOT ALL")
		}
	}
	for _, f := range q.Flags {
		a.word(flagKey("", f))
	}
	for _, f := range q.NotFlags {
		a.word(flagKey("UN", f))
	}
	for _, d := range []struct {
		key string
		t   time.Time
	}{{"SINCE", q.Since}, {"BEFORE", q.Before}, {"SENTSINCE", q.SentSince}, {"SENTBEFORE", q.SentBefore}} {
		if !d.t.IsZero() {
			a.word(d.key + d.t.Format(" 2-Jan-2006"))
		}
	}
	for _, v := range []struct {
		key string
		n   uint64
	}{
		{"YOUNGER", uint64(q.Younger / time.Second)}, {"OLDER", uint64(q.Older / time.Second)},
		{"LARGER", uint64(q.Larger)}, {"SMALLER", uint64(q.Smaller)}, {"MODSEQ", q.ModSeq},
	} {
		if v.n != 0 {
			a.word(v.key + " " + strconv.FormatUint(v.n, 10))
		}
	}
	if q.EmailID != "" {
		a.word("EMAILID " + q.EmailID)
	}
	if q.ThreadID != "" {
		a.word("THREADID " + q.ThreadID)
	}
	for _, t := range []struct{ key, text string }{
		{"FROM", q.From}, {"TO", q.To}, {"CC", q.Cc}, {"BCC", q.Bcc}, {"SUBJECT", q.Subject},
		{"BODY", q.Body}, {"TEXT", q.Text}, {"X-GM-RAW", q.GmailRaw},
	} {
		if t.text != "" {
			a.word(t.key)
			a.str(t.text)
		}
	}
	for _, h := range q.Header {
		a.word("HEADER " + quote(h.Name))
		a.str(h.Text)
	}
	q.writeNested(a)
	if a.words == n {
		a.word("ALL")
	}
}

func (q *Query) writeNested(a *arguments) {
	group := func(q *Query) {
		a.open()
		q.write(a)
		a.close()
	}
	for i := range q.All {
		group(&q.All[i])
	}
	for i := range q.Any {
		if i < len(q.Any)-1 {
			a.word("OR")
		}
		group(&q.Any[i])
	}
	for i := range q.Not {
		a.word("NOT")
		group(&q.Not[i])
	}
}

// flagKey returns the key for messages with a flag, or with "UN" without it.
func flagKey(un, flag string) string {
	switch name := strings.ToUpper(strings.TrimPrefix(flag, `\`)); {
	case !strings.HasPrefix(flag, `\`):
	case name == "RECENT" && un != "":
		return "NOT RECENT"
	case name == "RECENT":
		return name
	case slices.Contains([]string{"ANSWERED", "DELETED", "DRAFT", "FLAGGED", "SEEN"}, name):
		return un + name
	}
	return un + "KEYWORD " + flag
}
