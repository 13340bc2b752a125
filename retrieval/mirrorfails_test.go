package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"example.com/postbag/retrieval"
)

// renaming is a shelf that gives a copy another name when its flags change, and
// fails to do that the second time.
type renaming struct {
	*shelf
	left int
}

func (r *renaming) SetFlags(ctx context.Context, ref string, flags []retrieval.Flag) (string, error) {
	if r.left--; r.left < 0 {
		return "", errors.New("the disk is full")
	}
	if _, err := r.shelf.SetFlags(ctx, ref, flags); err != nil {
		return "", err
	}
	name := fmt.Sprint(ref, "'")
	r.copies[name], r.flags[name] = r.copies[ref], flags
	delete(r.copies, ref)
	delete(r.flags, ref)
	return name, nil
}

// What was changed before a sink failed is recorded: copies are known by their
// new names, and follow the server later on.
func TestMirrorFailsMidway(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.ServerSync
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
		q.run()
		for _, m := range q.server.Contents() {
			q.server.SetFlags(m.UID, retrieval.FlagSeen)
		}
		sink := &renaming{q.shelf, 2}
		if _, err := retrieval.Run(t.Context(), q.acct, sink, q.store); !errors.Is(err, retrieval.ErrSink) {
			t.Errorf("%v, want ErrSink", err)
		}
		for _, m := range q.server.Contents() {
			q.server.Delete(m.UID)
		}
		q.run()
		q.want("", "")
	}, retrieval.IMAP)
}
