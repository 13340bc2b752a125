package retrieval

import (
	"context"
	"iter"
	"time"
)

// Retriever is one session with one mailbox of one account, shaped like a
// database transaction: what [Retriever.Delete] asks for happens at Commit,
// and Close without Commit leaves the mailbox as it was. [Open] returns one
// for POP3 or IMAP; any other source of mail can implement it and prove it
// with retrievaltest.TestRetriever.
//
// A Retriever belongs to one goroutine. Contexts bound each call; cancelling
// one ends the session, because no mail protocol can take a command back.
type Retriever interface {
	// Features tells what this server can keep, as found at login.
	Features() Features

	// List returns a summary of every message, oldest first, without
	// retrieving any. Later calls speak of the same snapshot. Two messages
	// with the same UID are [ErrAmbiguous].
	List(ctx context.Context) ([]Summary, error)

	// Headers retrieves the header sections of the messages named, blank
	// line included (POP3 TOP n 0, IMAP BODY.PEEK[HEADER]).
	//
	// An error in the sequence is a [*MessageError] about one message, such
	// as [ErrGone], unless it is an [ErrSession], which is the last. Breaking
	// out of the loop leaves the session usable; what the server is already
	// sending is read and thrown away.
	Headers(ctx context.Context, uids ...UID) iter.Seq2[*Message, error]

	// Fetch retrieves whole messages as Headers does header sections,
	// pipelined where the server can do that. It never sets \Seen.
	Fetch(ctx context.Context, uids ...UID) iter.Seq2[*Message, error]

	// Delete marks messages for deletion at Commit. Nothing is sent, so it
	// may be called within a loop over Fetch. A UID that List did not name is
	// an error, and none of uids is marked.
	Delete(uids ...UID) error

	// Commit makes the marked messages go away on the server, those and no
	// others, and ends the session: after it only Close may be called. On
	// POP3 that is DELE and QUIT, on IMAP STORE and UID EXPUNGE; a server
	// that cannot remove just these (IMAP without UIDPLUS) is left alone, and
	// the error is [errors.ErrUnsupported]. With an [ErrUncommitted] the
	// Receipt says what is not known; if the server refused some messages alone
	// there is a [*MessageError] in it for each of them, and the others are gone.
	Commit(ctx context.Context) (Receipt, error)

	// Close ends the session. Without Commit it sends nothing that could
	// change the mailbox.
	Close() error
}

// Features is what a session offers beyond the least common measure.
type Features struct {
	Protocol Protocol

	// Flags: the server keeps flags, and Summaries have them.
	Flags bool

	// ExactDelete: Commit can remove the marked messages and no others.
	ExactDelete bool

	// Pipelining: many messages are under way at a time.
	Pipelining bool

	// LoginDelay is the least time that the server wants between two logins
	// (LOGIN-DELAY, RFC 2449 section 6.5); zero if it has not said.
	LoginDelay time.Duration

	// Generation, if not empty, is what every UID begins with, followed by a
	// dot. When it changes, UIDs from before name nothing (IMAP UIDVALIDITY).
	Generation string
}

// Receipt is the fate of each message that was to be deleted.
type Receipt struct {
	Deleted []UID // the server confirmed it
	Kept    []UID // the server refused, or it was not asked
	Unknown []UID // the session ended between the question and the answer
}

// Flagger is a [Retriever] of a server with flags.
type Flagger interface {
	// SetFlags changes the flags of messages at once, not at Commit. A UID
	// that is gone is passed over.
	SetFlags(ctx context.Context, op FlagOp, flags []Flag, uids ...UID) error
}

// FlagOp is how [Flagger.SetFlags] changes flags.
type FlagOp int

// The ways to change flags (RFC 9051 section 6.4.6).
const (
	AddFlags FlagOp = iota
	RemoveFlags
	ReplaceFlags
)

// SetFlags changes flags through r, or returns [errors.ErrUnsupported] where
// there are none, as with POP3.
func SetFlags(ctx context.Context, r Retriever, op FlagOp, flags []Flag, uids ...UID) error {
	f, ok := r.(Flagger)
	if !ok || !r.Features().Flags {
		return unsupported("flags")
	}
	return f.SetFlags(ctx, op, flags, uids...)
}

// Mover is a [Retriever] of a server with mailboxes.
type Mover interface {
	// Move moves messages to another mailbox of the account, at once. A UID
	// that is gone is passed over. A mailbox that does not exist is
	// [ErrNoMailbox], and a server that can move nothing without touching what
	// others have marked is [errors.ErrUnsupported].
	Move(ctx context.Context, mailbox string, uids ...UID) error
}

// Move moves messages through r, or returns [errors.ErrUnsupported] where
// there is nowhere to move to, as with POP3.
func Move(ctx context.Context, r Retriever, mailbox string, uids ...UID) error {
	m, ok := r.(Mover)
	if !ok {
		return unsupported("mailboxes")
	}
	return m.Move(ctx, mailbox, uids...)
}

// Traffic is what a session has cost on the wire so far.
type Traffic struct {
	In, Out    int64 // octets, TLS included
	RoundTrips int64 // times the client spoke after the server had
}

// Metered is a [Retriever] that counts its traffic.
type Metered interface{ Traffic() Traffic }
