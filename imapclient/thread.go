package imapclient

import (
	"context"
	"strings"
)

// Threaded is a message in its thread.
type Threaded struct {
	// UID is 0 for a message that is missing, of which only answers are there.
	UID uint32

	// Level is 0 for the first message of a thread, and for another one more
	// than for the message that it answers, which is the last before it with a
	// lower Level.
	Level int
}

// maxBranches is how deep the branches of a thread may be nested. The length
// of a branch has no limit.
const maxBranches = 10_000

// Threads returns the messages of the open mailbox that match q by thread, in
// one round trip. algorithm is REFERENCES or ORDEREDSUBJECT (RFC 5256 section
// 3), or another that the server offers; empty is REFERENCES. A server without
// it is [errors.ErrUnsupported] and nothing is sent.
func (c *Client) Threads(ctx context.Context, algorithm string, q *Query) ([]Threaded, error) {
	if algorithm == "" {
		algorithm = "REFERENCES"
	}
	algorithm = strings.ToUpper(algorithm)
	if err := badArgument("the algorithm", algorithm); err != nil {
		return nil, err
	}
	end, q, err := c.beginSearch(ctx, q)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := c.needs("THREAD="+algorithm, "THREAD"); err != nil {
		return nil, err
	}
	if q.UIDs != nil && len(q.UIDs.ranges) == 0 {
		return nil, nil
	}
	var list []Threaded
	bad := false
	err = c.withCharset(q, true, func(charset string, q *Query) error {
		a := c.arguments(charset)
		a.word(algorithm + " " + charset)
		q.write(a)
		return c.runArgs("UID THREAD", a, func(r *response) (bool, error) {
			if r.word() != "THREAD" {
				return false, nil
			}
			var err error
			list, err = r.threads(list)
			bad = bad || err != nil
			return true, r.kept(err)
		})
	})
	switch {
	case err != nil:
		return nil, err
	case bad:
		return nil, malformed("UID THREAD")
	}
	return list, nil
}

// threads reads "(3 6 (4 23)(44 7 96))" and adds it to list. A message answers
// the one before it, and one that begins a branch, the one before the branches.
func (r *response) threads(list []Threaded) ([]Threaded, error) {
	var outer []int // the levels at which the branches began, outermost first
	level := 0      // of the next message
	empty := false  // a branch has just begun
	for {
		r.space()
		switch ch := r.peek(); ch {
		case 0:
			if len(outer) > 0 {
				return list, errSyntax
			}
			return list, nil
		case '(':
			if len(outer) == maxBranches {
				return list, errSyntax
			}
			if empty { // ((3)(5)): the message that they answer is missing
				list = append(list, Threaded{0, level})
				level++
			}
			outer = append(outer, level)
			empty = true
			r.pos++
		case ')':
			if len(outer) == 0 || empty {
				return list, errSyntax
			}
			level = outer[len(outer)-1]
			outer = outer[:len(outer)-1]
			r.pos++
		default:
			uid, err := r.number(32)
			if err != nil || uid == 0 || len(outer) == 0 {
				return list, errSyntax
			}
			list = append(list, Threaded{uint32(uid), level})
			level++
			empty = false
		}
	}
}
