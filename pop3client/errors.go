package pop3client

import (
	"errors"
	"fmt"

	"example.com/postbag/internal/transport"
)

// What went wrong, for errors.Is. pop3client, imapclient and retrieval agree
// on these values.
var (
	// ErrAuth: the server does not accept the credentials. Trying again with
	// the same ones is useless, and may lock the account.
	ErrAuth = transport.ErrAuth

	// ErrUnavailable: the server cannot be reached, fell silent, hung up, or
	// says that it cannot serve now ([IN-USE], [LOGIN-DELAY], [SYS/TEMP]). A
	// later try may succeed.
	ErrUnavailable = transport.ErrUnavailable

	// ErrTLS: the connection is not as private as asked for.
	ErrTLS = transport.ErrTLS

	// ErrProtocol: the server said what the protocol or the limits of
	// [Options] do not allow. The connection is closed.
	ErrProtocol = transport.ErrProtocol

	// ErrTruncated: the connection ended within a message. What was read of
	// it is not the message.
	ErrTruncated = transport.ErrTruncated

	// ErrGone: there is no message of that number, or it is marked as deleted.
	ErrGone = transport.ErrGone

	// ErrUncommitted: QUIT was not confirmed. Which of the marked messages
	// are deleted shows in the next session.
	ErrUncommitted = transport.ErrUncommitted

	// ErrClosed: the session was ended by [Client.Close] or [Client.Quit].
	ErrClosed = transport.ErrClosed

	// ErrTooLarge: the message has more than [Options.MaxMessageSize] octets.
	ErrTooLarge = errors.New("message is larger than allowed")

	// ErrAbandoned: what was left unread was more than [Options.MaxDrain], so
	// the connection was closed rather than read on.
	ErrAbandoned = errors.New("too much was left unread")

	// ErrDesync: the replies stopped, or made no sense, while more than one
	// command was under way. The server may not be up to pipelining, though
	// it says so; a session with [Options.Window] 1 may do.
	ErrDesync = errors.New("a pipelined session went out of step")
)

var (
	errBusy    = errors.New("called within a loop over messages")
	errExpired = errors.New("the message is no longer valid: the loop or the session has gone on")
)

// MessageError is an error about one message; the others go on.
type MessageError struct {
	Number int
	Err    error
}

func (e *MessageError) Error() string { return fmt.Sprintf("message %d: %v", e.Number, e.Err) }

// Unwrap returns Err.
func (e *MessageError) Unwrap() error { return e.Err }
