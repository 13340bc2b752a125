package retrieval

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
// (nil: it is gone) and what is remembered of it (nil: it is new; otherwise
// at least settled). It is a pure function. Its order of effects is not its
// business: [Run] never deletes what is not settled, whatever a policy says.
//
//	policy            new                known and listed     gone
//	LeaveOnServer     Deliver            Keep                 Forget
//	DownloadAndDelete DeliverAndDelete   Delete               Forget
//	ServerSync        Deliver            Reflag if different  Discard
//
// A message that an earlier run doomed is deleted again, and forgotten when
// it is gone, without asking the policy.
type Policy func(remote *Summary, local *Record) Action

// LeaveOnServer delivers each message once and leaves the server as it is.
func LeaveOnServer(remote *Summary, local *Record) Action {
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
func DownloadAndDelete(remote *Summary, local *Record) Action {
	switch {
	case remote == nil:
		return Forget
	case local == nil:
		return DeliverAndDelete
	}
	return Delete
}

// ServerSync keeps the delivered copies in step with the server: new messages
// are delivered, flags follow, and what is gone there goes here. It needs a
// server with flags (IMAP) and a sink that is a [Mirrorer].
func ServerSync(remote *Summary, local *Record) Action {
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

// needs finds out what a policy asks of server and sink by asking it.
func (p Policy) needs() (flags, mirror, deletes bool) {
	const a, b = FlagSeen, FlagFlagged
	for _, act := range []Action{
		p(&Summary{}, nil),
		p(&Summary{}, &Record{Stage: Settled}),
		p(&Summary{Flags: []Flag{a}}, &Record{Stage: Settled, Flags: []Flag{b}}),
		p(nil, &Record{Stage: Settled}),
	} {
		flags = flags || act == Reflag
		mirror = mirror || act == Reflag || act == Discard
		deletes = deletes || act == Delete || act == DeliverAndDelete
	}
	return flags, mirror, deletes
}
