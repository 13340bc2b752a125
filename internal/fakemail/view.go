package fakemail

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// view is a mailbox as one session has been told of it, so that sequence
// numbers mean the same on both sides. The store's lock guards it.
type view struct {
	box      *box
	readOnly bool
	changed  chan struct{} // has one in it when there may be news

	uids    []uint32 // by sequence number
	next    uint32   // messages from this UID on are news
	recent  map[uint32]bool
	flagsTo uint64 // flags are known up to this modseq
	goneTo  uint64 // so are expunges
}

var errDead = errors.New("the mailbox is no more, or has been renumbered")

// look opens a view. The messages that no session has been told of are
// \Recent in it. RFC 3501 section 2.3.2.
func (b *box) look(readOnly bool) *view {
	v := &view{
		box: b, readOnly: readOnly, changed: make(chan struct{}, 1),
		uids: make([]uint32, len(b.msgs)), next: b.next, recent: make(map[uint32]bool),
		flagsTo: b.modseq, goneTo: b.modseq,
	}
	for i, m := range b.msgs {
		v.uids[i] = m.uid
		v.meet(m.uid)
	}
	if !readOnly {
		b.recent = b.next
	}
	b.views[v] = struct{}{}
	return v
}

func (v *view) meet(uid uint32) {
	if uid >= v.box.recent {
		v.recent[uid] = true
	}
}

// news returns the lines that make the session know what it does not yet:
// expunges, if they may be told now, new messages, and changed flags.
func (v *view) news(s *session, expunges bool) (out lines, err error) {
	b := v.box
	if b.dead {
		return nil, errDead
	}
	if expunges && v.goneTo < b.modseq {
		v.newsOfGone(s, &out)
	}
	known := len(v.uids)
	if v.next < b.next {
		for _, m := range b.msgs[b.index(v.next):] {
			v.uids = append(v.uids, m.uid)
			v.meet(m.uid)
		}
		v.next = b.next
		if !v.readOnly {
			b.recent = b.next
		}
	}
	if len(v.uids) > known {
		out.add("* %d EXISTS", len(v.uids))
		if !s.on("IMAP4REV2") {
			out.add("* %d RECENT", len(v.recent))
		}
	}
	if v.flagsTo < b.modseq {
		for i, uid := range v.uids[:known] {
			if m := b.message(uid); m != nil && m.modseq > v.flagsTo {
				v.addFlags(s, &out, uint32(i)+1, m, false)
			}
		}
		v.flagsTo = b.modseq
	}
	return out, nil
}

// newsOfGone tells of expunges, and forgets the messages. RFC 9051 section
// 7.5.1, RFC 7162 section 3.2.10.
func (v *view) newsOfGone(s *session, out *lines) {
	b := v.box
	i, _ := slices.BinarySearchFunc(b.gone, v.goneTo+1, func(t tombstone, modseq uint64) int { return int(int64(t.modseq) - int64(modseq)) })
	if v.goneTo = b.modseq; i == len(b.gone) {
		return
	}
	gone := make(map[uint32]bool)
	for _, t := range b.gone[i:] {
		gone[t.uid] = true
	}
	var vanished []uint32
	seq := uint32(0)
	v.uids = slices.DeleteFunc(v.uids, func(uid uint32) bool {
		seq++
		if !gone[uid] {
			return false
		}
		vanished = append(vanished, uid)
		delete(v.recent, uid)
		if !s.on("QRESYNC") {
			out.add("* %d EXPUNGE", seq)
			seq-- // the next has this number now
		}
		return true
	})
	if s.on("QRESYNC") && len(vanished) > 0 {
		out.add("* VANISHED %s", setOf(vanished))
	}
}

// addFlags adds a FETCH with a message's flags.
func (v *view) addFlags(s *session, out *lines, seq uint32, m *message, withUID bool) {
	items := "FLAGS (" + strings.Join(v.flags(m), " ") + ")"
	if withUID || s.on("QRESYNC") { // RFC 7162 section 3.2.4
		items = fmt.Sprintf("UID %d %s", m.uid, items)
	}
	if s.on("CONDSTORE") { // RFC 7162 section 3.1.4.2
		items += fmt.Sprintf(" MODSEQ (%d)", m.modseq)
	}
	out.add("* %d FETCH (%s)", seq, items)
}

// flags returns a message's flags with \Recent, which belongs to the session.
func (v *view) flags(m *message) []string {
	if v.recent[m.uid] {
		return append([]string{`\Recent`}, m.flags...)
	}
	return m.flags
}

// picked is a message of a set.
type picked struct {
	seq uint32
	*message
}

// pick returns the messages of a set, in order. One that has been expunged and
// not told of is missing. A sequence number that is none is an error; so is
// "*" where there is nothing. RFC 9051 section 9, seq-number.
func (v *view) pick(sel selection) (msgs []picked, missing bool, err error) {
	last := uint32(len(v.uids))
	if sel.byUID && last > 0 {
		last = v.uids[last-1]
	}
	for _, r := range sel.ordered(last) {
		i, end := 0, 0
		if sel.byUID {
			i, _ = slices.BinarySearch(v.uids, r.from)
			for end = i; end < len(v.uids) && v.uids[end] <= r.to; {
				end++
			}
		} else {
			if r.from < 1 || int64(r.to) > int64(len(v.uids)) {
				return nil, false, bad("there is no message of that number")
			}
			i, end = int(r.from)-1, int(r.to)
		}
		for ; i < end; i++ {
			if m := v.box.message(v.uids[i]); m != nil {
				msgs = append(msgs, picked{uint32(i) + 1, m})
			} else {
				missing = true
			}
		}
	}
	return msgs, missing, nil
}

func messages(ps []picked) []*message {
	ms := make([]*message, len(ps))
	for i, p := range ps {
		ms[i] = p.message
	}
	return ms
}
