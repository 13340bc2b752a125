package retrieval

import "context"

// SinkFunc is a [Sink] that hands each message to a function. When the
// function returns nil the message counts as settled: it may be deleted on
// the server. What the function does not read of a message is read and thrown
// away.
type SinkFunc func(ctx context.Context, m *Message) error

// Deliver implements [Sink].
func (f SinkFunc) Deliver(ctx context.Context, m *Message) (string, error) {
	return "", f(ctx, m)
}
