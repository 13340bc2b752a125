package imapclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Bodies retrieves whole messages. None gets the flag \Seen (BODY.PEEK, RFC
// 9051 section 6.4.5). The server is asked for many at a time, and for the
// next ones before it has sent the last, so that the line is never idle; what
// is on the way is bounded by about 64 MiB or four messages, whichever is more.
//
// Each message is valid until the next iteration. They come in the order in
// which the server sends them, each of uids once: as a [Message], or as a
// [MessageError] if it cannot be had, which is [ErrGone] if the server says
// nothing of it. Any other error is about the session and ends the sequence.
//
// Breaking out of the loop leaves the session usable: what is on the way is
// read and thrown away. Within the loop other commands are [ErrBusy].
func (c *Client) Bodies(ctx context.Context, uids ...uint32) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) { c.wholes(ctx, maxBatches, yield, UIDs(uids...)) }
}

// Headers retrieves header sections, with the blank line at their end, as
// Bodies does whole messages.
func (c *Client) Headers(ctx context.Context, uids ...uint32) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		f := &fetch{c: c, section: "BODY[HEADER]", items: "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])", guess: guessHeader, width: maxBatches}
		f.begin(ctx, yield, UIDs(uids...))
	}
}

// The bounds of what is on the way.
const (
	batchMessages = 1000
	batchOctets   = 8 << 20
	maxBatches    = 8
	windowOctets  = 64 << 20 // on the way in all, unless windowLeast commands are more
	windowLeast   = 4

	guessBody   = 32 << 10 // octets of a body, before any has been seen
	guessHeader = 4 << 10

	maxHeld     = 1 << 20 // octets of a body that came before its UID
	maxUnwanted = 1 << 30 // octets of bodies that nobody asked for, while a command is carried out
	maxRefused  = 100     // then it is not about the messages
)

// fetch is a sequence of messages. Its methods are in the order of the work.
type fetch struct {
	c       *Client
	section string
	items   string
	guess   int64
	noBody  error // what NIL instead of a body means
	yield   func(*Message, error) bool
	stopped bool // the loop was left
	row     row  // that is being read

	queue []Set             // not asked for yet
	width int               // commands at a time
	now   uint32            // the message that is being sent, 0 for none
	sent  []batch           // asked for, oldest first
	want  map[uint32]int    // asked for and not heard of: in which batch
	n     int               // batches so far
	early map[uint32]*row   // by sequence number: rows without a body
	names map[uint32]uint32 // by sequence number: UIDs that came too late
	odd   bool              // a row could not be understood

	held     int64 // octets of what is in early
	unwanted int64 // octets of bodies that nobody asked for, since the last command ended

	refused int   // messages in a row that the server refused, each alone
	over    error // why no more is asked for
}

// batch is a command under way.
type batch struct {
	number int
	tag    string
	set    Set
	expect int64 // octets
}

var errNil = errors.New("imap: the server sent NIL instead of the message")

// wholes retrieves whole messages, with so many commands under way.
func (c *Client) wholes(ctx context.Context, width int, yield func(*Message, error) bool, sets ...Set) {
	f := &fetch{c: c, section: "BODY[]", items: "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])", guess: cmp.Or(c.avgBody, guessBody), width: width}
	if f.begin(ctx, yield, sets...) {
		c.avgBody = f.guess
	}
}

// begin carries out the fetch as the client's work, if that can be.
func (f *fetch) begin(ctx context.Context, yield func(*Message, error) bool, sets ...Set) bool {
	end, err := f.c.beginSelected(ctx)
	if err != nil {
		yield(nil, err)
		return false
	}
	defer end()
	f.noBody, f.yield = errNil, yield
	f.c.safely(func() { f.all(ctx, sets...) })
	return true
}

