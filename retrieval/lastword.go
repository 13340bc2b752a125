package retrieval

import (
	"context"
	"time"
)

// lastWord records, when the context has ended, what the sink has vouched for. What it
// would have to flush is dropped, and is delivered by the next run.
func (b *batches) lastWord(ctx context.Context) error {
	if _, ok := b.sink.(Flusher); ok || len(b.pending) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWordTime)
	defer cancel()
	b.failed = nil // a message may have failed because of the end
	return b.settle(ctx, nil)
}

// lastWordTime is what a store may take to record it.
const lastWordTime = 5 * time.Second

// drop has the sink forget what it holds of a run that was cancelled, or has
// panicked: a later Flush would deliver it beside what is delivered again.
func (r *run) drop() {
	if f, ok := r.sink.(Flusher); ok && r.unflushed {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		f.Flush(over)
	}
}
