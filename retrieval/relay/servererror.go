package relay

import (
	"errors"
	"fmt"
	"net/textproto"
	"strings"

	"github.com/emersion/go-smtp"

	"example.com/postbag/retrieval"
)

// ServerError is what a server said that did not do as it was told, for
// errors.As.
type ServerError struct {
	// Command is the command's name, as "RCPT"; "message" stands for what comes
	// after the last octet, and "connect" for the greeting.
	Command string

	// Code is the reply's code.
	Code int

	// Enhanced is the enhanced status code (RFC 3463), as "5.1.1", or empty.
	Enhanced string

	// Text is what the server said, cut to 500 octets. It is the server's, and
	// not to be trusted.
	Text string
}

// Error implements error.
func (e *ServerError) Error() string {
	code := strings.TrimRight(fmt.Sprintf("%d %s", e.Code, e.Enhanced), " ")
	return fmt.Sprintf("%s: %s %q", e.Command, code, e.Text)
}

// Recipient is one recipient and why it did not get a message.
type Recipient struct {
	Address string
	Err     error
}

// RecipientError tells the recipients apart that took a message from those that
// did not, for errors.As. It is [retrieval.ErrDeferred] if some of them may
// still take it, else [retrieval.ErrRejected]. Those that took it do not get it
// again from the same sink.
type RecipientError struct {
	Taken    []string    // at this or an earlier try
	Deferred []Recipient // may take it later
	Rejected []Recipient // will not take it
}

// Error implements error.
func (e *RecipientError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v", e.kind())
	for i, r := range append(e.Deferred[:len(e.Deferred):len(e.Deferred)], e.Rejected...) {
		if i == 3 {
			fmt.Fprintf(&b, ", and %d more", len(e.Deferred)+len(e.Rejected)-i)
			break
		}
		fmt.Fprintf(&b, ", %s: %v", r.Address, r.Err)
	}
	if len(e.Taken) > 0 {
		fmt.Fprintf(&b, ", taken by %d others", len(e.Taken))
	}
	return b.String()
}

// Unwrap returns the kind, and each recipient's error.
func (e *RecipientError) Unwrap() []error {
	errs := []error{e.kind()}
	for _, r := range e.Deferred {
		errs = append(errs, r.Err)
	}
	for _, r := range e.Rejected {
		errs = append(errs, r.Err)
	}
	return errs
}

func (e *RecipientError) kind() error {
	if len(e.Deferred) > 0 {
		return retrieval.ErrDeferred
	}
	return retrieval.ErrRejected
}

const maxText = 500

// said makes a [ServerError] of what go-smtp calls an error if the server has
// said something, and the reason that the wire has of any other error.
func (c *session) said(command string, err error) error {
	if err == nil {
		return nil
	}
	if said := (*smtp.SMTPError)(nil); errors.As(err, &said) {
		e := &ServerError{Command: command, Code: said.Code, Text: clip(c.scrub(said.Message))}
		if c := said.EnhancedCode; c[0] > 0 {
			e.Enhanced = fmt.Sprintf("%d.%d.%d", c[0], c[1], c[2])
		}
		return e
	}
	if bad := textproto.ProtocolError(""); errors.As(err, &bad) {
		err = textproto.ProtocolError(c.scrub(string(bad)))
	}
	return saidNothing(command, c.wire, err)
}

// scrub returns what a server said without the credentials: some repeat a
// command that they do not understand.
func (c *session) scrub(text string) string {
	for _, s := range c.secrets {
		text = strings.ReplaceAll(text, s, "***")
	}
	return text
}

// saidNothing is for when the server has not said anything, or nothing that
// is a reply.
func saidNothing(command string, w *wire, err error) error {
	if w.err != nil {
		err = w.err
	} else if bad := textproto.ProtocolError(""); errors.As(err, &bad) {
		err = fmt.Errorf("no reply: %q", clip(string(bad)))
	}
	return fmt.Errorf("%s: %w", command, err)
}

func clip(text string) string { return text[:min(len(text), maxText)] }

// about says what a failed command means: [retrieval.ErrRejected] or
// [retrieval.ErrDeferred] if it is about the message, nil if it is about the
// server or the connection.
func about(err error) error {
	e := (*ServerError)(nil)
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code {
	case 421, // is going away
		500, 502, 503, // does not know the command, or not now
		530, 534, 535, 538: // wants a login, or another one
		return nil
	}
	switch e.Code / 100 {
	case 4:
		return retrieval.ErrDeferred
	case 5:
		return retrieval.ErrRejected
	}
	return nil // 2 or 3 to what asks for something else: out of step
}

// marked gives err a kind, also in its text.
func marked(kind, err error) error { return fmt.Errorf("%w: %w", kind, err) }
