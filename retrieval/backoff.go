package retrieval

import (
	"errors"
	"math/rand/v2"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/pop3client"
)

// How long an account is left alone after a failure: a random part of a time
// that doubles with each failure in a row ("full jitter"), but no less than
// the server asks for, up to a day.
const (
	leastWait = time.Second
	firstPart = 4 * time.Second
	longest   = 15 * time.Minute

	// Wrong credentials are tried again slowly, so that nobody is locked out.
	firstAuth   = 10 * time.Minute
	longestAuth = 24 * time.Hour

	// longestAsked is the most that a server is left alone because it wants that.
	longestAsked = 24 * time.Hour

	// stable is how long all has to go well until the failures before it do not
	// count any more: that a login or a run went well proves nothing.
	stable = 5 * time.Minute
)

// backoff counts the failures of an account.
type backoff struct {
	failures int       // in a row
	refusals int       // of the credentials, in a row
	well     time.Time // since when all has gone well; zero: something has failed since
}

// ok notes that the server is of use, and has been since a time after the last
// failure.
func (b *backoff) ok(since time.Time) {
	b.refusals = 0
	if b.well.IsZero() {
		b.well = since
	}
	if time.Since(b.well) >= stable {
		b.failures = 0
	}
}

// failed notes a failure and returns how long to wait. draw returns a random
// number in [0, n).
func (b *backoff) failed(err error, draw func(n int64) int64) time.Duration {
	b.well = time.Time{}
	var wait time.Duration
	if errors.Is(err, ErrAuth) && !errors.Is(err, errNoSecret) {
		wait = min(firstAuth<<min(b.refusals, 10), longestAuth)
		wait += time.Duration(draw(int64(wait / 10)))
		b.refusals++
	} else {
		part := min(firstPart<<min(b.failures, 12), longest)
		wait = leastWait + time.Duration(draw(int64(part)))
	}
	b.failures++
	if asked := min(RetryAfter(err), longestAsked); asked > 0 {
		wait = max(wait, asked+time.Duration(draw(int64(asked/10)+1)))
	}
	return wait
}

// RetryAfter returns how long the server has asked to be left alone, in the
// error that it gave: LOGIN-DELAY, IN-USE and SYS/TEMP of POP3 (RFC 2449, RFC
// 3206), LIMIT, INUSE and UNAVAILABLE of IMAP (RFC 5530), and the times that
// Exchange writes. Zero means that it has not.
func RetryAfter(err error) time.Duration {
	if e := (*pop3client.Error)(nil); errors.As(err, &e) {
		switch {
		case e.RetryAfter > 0:
			return e.RetryAfter
		case e.Code == "LOGIN-DELAY":
			return 5 * time.Minute
		case e.Code == "IN-USE" || e.Code == "SYS/TEMP":
			return 30 * time.Second
		case e.Code == "SYS/PERM":
			return time.Hour // RFC 3206: somebody has to do something
		}
	}
	if e := (*imapclient.Error)(nil); errors.As(err, &e) {
		switch {
		case e.RetryAfter > 0:
			return e.RetryAfter
		case e.Code == "LIMIT" || e.Code == "OVERQUOTA" || e.Code == "THROTTLED":
			return 5 * time.Minute
		case e.Code == "INUSE" || e.Code == "UNAVAILABLE" || e.Code == "SERVERBUG":
			return 30 * time.Second
		case e.Code == "CONTACTADMIN":
			return time.Hour
		}
	}
	return 0
}

// isHopeless tells whether nothing that time brings will help.
func isHopeless(err error) bool {
	for _, is := range []error{ErrStateLost, ErrRenumbered, ErrAmbiguous, errors.ErrUnsupported, errBadAccount, errPanic} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}

func draw(n int64) int64 {
	if n <= 0 {
		return 0
	}
	return rand.Int64N(n)
}
