package transport

import "errors"

// The conditions that a caller acts on. Each has one identity in the whole
// module: pop3client, imapclient and retrieval give the same values their
// own names, so that errors.Is works whichever layer is asked.
var (
	// ErrAuth: the server does not accept the credentials. Trying again with
	// the same ones is useless, and may lock the account.
	ErrAuth = errors.New("authentication failed")

	// ErrUnavailable: the server cannot be reached, fell silent, hung up, or
	// says that it cannot serve now. A later try may succeed.
	ErrUnavailable = errors.New("server unavailable")

	// ErrTLS: the connection is not as private as asked for: a certificate
	// that does not verify, a handshake that fails while the line holds, an
	// upgrade that the server refuses or tampers with.
	ErrTLS = errors.New("no secure connection")

	// ErrProtocol: the server said what the protocol does not allow, or more
	// than the limits allow. The connection is closed.
	ErrProtocol = errors.New("protocol violation")

	// ErrTruncated: the connection ended within a message. What was read of
	// it is not the message.
	ErrTruncated = errors.New("message cut short")

	// ErrGone: the message is no longer on the server.
	ErrGone = errors.New("message is gone from the server")

	// ErrNoMailbox: the server knows no mailbox of that name.
	ErrNoMailbox = errors.New("no such mailbox")

	// ErrUncommitted: the server did not confirm the deletions asked for.
	ErrUncommitted = errors.New("deletions not confirmed by the server")

	// ErrClosed: the session was closed on this side.
	ErrClosed = errors.New("session is closed")
)

// Mark gives err a kind: the result reads like err, and errors.Is finds both.
func Mark(kind, err error) error { return &marked{kind, err} }

type marked struct{ kind, err error }

func (m *marked) Error() string   { return m.err.Error() }
func (m *marked) Unwrap() []error { return []error{m.kind, m.err} }
