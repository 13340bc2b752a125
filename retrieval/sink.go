package retrieval

import "context"

// Sink takes messages.
type Sink interface {
	// Deliver stores the whole message and returns the sink's own name for
	// it. It returns an error if reading m fails: half a message must never
	// be delivered. When it returns nil the message is durable, unless the
	// sink is also a [Flusher]. An error that is [ErrRejected] or
	// [ErrDeferred] is about this message alone.
	Deliver(ctx context.Context, m *Message) (ref string, err error)
}

// Flusher is a [Sink] that makes deliveries durable by the batch, which is
// much cheaper than one at a time.
type Flusher interface {
	// Flush returns nil when everything delivered so far would survive a
	// power cut. After an error none of the deliveries since the last Flush
	// count. At the end of a run that was cancelled it is called with a context
	// that is over, to drop them.
	Flush(ctx context.Context) error
}

// Finder is a [Sink] that can look for a delivery that a crash interrupted,
// so that it is not made twice.
type Finder interface {
	// Find tells whether the message of an intent was delivered at the
	// intent's time ([Record.Since]) or later. A later Flush makes durable
	// what was found. [DryRun] asks it too, so it should change nothing.
	Find(ctx context.Context, box Box, intent Record) (ref string, found bool, err error)
}

// Looker is a [Finder] whose Find does change something: it mends what a crash
// has left, say. Its Look answers as Find does and has no effect of any kind.
// [DryRun] asks it instead.
type Looker interface {
	Look(ctx context.Context, box Box, intent Record) (ref string, found bool, err error)
}

// Mirrorer is a [Sink] whose messages can follow those on the server, as
// [ServerSync] needs. Both are durable after Flush. A message that is not
// there any more is [ErrGone].
type Mirrorer interface {
	// SetFlags makes flags the flags of a delivered message, and returns its
	// name from now on.
	SetFlags(ctx context.Context, ref string, flags []Flag) (newRef string, err error)

	// Discard removes a delivered message.
	Discard(ctx context.Context, ref string) error
}

// Batcher is a [Flusher] that several runs may use at the same time: each
// works with a batch of its own, so that a Flush, and its failure, is about
// what that run has delivered. What Batch returns can do all that the sink can,
// and is closed at the end if it is an io.Closer. Another Flusher is for one
// run at a time.
type Batcher interface {
	Batch() Sink
}
