package fakemail

import (
	"fmt"
	"slices"
	"strings"
)

// searching is a SEARCH: what is looked for, and what is to be told of it.
type searching struct {
	match   func(*target) bool
	options []string // of RETURN; nil: the old answer. RFC 4731
	modseq  bool     // the criteria have MODSEQ. RFC 7162 section 3.1.5
	byUID   bool
}

// target is a message that a search looks at.
type target struct {
	row
	last    row // of all
	session *session
}

// search answers SEARCH. RFC 9051 section 6.4.4.
func (s *session) search(a *args, byUID bool) error {
	q := searching{byUID: byUID}
	if s.srv.has["ESEARCH"] && strings.HasPrefix(strings.ToUpper(a.s[a.i:]), "RETURN ") {
		a.i += len("RETURN ")
		q.options = []string{}
		a.list(func() {
			o := a.atom()
			if !slices.Contains([]string{"MIN", "MAX", "ALL", "COUNT", "SAVE"}, o) || o == "SAVE" && !s.srv.has["SEARCHRES"] {
				a.fail("no result option %q here", o)
			}
			q.options = append(q.options, o)
		})
		a.space()
	}
	if strings.HasPrefix(strings.ToUpper(a.s[a.i:]), "CHARSET ") {
		a.i += len("CHARSET ")
		if cs := strings.ToUpper(a.astring()); a.err == nil && cs != "UTF-8" && cs != "US-ASCII" {
			return no("[BADCHARSET (US-ASCII UTF-8)] no such charset")
		}
		a.space()
	}
	k := keys{args: a, s: s, q: &q}
	q.match = k.all()
	if err := a.done(); err != nil {
		return err
	}
	if q.options == nil && s.on("IMAP4REV2") {
		q.options = []string{"ALL"} // RFC 9051 section 7.3.4
	}
	if len(q.options) == 0 && q.options != nil {
		q.options = []string{"ALL"}
	}
	if q.modseq {
		s.useCondstore()
	}
	s.tellFound(&q, s.find(&q))
	return nil
}

// find returns what a search finds. Only a copy of what the store has is taken
// under its lock.
func (s *session) find(q *searching) []row {
	s.store.mu.Lock()
	v := s.view
	rows := make([]row, 0, len(v.uids))
	for i, uid := range v.uids {
		if m := v.box.message(uid); m != nil {
			r := row{content: m.content, seq: uint32(i) + 1, uid: uid, modseq: m.modseq, flags: v.flags(m)}
			if s.srv.has["X-GM-EXT-1"] {
				r.labels = m.labels(nil)
			}
			rows = append(rows, r)
		}
	}
	s.store.mu.Unlock()
	var found []row
	for _, r := range rows {
		if q.match(&target{row: r, last: rows[len(rows)-1], session: s}) {
			found = append(found, r)
		}
	}
	return found
}

// tellFound answers with what was found.
func (s *session) tellFound(q *searching, found []row) {
	nums, uids, highest := make([]uint32, len(found)), make([]uint32, len(found)), uint64(0)
	for i, r := range found {
		nums[i], uids[i], highest = r.seq, r.uid, max(highest, r.modseq)
	}
	if q.byUID {
		nums = uids
	}
	if q.options == nil {
		line := []byte("* SEARCH")
		for _, n := range nums {
			line = fmt.Appendf(line, " %d", n)
		}
		if q.modseq && len(nums) > 0 {
			line = fmt.Appendf(line, " (MODSEQ %d)", highest)
		}
		s.line(string(line))
		return
	}
	line := fmt.Sprintf("* ESEARCH (TAG %s)", quote(s.tag))
	if q.byUID {
		line += " UID"
	}
	for _, o := range q.options {
		switch {
		case o == "COUNT":
			line += fmt.Sprintf(" COUNT %d", len(nums))
		case o == "SAVE":
			s.save(q, uids)
		case len(nums) == 0:
		case o == "MIN":
			line += fmt.Sprintf(" MIN %d", nums[0])
		case o == "MAX":
			line += fmt.Sprintf(" MAX %d", nums[len(nums)-1])
		case o == "ALL":
			line += " ALL " + setOf(nums).String()
		}
	}
	if q.modseq && len(nums) > 0 {
		line += fmt.Sprintf(" MODSEQ %d", highest)
	}
	if len(q.options) > 1 || q.options[0] != "SAVE" { // RFC 5182 section 2.1
		s.line(line)
	}
}

// save keeps the UIDs found for "$", or with MIN or MAX alone only those. RFC
// 5182 section 2.4.
func (s *session) save(q *searching, uids []uint32) {
	var kept []uint32
	if n := len(uids); n > 0 && !slices.Contains(q.options, "ALL") && !slices.Contains(q.options, "COUNT") {
		if slices.Contains(q.options, "MIN") {
			kept = append(kept, uids[0])
		}
		if slices.Contains(q.options, "MAX") {
			kept = append(kept, uids[n-1])
		}
	}
	if kept == nil {
		kept = uids
	}
	s.saved = setOf(kept)
}
