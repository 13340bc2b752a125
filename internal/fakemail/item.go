package fakemail

import (
	"fmt"
	"strings"
)

// writeItem writes an item of FETCH and its value. RFC 9051 section 7.5.2.
func (s *session) writeItem(it item, r row) {
	if it.section != nil {
		s.writeSection(it.section, r.content)
		return
	}
	s.w.WriteString(it.name + " ")
	switch it.name {
	case "UID":
		fmt.Fprintf(s.w, "%d", r.uid)
	case "FLAGS":
		s.w.WriteString("(" + strings.Join(r.flags, " ") + ")")
	case "INTERNALDATE":
		s.w.WriteString(`"` + r.received.Format(dateTime) + `"`)
	case "RFC822.SIZE":
		fmt.Fprintf(s.w, "%d", s.store.size(r.content))
	case "ENVELOPE":
		s.w.WriteString(envelope(r.header()))
	case "BODY":
		s.w.WriteString(r.tree().bodyStructure(false))
	case "BODYSTRUCTURE":
		s.w.WriteString(r.tree().bodyStructure(true))
	case "MODSEQ":
		fmt.Fprintf(s.w, "(%d)", r.modseq)
	case "EMAILID":
		fmt.Fprintf(s.w, "(M%x)", r.id)
	case "THREADID":
		fmt.Fprintf(s.w, "(T%x)", r.thread)
	case "X-GM-MSGID":
		fmt.Fprintf(s.w, "%d", r.id)
	case "X-GM-THRID":
		fmt.Fprintf(s.w, "%d", r.thread)
	case "X-GM-LABELS":
		var names []string
		for _, l := range r.labels {
			names = append(names, s.name(l))
		}
		s.w.WriteString("(" + strings.Join(names, " ") + ")")
	}
}

// size is what is said to be the size of a message.
func (s *Store) size(c *content) int {
	if s.profile == Exchange { // an estimate: quirk 60
		return max(1, len(c.data)-29)
	}
	return len(c.data)
}

func (s *session) writeSection(sec *section, c *content) {
	data, ok := sec.of(c)
	s.w.WriteString(sec.name + " ")
	switch {
	case !ok:
		s.w.WriteString("NIL")
		return
	case sec.size:
		fmt.Fprintf(s.w, "%d", len(data))
		return
	}
	if sec.binary {
		s.w.WriteByte('~') // literal8: it may hold NUL
	}
	fmt.Fprintf(s.w, "{%d}\r\n", len(data))
	s.w.Write(data)
}
