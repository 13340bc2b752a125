package imapclient

// wait is the waiter of UID FETCH.
func (q *inquiry) wait(r *response) (bool, error) {
	if n := q.c.activity.Expunged; n != q.expunged { // sequence numbers mean others now
		q.expunged = n
		q.forget()
	}
	w := &q.row
	ok, err := w.begin(r, "")
	if !ok {
		return false, nil
	}
	if err == nil {
		if q.asked&^summaryOnly != 0 {
			w.more = &details{tree: &q.tree}
		}
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
	w.octets = r.octets
	if q.take(w) {
		q.c.unasked = 0
		r.useful()
	}
	return true, nil
}

// forget forgets what sequence numbers mean, and with that rows of which it is
// not known what message they are of.
func (q *inquiry) forget() {
	q.highSeq, q.highUID = 0, 0
	clear(q.names)
	for _, w := range q.nameless {
		q.c.noteChange(w)
		q.held -= w.octets
	}
	clear(q.nameless)
}

// noteChange counts flags that a server tells of without being asked, because
// another client has changed them.
func (c *Client) noteChange(w *row) {
	if w.hasFlags {
		c.activity.Changed++
	}
}

// take takes a row, which is valid until the next, and tells whether it is of
// use. A server may tell of one message in several.
func (q *inquiry) take(w *row) bool {
	if w.sum.UID == 0 {
		w.sum.UID = q.names[w.seq]
	}
	if o := q.nameless[w.seq]; o != nil {
		w.merge(o)
		q.held -= o.octets
		delete(q.nameless, w.seq)
	}
	uid := w.sum.UID
	if uid == 0 {
		if len(q.nameless) < maxPending && q.held+w.octets <= maxKept {
			kept := *w
			q.nameless[w.seq] = &kept
			q.held += w.octets
		}
		return false
	}
	// Rows that were not asked for are passed over: flags that another client
	// changes, or (QUIRK: GNU Mailutils) the last message whatever was asked.
	if !q.set.Has(uid) {
		q.unasked(w)
		return false
	}
	twice := w.seq > q.highSeq && uid <= q.highUID // UIDs ascend: RFC 9051 section 2.3.1.1
	if w.seq > q.highSeq {
		q.highSeq, q.highUID = w.seq, max(uid, q.highUID)
	}
	if twice {
		q.flush(uid)
	}
	if q.done.has(uid) {
		if twice {
			q.tell(w) // another message of the same UID: the caller must know
			return true
		}
		q.unasked(w)
		return false
	}
	o := q.pending[uid]
	if o != nil {
		w.merge(o)
		q.held -= o.octets
	}
	if q.asked&^w.told() == 0 {
		delete(q.pending, uid)
		q.tell(w)
		return true
	}
	kept := *w
	q.pending[uid] = &kept
	q.held += w.octets
	q.names[w.seq] = uid
	if o == nil {
		q.order = append(q.order, uid)
	}
	for len(q.pending) > maxPending || q.held > maxKept && len(q.order) > 0 {
		q.flush(q.order[0])
		q.order = q.order[1:]
	}
	return o == nil
}

// unasked takes a row that was not asked for. One that tells more than flags is
// an answer all the same, to "*", say, and nothing has changed.
func (q *inquiry) unasked(w *row) {
	const news = flagsItem | modSeqItem
	if w.told()&^news == 0 && q.asked&^news != 0 {
		q.c.noteChange(w)
	}
}

// summaryOnly are the items that a row holds without details.
const summaryOnly = flagsItem | receivedItem | sizeItem

// told returns which items a row tells.
func (w *row) told() item {
	var told item
	if w.more != nil {
		told = w.more.told
	}
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

// flush hands on what is known of a message that has been told of in part.
func (q *inquiry) flush(uid uint32) {
	if w := q.pending[uid]; w != nil {
		delete(q.pending, uid)
		q.held -= w.octets
		q.tell(w)
	}
}

// tell hands on what is known of a message.
func (q *inquiry) tell(w *row) {
	q.done.add(w.sum.UID)
	q.last = max(q.last, w.sum.UID)
	if q.stopped {
		return
	}
	var info Info
	if w.more != nil {
		info = w.more.info
	}
	info.Summary = w.sum
	if missing := q.asked &^ w.told(); missing != 0 {
		info.Missing = missing.missing()
	}
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
