package retrieval

import (
	"errors"
	"fmt"

	"example.com/postbag/internal/transport"
	"example.com/postbag/pop3client"
)

// What went wrong, for errors.Is. The first group are the clients' own
// errors under another name: pop3client, imapclient and retrieval agree.
var (
	// ErrAuth: the server does not accept the credentials.
	ErrAuth = transport.ErrAuth

	// ErrUnavailable: the server cannot be reached, fell silent, hung up, or
	// says that it cannot serve now. A later run may succeed.
	ErrUnavailable = transport.ErrUnavailable

	// ErrTLS: the connection is not as private as the account asks for.
	ErrTLS = transport.ErrTLS

	// ErrProtocol: the server said what the protocol or the limits do not allow.
	ErrProtocol = transport.ErrProtocol

	// ErrTruncated: the connection ended within a message.
	ErrTruncated = transport.ErrTruncated

	// ErrGone: the message is no longer there.
	ErrGone = transport.ErrGone

	// ErrNoMailbox: the account's mailbox is not on the server.
	ErrNoMailbox = transport.ErrNoMailbox

	// ErrUncommitted: the server did not confirm the deletions. Whether they
	// were made shows in the next listing; a [Run] deletes again then,
	// without a second download.
	ErrUncommitted = transport.ErrUncommitted
)

var (
	// ErrSession: the session is over, not just the work on one message.
	ErrSession = errors.New("session lost")

	// ErrSink: the sink could not take a message or make it durable. A sink
	// whose error is neither [ErrRejected] nor [ErrDeferred] takes nothing now:
	// the run ends.
	ErrSink = errors.New("delivery failed")

	// ErrRejected: the sink will not take this message, now or later. The
	// others go on.
	ErrRejected = errors.New("rejected")

	// ErrDeferred: the sink does not take this message now, and may later. The
	// others go on.
	ErrDeferred = errors.New("deferred")

	// ErrStore: the store could not be read or written.
	ErrStore = errors.New("store failed")

	// ErrStateLost: the store is not the one that this mailbox was delivered
	// with, or it is damaged; nothing was done.
	ErrStateLost = errors.New("the state of the mailbox is lost")

	// ErrLocked: another process has the store.
	ErrLocked = errors.New("in use by another process")

	// ErrRenumbered: the server gave up the numbers that it had given its
	// messages (the UIDVALIDITY changed), or gives them once more to others, as
	// after it was restored from a backup; so that what was settled can no
	// longer be told from what is new. Nothing was done, but the latter is
	// remembered until [Account.Reset] says what to do, or the messages are found
	// to be the same.
	ErrRenumbered = errors.New("the server has renumbered the mailbox")

	// ErrTooLarge: the message is larger than the account's limit.
	ErrTooLarge = errors.New("larger than the limit")

	// ErrUndeleted: the server has the message still, although it has been
	// asked to delete it in one run after another.
	ErrUndeleted = errors.New("the server does not delete it")

	// ErrAmbiguous: the server gave two messages the same UID. Nothing was done.
	ErrAmbiguous = errors.New("two messages with the same UID")
)

// OAuthError is what a server says of a token that it does not accept, for
// errors.As. Its fields are Status, Schemes, Scope and JSON.
type OAuthError = pop3client.OAuthError

// MessageError is an error about one message; the others go on.
type MessageError struct {
	UID UID
	Err error
}

func (e *MessageError) Error() string { return fmt.Sprintf("message %s: %v", e.UID, e.Err) }

// Unwrap returns Err.
func (e *MessageError) Unwrap() error { return e.Err }
