package imapclient

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/postbag/internal/transport"
)

// What went wrong, for errors.Is. pop3client and retrieval name the same
// values.
var (
	// ErrAuth: the server does not accept the credentials.
	ErrAuth = transport.ErrAuth

	// ErrUnavailable: the server cannot be reached, fell silent, hung up, or
	// says that it cannot serve now.
	ErrUnavailable = transport.ErrUnavailable

	// ErrTLS: the connection is not as private as asked for.
	ErrTLS = transport.ErrTLS

	// ErrProtocol: the server said what the protocol or the limits do not allow.
	ErrProtocol = transport.ErrProtocol

	// ErrTruncated: the connection ended within a message.
	ErrTruncated = transport.ErrTruncated

	// ErrGone: the message is no longer there.
	ErrGone = transport.ErrGone

	// ErrNoMailbox: the server knows no mailbox of that name.
	ErrNoMailbox = transport.ErrNoMailbox

	// ErrClosed: the client was closed or logged out on this side.
	ErrClosed = transport.ErrClosed

	// ErrTooLarge: the server does not take a message of that size.
	ErrTooLarge = errors.New("message is too large for the server")

	// ErrBusy: another command is under way on the client.
	ErrBusy = errors.New("another command is under way")
)

// Error is what a server said instead of OK.
type Error struct {
	Command string // such as "SELECT"; empty for a greeting or an unasked-for BYE
	Status  string // NO, BAD or BYE
	Code    string // the response code, upper case, without its arguments; may be empty
	Text    string // for a person, from the server

	// RetryAfter is how long the server asks to be left alone, 0 if it does not.
	RetryAfter time.Duration
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("imap: ")
	if e.Command != "" {
		b.WriteString(e.Command + ": ")
	}
	b.WriteString(e.Status)
	if e.Code != "" {
		fmt.Fprintf(&b, " [%s]", e.Code)
	}
	if e.Text != "" {
		fmt.Fprintf(&b, " %q", e.Text)
	}
	return b.String()
}

// Unwrap returns the condition that the response code stands for (RFC 9051
// section 7.1), or nil.
func (e *Error) Unwrap() error {
	switch e.Code {
	case "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED":
		if e.Command == "LOGIN" || e.Command == "AUTHENTICATE" {
			return ErrAuth
		}
	case "UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "CONTACTADMIN", "SYS/TEMP": // the last is of RFC 3206
		return ErrUnavailable
	case "PRIVACYREQUIRED":
		return ErrTLS
	case "NONEXISTENT", "TRYCREATE":
		return ErrNoMailbox
	case "TOOBIG": // RFC 7889 section 4
		return ErrTooLarge
	}
	switch {
	case e.Status == "BYE" || e.RetryAfter > 0 || tooMany(e.Text):
		return ErrUnavailable
	case e.Status == "BAD" && strings.Contains(e.Text, "authenticated but not connected"):
		// QUIRK: Outlook says so to every command after a login with the wrong
		// kind of token: it will never do.
		return ErrAuth
	case e.Status == "NO" && (e.Command == "LOGIN" || e.Command == "AUTHENTICATE"):
		return ErrAuth
	case e.Status == "NO" && (e.Command == "SELECT" || e.Command == "EXAMINE") && e.Code == "":
		return ErrNoMailbox // many servers say it without a code
	}
	return nil
}

// tooMany tells whether a server refuses because it serves the user already.
//
// QUIRK: Gmail refuses the right password with "NO [ALERT] Too many simultaneous
// connections. (Failure)"; RFC 9051 section 7.1 has LIMIT for that.
func tooMany(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "too many") && strings.Contains(text, "connections")
}

// MessageError is an error about one message; the others go on.
type MessageError struct {
	UID uint32
	Err error
}

func (e *MessageError) Error() string { return fmt.Sprintf("message %d: %v", e.UID, e.Err) }

// Unwrap returns Err.
func (e *MessageError) Unwrap() error { return e.Err }

// statusError makes an error of a status response: after "NO ", say.
func (c *Client) statusError(command, status string, rest []byte) *Error {
	e := &Error{Command: command, Status: status}
	code, _, text := splitCode(rest)
	e.Code = code
	const enough = 500   // of a server's words
	text = c.scrub(text) // before it is cut, perhaps within a secret
	if len(text) > enough {
		text = text[:enough]
	}
	e.Text = strings.ToValidUTF8(string(text), "\ufffd")
	e.RetryAfter = backoff(e.Text)
	return e
}

// backoff reads how long a server asks to be left alone.
//
// QUIRK: Exchange Online: "BAD Request is throttled. Suggested Backoff Time:
// 92415 milliseconds".
func backoff(text string) time.Duration {
	_, after, ok := strings.Cut(text, "Suggested Backoff Time: ")
	digits, unit, _ := strings.Cut(after, " ")
	n, err := parseUint([]byte(digits), 31)
	if !ok || err != nil || !strings.HasPrefix(unit, "millisecond") {
		return 0
	}
	return time.Duration(n) * time.Millisecond
}

// splitCode takes "[CODE args] text" apart; code is upper case.
func splitCode(b []byte) (code string, args, text []byte) {
	b = bytes.TrimLeft(b, " ")
	if len(b) == 0 || b[0] != '[' {
		return "", nil, b
	}
	end := bytes.IndexByte(b, ']')
	if end < 0 {
		return "", nil, b
	}
	inside, text := b[1:end], bytes.TrimLeft(b[end+1:], " ")
	name, args, _ := bytes.Cut(inside, []byte(" "))
	const longest = 64
	if len(name) > longest || !isAtom(name) {
		return "", nil, text
	}
	return strings.ToUpper(string(name)), args, text
}

// badArgument refuses what could be read as another command.
func badArgument(what, s string) error {
	if strings.ContainsAny(s, "\r\n\x00") {
		return fmt.Errorf("imap: %s holds CR, LF or NUL", what)
	}
	return nil
}
