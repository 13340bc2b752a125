package retrieval

import (
	"context"
	"errors"
)

// Upstream is what [ServerSync] carries from here to the server. It needs a
// sink that is an [Inventory] and a [Mirrorer]. Zero carries nothing.
//
// The record of a message holds the flags that server and copy both had last.
// What differs from that was changed, and each flag is carried by itself:
//
//	here            server          what a run does
//	flag changed    as it was       the server follows
//	as it was       flag changed    the copy follows
//	flag changed    likewise        nothing: both agree
//	removed         as it was       removed on the server, or moved to Trash
//	removed         flags changed   delivered anew: somebody there wants it
//	as it was       removed         the copy is removed
//	flag changed    removed         the copy is removed
//
// Flags that one side cannot keep stay the other side's own. The mark \Deleted
// is never carried as a flag: set here alone it means that the message was
// removed, and what is marked on the server stays there until somebody expunges
// it.
//
// On the server flags are added and taken away, never replaced, and with
// CONDSTORE only if nobody has changed the message since the listing; who has
// is asked again in the next run.
//
// What was delivered as a header section alone ([Limits]), settled without a
// delivery ([Reseed]), thrown away ([DropUnless]), or delivered into another sink
// that the account had before, is never removed on the server.
//
// A [Route] does as well as its sinks, and a [Tee] does not do: if two copies of
// a message differ, nobody can tell in which of them something was changed.
type Upstream struct {
	Flags bool // flags that were changed here

	// Removals: what was removed here is deleted there or, with Trash, moved
	// to the mailbox of that name, which must exist. It needs UIDPLUS, or MOVE
	// for Trash; a sink that is a [Witness]; and a store that has an identity
	// ([State.Store]). If the sink turns out not to have been used with this
	// store, what it lacks was not removed but lost, and is delivered anew.
	//
	// When more than 20 messages and more than half of all are missing, or all
	// of several, that is believed when it is seen again an hour later
	// ([Report.Held]). What is removed in Trash itself is deleted.
	Removals bool
	Trash    string

	// Only carries to the server and nothing from it: new messages are
	// delivered, but copies here follow neither flags nor deletions there. Then
	// a removal here wins over flags that were changed there.
	Only bool
}

// Inventory is a [Sink] that can say what has become of its messages, as
// [Upstream] needs.
type Inventory interface {
	// Owns tells whether the sink can have given that name to a message of that
	// mailbox. If not, the message was delivered when the account had another
	// sink: that Copies lacks it says nothing about it.
	Owns(box Box, ref string) bool

	// Copies returns the flags of the delivered messages by the sink's names
	// for them: those of one mailbox at least, and possibly others. What is not
	// there was removed; the mark \Deleted is for what is about to be. To leave
	// out a message that is there would have it deleted on the server: a sink
	// that cannot tell surely has to return an error.
	Copies(ctx context.Context, box Box) (map[string][]Flag, error)

	// Keeps tells whether the sink can keep a flag. If not, the flag's absence
	// means nothing.
	Keeps(f Flag) bool

	// ChangeFlags adds and takes away flags of a delivered message, leaves the
	// others as they are just then, and returns the message's name from now
	// on. Better it stays the same: a new one that a crash keeps from being
	// recorded looks like a removal. It is durable after Flush; a message that is not there any more is
	// [ErrGone].
	ChangeFlags(ctx context.Context, ref string, add, remove []Flag) (newRef string, err error)
}

func (u Upstream) any() bool { return u.Flags || u.Removals }

func (a *Account) checkUpstream() error {
	u := a.Upstream
	flags, mirror, deletes := a.policy().needs()
	switch {
	case u == Upstream{}:
		return nil
	case !u.any():
		return errors.New("account: of Upstream, neither Flags nor Removals is set")
	case !flags || !mirror:
		return errors.New("account: Upstream is for a policy that keeps in step with the server")
	case u.Trash != "" && !u.Removals:
		return errors.New("account: Upstream has a Trash and no Removals")
	case u.Removals && deletes:
		return errors.New("account: Upstream.Removals with a policy that deletes by itself")
	}
	return nil
}

// trash is the mailbox that removed messages are moved to; empty: they are
// deleted.
func (a *Account) trash() string {
	if a.Upstream.Trash == "" || isSameMailbox(a.Upstream.Trash, a.Mailbox) {
		return ""
	}
	return a.Upstream.Trash
}

// upstreamPolicy is the account's policy without what it may not do here.
func (a *Account) upstreamPolicy() Policy {
	p := a.policy()
	if !a.Upstream.Only {
		return p
	}
	return func(remote *Summary, local *Record, at Position) Action {
		switch act := p(remote, local, at); act {
		case Reflag:
			return Keep
		case Discard:
			return Forget
		default:
			return act
		}
	}
}

// suitsUpstream refuses a sink that cannot do what the account's Upstream asks
// for.
func (r *run) suitsUpstream() error {
	if !r.a.Upstream.any() {
		return nil
	}
	if _, ok := r.sink.(Inventory); !ok {
		return unsupported("a sink that cannot say what was changed here")
	}
	if r.a.Upstream.Removals && !isWitness(r.sink) {
		return unsupported("carrying removals from a sink that does not know its store")
	}
	return nil
}

// An upstreamer is a session that changes can be carried to.
type upstreamer interface {
	// carries returns an error if the server cannot do what is asked for. In a
	// dry run every mailbox is read-only.
	carries(ctx context.Context, removals bool, trash string) error

	// keeps tells whether the server keeps a flag beyond the session.
	keeps(f Flag) bool

	// setFlagsUnlessChanged is [Flagger.SetFlags] for messages that nobody has
	// changed since the listing, as far as the server can tell. It returns the
	// others.
	setFlagsUnlessChanged(ctx context.Context, op FlagOp, flags []Flag, uids ...UID) (changed []UID, err error)
}

// canCarry refuses, before anything is done, a server or a store that cannot do
// what the account's Upstream asks for.
func (r *run) canCarry(ctx context.Context) error {
	u := r.a.Upstream
	if !u.any() {
		return nil
	}
	s, ok := r.r.(upstreamer)
	if !ok {
		return unsupported("carrying changes to a server without flags")
	}
	if u.Removals && r.state.Store == "" {
		return unsupported("carrying removals to the server with a store that has no identity")
	}
	return s.carries(ctx, u.Removals, r.a.trash())
}

// refill forgets what the sink lacks, if it was not used with this store before:
// then it was not removed here but lost, or never was in this one. It is done
// before the sink becomes a witness, after which that cannot be told.
func (r *run) refill(ctx context.Context) error {
	if !r.a.Upstream.Removals {
		return nil
	}
	inv := r.sink.(Inventory)
	flags, err := inv.Copies(ctx, r.box)
	if err != nil {
		return sinkError(err)
	}
	ch := Change{Cursor: []byte{}} // the next listing has to name them
	for uid, rec := range r.known {
		if _, ok := flags[rec.Ref]; !ok && rec.Stage == Settled && rec.Ref != "" && inv.Owns(r.box, rec.Ref) {
			ch.Forget = append(ch.Forget, uid)
			delete(r.known, uid)
		}
	}
	if len(ch.Forget) == 0 {
		return nil
	}
	return r.update(ctx, ch)
}
