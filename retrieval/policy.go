package retrieval

import "time"

// Action is what a [Policy] wants done with a message.
type Action int

// The actions.
const (
	Keep             Action = iota // nothing is to be done
	Deliver                        // retrieve and deliver, leave on the server
	DeliverAndDelete               // retrieve, deliver, then delete on the server
	Delete                         // delete on the server, without retrieving
	Reflag                         // give the delivered copy the server's flags
	Discard                        // remove the delivered copy, and forget
	Forget                         // drop the record
)

// Policy decides what to do with a message, from what the server says of it
// (nil: it is gone), what is remembered of it (nil: it is new; otherwise at
// least settled), and where it stands. It is a pure function. Its order of
// effects is not its business: [Run] never deletes what is not settled,
// whatever a policy says.
//
//	policy            new                 known and listed     gone
//	LeaveOnServer     Deliver             Keep                 Forget
//	DownloadAndDelete DeliverAndDelete    Delete               Forget
//	DeleteAfter(d)    Deliver             Delete when d old    Forget
//	KeepLast(n)       Deliver (and        Delete when n are    Forget
//	                  delete likewise)    newer
//	ServerSync        Deliver             Reflag if different  Discard
//
// A message that an earlier run doomed is deleted again without asking the
// policy, until a listing shows that it is gone, and even if [KeepLast] would
// keep it now. A policy that deletes nothing, such as LeaveOnServer, drops what
// is pending: the message is settled again, and a mark \Deleted that was left on
// it is taken away. (One that does not seem to delete is asked about the message
// first; and [Upstream] has its own pending removals.)
//
// What is known and not here as a whole ([Record.Twin], [Record.Seeded],
// [Record.HeaderOnly]) is not deleted. The record of one that is gone is kept for
// another 30 days, so that a server which shows it again does not get it
// delivered twice.
type Policy func(remote *Summary, local *Record, at Position) Action

// Position is where a message stands in its mailbox.
type Position struct {
	// Now is what the mailbox's [Clock] shows.
	Now time.Time

	// Newer is how many messages are listed that are newer, whether the
	// account's filter wants them or not.
	Newer int
}

// LeaveOnServer delivers each message once and leaves the server as it is.
func LeaveOnServer(remote *Summary, local *Record, _ Position) Action {
	switch {
	case remote == nil:
		return Forget
	case local == nil:
		return Deliver
	}
	return Keep
}

// DownloadAndDelete takes messages home: each is deleted on the server once
// it is durable here.
func DownloadAndDelete(remote *Summary, local *Record, _ Position) Action {
	switch {
	case remote == nil:
		return Forget
	case local == nil:
		return DeliverAndDelete
	}
	return Delete
}

// DeleteAfter returns the policy to deliver each message once and delete it on
// the server when its delivery is at least d ago. What was not delivered stays,
// however old it is.
func DeleteAfter(d time.Duration) Policy {
	return func(remote *Summary, local *Record, at Position) Action {
		switch {
		case remote == nil:
			return Forget
		case local == nil:
			return Deliver
		case at.Now.Sub(local.delivered()) >= d:
			return Delete
		}
		return Keep
	}
}

// KeepLast returns the policy to deliver each message once and leave the newest
// n on the server: what was delivered and has n newer ones is deleted.
func KeepLast(n int) Policy {
	return func(remote *Summary, local *Record, at Position) Action {
		switch {
		case remote == nil:
			return Forget
		case local == nil && at.Newer >= n:
			return DeliverAndDelete
		case local == nil:
			return Deliver
		case at.Newer >= n:
			return Delete
		}
		return Keep
	}
}

// ServerSync keeps the delivered copies in step with the server: new messages
// are delivered, flags follow, and what is gone there goes here. It needs a
// server with flags (IMAP) and a sink that is a [Mirrorer]. What was changed
// here goes to the server as far as [Account.Upstream] says.
func ServerSync(remote *Summary, local *Record, _ Position) Action {
	switch {
	case remote == nil:
		return Discard
	case local == nil:
		return Deliver
	case !SameFlags(remote.Flags, local.Flags):
		return Reflag
	}
	return Keep
}

// delivered is when a settled message was delivered, as far as that is known.
func (r *Record) delivered() time.Time {
	if r.Delivered.IsZero() {
		return r.Since // written by a version that did not note it
	}
	return r.Delivered
}

// needs finds out what a policy asks of server and sink by asking it.
func (p Policy) needs() (flags, mirror, deletes bool) {
	const a, b = FlagSeen, FlagFlagged
	early := time.Unix(1, 0)
	for _, at := range []Position{{Now: early}, {Now: early.AddDate(10_000, 0, 0), Newer: 1 << 30}} {
		for _, act := range []Action{
			p(&Summary{}, nil, at),
			p(&Summary{}, &Record{Stage: Settled, Since: early, Delivered: early}, at),
			p(&Summary{Flags: []Flag{a}}, &Record{Stage: Settled, Flags: []Flag{b}, Since: early, Delivered: early}, at),
			p(nil, &Record{Stage: Settled, Since: early, Delivered: early}, at),
		} {
			flags = flags || act == Reflag
			mirror = mirror || act == Reflag || act == Discard
			deletes = deletes || act == Delete || act == DeliverAndDelete
		}
	}
	return flags, mirror, deletes
}
