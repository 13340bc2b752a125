package retrieval

import "context"

// Witness is a [Sink] that remembers, durably, which store it is used with,
// so that a store that was lost, or replaced by another, is found out.
type Witness interface {
	// Witnessed returns the identity ([State.Store]) noted last for a
	// mailbox, or "" if none was.
	Witnessed(ctx context.Context, box Box) (store string, err error)

	// Note notes an identity durably.
	Note(ctx context.Context, box Box, store string) error
}
