package imapclient

// vanishedSet reads what follows VANISHED. RFC 7162 section 3.2.10.
func (r *response) vanishedSet() (Set, error) {
	r.space()
	if r.take('(') { // EARLIER
		r.token()
		if !r.take(')') {
			return Set{}, errSyntax
		}
		r.space()
	}
	return parseSet(r.token())
}

// observeVanished is the EXPUNGE of a session with QRESYNC.
func (c *Client) observeVanished(r *response) error {
	earlier := r.peek() == '('
	set, err := r.vanishedSet()
	if err != nil || earlier || c.box == nil {
		return err
	}
	c.activity.Expunged += int(c.gone(c.box, set.Len()))
	return nil
}

func union(a, b Set) Set { return normal(append(append([]uidRange{}, a.ranges...), b.ranges...)) }
