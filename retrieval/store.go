package retrieval

import (
	"context"
	"time"
)

// Box names a mailbox of an account for a [Store] and a [Sink]. Account is
// [Account.Identity]. To a Store the mailbox without a name stands for the
// account itself.
type Box struct{ Account, Mailbox string }

// Store remembers what was settled, so that no message is delivered twice or
// deleted too early. Implementations are safe for use by several goroutines.
// retrievaltest.TestStore proves one.
type Store interface {
	// Open takes the page of a mailbox, a new and empty one if there is none.
	// While somebody has it, here or in another process, the error is
	// [ErrLocked]; a store may take it away from a holder that seems to be
	// dead, and then fences that one off: see [Page.Update].
	Open(ctx context.Context, box Box) (Page, error)
}

// Page is what a [Store] remembers of one mailbox, in the hands of one run.
type Page interface {
	// Load returns all that is remembered.
	Load(ctx context.Context) (State, error)

	// Update makes a change in one durable transaction: all of it, or with an
	// error nothing. If the page has been given to somebody else since Open,
	// nothing is written and the error is [ErrLocked]: a store that many
	// machines share compares a token that each Open makes larger.
	Update(ctx context.Context, ch Change) error

	// Close gives the page back. Closing twice is no error; a later Load or
	// Update is one.
	Close() error
}

// State is what a [Page] holds.
type State struct {
	// Store names the store, by something that was made up with it and lasts
	// as long; empty if it has no such thing. A sink that knows another one
	// betrays that this one is lost or foreign: see [Witness].
	Store string

	Records map[UID]Record

	// Cursor is what the server's changes are counted from; nil if not known.
	Cursor []byte

	Clock Clock

	// Hours are what was received of late, oldest first. Only the page of an
	// account itself has some: see [Limits.BytesPerDay].
	Hours []Hour
}

// Hour is how much was received in an hour.
type Hour struct {
	Begins time.Time // by the page's [Clock]
	Octets int64     // never less than 0
}

// Change is what [Page.Update] does.
type Change struct {
	Put    []Record // added, or replaced
	Forget []UID    // removed, those of Put excepted; what is not there is passed over
	Cursor []byte   // set; nil leaves it, empty removes it
	Clock  *Clock   // set; nil leaves it
	Hours  []Hour   // set, in this order; nil leaves them, empty removes them
}

// Stage is how far a message has come.
type Stage int

// The stages of a message, in order.
const (
	// Intended: about to be delivered. After a crash nobody knows whether it was.
	Intended Stage = iota + 1
	// Settled: delivered, durable and recorded.
	Settled
	// Doomed: settled, and to be deleted on the server. It stays so until a
	// listing shows that it is gone, or the account has a [Policy] that deletes
	// nothing.
	Doomed
)

// Record is what is remembered of one message.
type Record struct {
	UID   UID
	Stage Stage
	Ref   string    // the sink's name for it; of an intended one: for what it takes the place of
	Flags []Flag    // as server and sink both had them last
	Since time.Time // when it was intended; zero: nobody knows

	// Delivered is when it was settled, by the page's [Clock].
	Delivered time.Time

	// Size is how many octets the message has, as the server says; if it does
	// not, how many were retrieved.
	Size int64

	// Received is [Summary.Received].
	Received time.Time

	// Print is taken of the header section; zero if it is not known.
	Print Print

	// Email is the server's name for the message over all mailboxes
	// ([Summary.Email]), or empty.
	Email string

	// Twin says that nothing was delivered, because the message was delivered
	// from another mailbox of the account. It is never deleted.
	Twin bool

	// Seeded says that nothing was delivered, because the message counts as
	// settled by [Reseed]. It is never deleted.
	Seeded bool

	// HeaderOnly says that the header section is delivered alone, because the
	// message is larger than the account's limit. It is never deleted.
	HeaderOnly bool

	// Due says that the account's [After] is still to be carried out.
	Due bool

	// Vanished is when a listing first lacked the message; zero if it is
	// listed.
	Vanished time.Time

	// Missed is when the sink's copy was first missing, as one of many; zero if
	// it is there. See [Upstream].
	Missed time.Time

	// Following lists the flags that the copy was about to get or to lose, as the
	// server has them, when a run was cut short, and Sending those that the
	// message was about to get or to lose on the server. Whoever has them
	// otherwise than Flags says may have them from that run, and have changed
	// nothing. See [Upstream].
	Following, Sending []Flag

	// Deletes counts how often the server confirmed to have deleted it once
	// more.
	Deletes int

	// Attempts counts the failures in a row to retrieve or deliver it or, when it
	// is settled, to compare it, and Retry is when the next one is due.
	Attempts int
	Retry    time.Time
}

// isHere tells whether a settled message, or its header section, was delivered.
func (r *Record) isHere() bool { return !r.Twin && !r.Seeded }

// hasCopy tells whether the sink has something of a message: the message, or its
// header section.
func (r *Record) hasCopy() bool {
	return r.Stage >= Settled && r.isHere() || r.Stage == Intended && r.Ref != ""
}

// isAskedAbout tells whether the session was lost when the filter asked about a
// message, which was never on its way: see blame.
func (r *Record) isAskedAbout() bool { return r.Since.IsZero() && r.Attempts > 0 }

// isStillHeader tells whether what was found under a name for an intended message
// is only the header section whose place it is to take.
func (r *Record) isStillHeader(ref string) bool { return !r.HeaderOnly && r.Ref != "" && r.Ref == ref }
