package retrieval

import (
	"context"
	"errors"
	"time"
)

// longestRetry is the most that a run waits to connect again.
const longestRetry = time.Minute

// runs is run, again after the server was lost, as often as the account allows.
func (r *run) runs(ctx context.Context) error {
	if r.opening.client != nil {
		return r.run(ctx) // whose client it is connects again
	}
	return retrying(ctx, r.a.Retries, func() error {
		r.renew()
		return r.run(ctx)
	})
}

// retrying calls f until it does not lose the server, n times more at most.
func retrying(ctx context.Context, n int, f func() error) error {
	var b backoff
	for ; ; n-- {
		err := f()
		lost := errors.Is(err, ErrSession) || errors.Is(err, ErrUnavailable)
		if !lost || n <= 0 || errors.Is(err, ErrAuth) || ctx.Err() != nil {
			return err
		}
		wait := b.failed(err, draw)
		if wait > longestRetry || sleep(ctx, wait) != nil {
			return err
		}
	}
}

// renew forgets what was about a session.
func (r *run) renew() {
	r.close()
	r.unsettled, r.peeked, r.open, r.unnoted = false, false, false, nil
	r.doomed, r.again, r.carried = nil, nil, carried{}
}

// limits are the account's, less what was delivered before the server was
// lost; nothing is left if over.
func (r *run) limits() (l Limits, over bool) {
	l = r.a.Limits
	if l.Messages > 0 {
		l.Messages -= r.report.Delivered
		over = l.Messages <= 0
	}
	if l.Bytes > 0 && r.report.Delivered > 0 {
		l.Bytes -= r.report.Bytes
		over = over || l.Bytes <= 0
	}
	return l, over
}