// all yields the messages of some sets, and the error that ends the session. No
// command is for messages of two sets.
func (f *fetch) all(ctx context.Context, sets ...Set) {
	f.want, f.early, f.names = make(map[uint32]int), make(map[uint32]*row), make(map[uint32]uint32)
	for _, set := range sets {
		if len(set.ranges) > 0 {
			f.queue = append(f.queue, set)
		}
	}
	err := f.run(ctx)
	f.forget()
	if err != nil && len(f.sent) > 0 {
		err = f.hungUp(ctx, f.c.fail(err)) // there is no knowing what an answer would be to
	}
	if err == nil {
		err = f.over
	}
	if err != nil && !f.stopped {
		f.yield(nil, err)
	}
}

func (f *fetch) run(ctx context.Context) error {
	for {
		if ctx.Err() != nil { // known here before the connection knows
			return f.c.fail(context.Cause(ctx))
		}
		if err := f.fill(); err != nil {
			return err
		}
		if len(f.sent) == 0 {
			return nil
		}
		r, err := f.c.read()
		if err != nil {
			return err
		}
		switch r.kind {
		case untagged:
			err = f.untagged(r)
		case tagged:
			err = f.ended(r)
		case continuation:
			err = f.c.conn.ProtocolError("imap: UID FETCH: the server waits for more, and there is nothing more")
		}
		if err != nil {
			return err
		}
	}
}

// fill asks for more, as long as not too much is on the way.
func (f *fetch) fill() error {
	if f.stopped || len(f.queue) == 0 || len(f.sent) >= f.width {
		return nil
	}
	var expect int64
	for _, b := range f.sent {
		expect += b.expect
	}
	for !f.stopped && len(f.queue) > 0 && len(f.sent) < f.width && (len(f.sent) < windowLeast || expect < windowOctets) {
		b := f.next()
		var err error
		b.tag, err = f.c.send("UID FETCH", b.set.String()+" "+f.items)
		if err != nil {
			return err
		}
		expect += b.expect
		f.sent = append(f.sent, b)
	}
	return nil
}

// next takes a batch from the queue.
func (f *fetch) next() batch {
	limit := int(min(batchMessages, max(1, batchOctets/f.guess)))
	head := f.queue[0]
	set, rest, n := head.cut(limit)
	if len(rest.ranges) > 0 {
		f.queue[0] = rest
	} else {
		f.queue = f.queue[1:]
	}
	f.n++
	for uid := range set.all() {
		f.want[uid] = f.n
	}
	return batch{number: f.n, set: set, expect: int64(n) * f.guess}
}

// ended takes the end of a command.
func (f *fetch) ended(r *response) error {
	i := slices.IndexFunc(f.sent, func(b batch) bool { return b.tag == r.tag })
	if i < 0 {
		return f.c.conn.ProtocolError("imap: an answer to a command that was not given")
	}
	b := f.sent[i]
	f.sent = slices.Delete(f.sent, i, i+1)
	f.unwanted, f.c.unasked = 0, 0
	err := f.c.ended(r, "UID FETCH")
	if f.c.conn.Err() != nil {
		return err
	}
	var missing []uint32
	for uid := range b.set.all() {
		if f.want[uid] == b.number {
			missing = append(missing, uid)
		}
	}
	if wait := (*Error)(nil); errors.As(err, &wait) && wait.RetryAfter > 0 {
		f.over, f.queue = err, nil // not to be asked again now, for anything
		for _, uid := range missing {
			delete(f.want, uid)
		}
		return nil
	}
	if err != nil && len(missing) > 1 {
		f.bisect(missing)
		return nil
	}
	for _, uid := range missing {
		delete(f.want, uid)
		switch {
		case err != nil:
			f.fail(uid, err)
			if f.refused++; f.refused == maxRefused {
				f.over, f.queue = err, nil
			}
		case f.odd:
			f.fail(uid, errSyntax)
		default:
			f.fail(uid, fmt.Errorf("imap: UID FETCH: %w", ErrGone))
		}
	}
	return nil
}

// bisect asks again for the messages of a command that was refused, in two
// halves, until the one is known that cannot be had.
func (f *fetch) bisect(uids []uint32) {
	for _, uid := range uids {
		delete(f.want, uid)
	}
	half := len(uids) / 2
	f.queue = append([]Set{UIDs(uids[:half]...), UIDs(uids[half:]...)}, f.queue...)
}
