package imapclient

// wait is the waiter of UID FETCH.
func (q *inquiry) wait(r *response) (bool, error) {
	w, err := fetchRow(r, "")
	if w == nil && err == nil {
		r.pos = 2
		if _, err := r.number(32); err == nil && r.isWord("EXPUNGE") { // sequence numbers mean others now
			q.forget()
		}
		return false, nil
	}
	if err == nil {
		w.more = &details{tree: &q.tree}
		err = w.items(r)
	}
	if err == errSyntax {
		q.odd = true
	}
	if err != nil {
		return true, err
	}
	if q.rows++; q.rows > maxMessages {
		return false, q.c.conn.ProtocolError("imap: UID FETCH: more than %d messages", maxMessages)
	}
	q.row(w)
	return true, nil
}

func (q *inquiry) forget() {
	q.highSeq, q.highUID = 0, 0
	clear(q.names)
	clear(q.nameless)
}

// row takes a row. A server may tell of one message in several.
func (q *inquiry) row(w *row) {
	if w.sum.UID == 0 {
		w.sum.UID = q.names[w.seq]
	}
	uid := w.sum.UID
	if uid == 0 {
		if o := q.nameless[w.seq]; o != nil {
			w.merge(o)
		}
		if len(q.nameless) < maxPending {
			q.nameless[w.seq] = w
		}
		return
	}
	if o := q.nameless[w.seq]; o != nil {
		w.merge(o)
		delete(q.nameless, w.seq)
	}
	// Rows that were not asked for are passed over: flags that another client
	// changes, or (QUIRK: GNU Mailutils) the last message whatever was asked.
	if !q.set.Has(uid) {
		return
	}
	twice := w.seq > q.highSeq && uid <= q.highUID // UIDs ascend: RFC 9051 section 2.3.1.1
	if w.seq > q.highSeq {
		q.highSeq, q.highUID = w.seq, max(uid, q.highUID)
	}
	if o := q.pending[uid]; o != nil && twice {
		q.flush(uid)
	}
	if q.done.has(uid) {
		if twice {
			q.hand(w) // another message of the same UID: the caller must know
		}
		return
	}
	if o := q.pending[uid]; o != nil {
		w.merge(o)
	} else {
		q.order = append(q.order, uid)
	}
	q.pending[uid] = w
	if q.asked&^w.told() == 0 {
		q.flush(uid)
		return
	}
	q.names[w.seq] = uid
	for len(q.pending) > maxPending {
		q.flush(q.order[0])
		q.order = q.order[1:]
	}
}

// told returns which items a row tells.
func (w *row) told() item {
	told := w.more.told
	if w.hasFlags {
		told |= flagsItem
	}
	if w.sum.Size >= 0 {
		told |= sizeItem
	}
	if !w.sum.Received.IsZero() {
		told |= receivedItem
	}
	return told
}

// flush ends the wait for more rows of a message.
func (q *inquiry) flush(uid uint32) {
	w := q.pending[uid]
	if w == nil {
		return
	}
	delete(q.pending, uid)
	if n := len(q.order); n > 0 && q.order[n-1] == uid {
		q.order = q.order[:n-1]
	}
	q.done.add(uid)
	q.hand(w)
}

// hand hands on what is known of a message.
func (q *inquiry) hand(w *row) {
	if q.stopped {
		return
	}
	info := w.more.info
	info.Summary = w.sum
	info.Missing = (q.asked &^ w.told()).missing()
	info.references()
	q.stopped = !q.yield(info, nil)
}

// fail tells that a message cannot be had.
func (q *inquiry) fail(uid uint32, err error) {
	q.done.add(uid)
	if !q.stopped {
		q.stopped = !q.yield(Info{}, &MessageError{uid, err})
	}
}
