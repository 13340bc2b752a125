package imapclient

import (
	"context"
	"errors"
	"fmt"
)

// HangUpError says that a session ended while messages were owed, and which:
// servers hang up over a message that they cannot send. Err is why, such as an
// [Error] with BYE, [ErrUnavailable] or [ErrProtocol].
type HangUpError struct {
	// Suspects are the messages of the command that the server was carrying
	// out, without those that it had sent. If it is one message that the server
	// cannot send, it is one of them; most likely it is Next.
	Suspects Set

	// Next is the message that was being sent, else the first of Suspects, or
	// the first behind what [Client.Fetch] was told. What it and Summaries are
	// given, such as [All], may hold UIDs of no message: so may these then.
	Next uint32

	// Pending are the messages of further commands, given and not.
	Pending Set

	Err error

	asked   uint32 // messages of the command
	sending bool   // Next was being sent
}

func (e *HangUpError) Error() string {
	return fmt.Sprintf("%v, and messages had not come, %d the next of them", e.Err, e.Next)
}

// Unwrap returns Err.
func (e *HangUpError) Unwrap() error { return e.Err }

// Likely returns those of Suspects that are to be suspected first: Next alone,
// if it was being sent or others of its command had been, else all of them.
func (e *HangUpError) Likely() Set {
	if e.sending || e.Suspects.Len() < e.asked {
		return UIDs(e.Next)
	}
	return e.Suspects
}

// isOurs tells whether it is this side that has ended a session.
func isOurs(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, ErrClosed)
}

// hungUp adds to the error that a session has ended with what had not come. What
// this side has ended stays as it is.
func (f *fetch) hungUp(ctx context.Context, err error) error {
	if isOurs(ctx, err) {
		return err
	}
	e := &HangUpError{Err: err, Next: f.now, sending: f.now != 0}
	var suspects, pending []uint32
	for i, b := range f.sent {
		for uid := range b.set.all() {
			if i == 0 {
				e.asked++
			}
			switch {
			case f.want[uid] != b.number && (uid != f.now || i > 0):
			case i == 0:
				suspects = append(suspects, uid)
			default:
				pending = append(pending, uid)
			}
		}
	}
	for _, set := range f.queue {
		for uid := range set.all() {
			pending = append(pending, uid)
		}
	}
	if len(suspects) == 0 { // it was about to end
		return err
	}
	if e.Next == 0 {
		e.Next = suspects[0]
	}
	e.Suspects, e.Pending = UIDs(suspects...), UIDs(pending...)
	return e
}

// hungUp says what had not been told when a session ended: of part, which was
// asked for, and of queue. It is nil if that is nothing.
func (q *inquiry) hungUp(err error, part Set, queue []Set) *HangUpError {
	suspects := part.without(q.done.set())
	if len(suspects.ranges) == 0 {
		return nil
	}
	e := &HangUpError{Suspects: suspects, Next: suspects.from(q.last), Err: err, asked: part.Len()}
	for _, later := range queue {
		e.Pending = union(e.Pending, later)
	}
	return e
}
