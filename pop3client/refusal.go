package pop3client

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Error is a command that the server refused (-ERR). The session goes on.
//
// errors.Is finds [ErrAuth] for wrong credentials, [ErrUnavailable] for a
// refusal that may pass, [ErrGone] for a message that is not there, and
// [errors.ErrUnsupported] for a command that the server does not have: RETR,
// DELE and LIST every server has, whatever it says of a message.
type Error struct {
	Command string // the command's name, such as "RETR"; "greeting" for the server's first line
	Code    string // the response code in upper case, such as "IN-USE" or "SYS/TEMP" (RFC 2449 section 8, RFC 3206), or ""
	Text    string // what the server says of it, without the code

	// RetryAfter is how long the server wants between two logins, if it
	// refuses one for that (LOGIN-DELAY) and has said so; otherwise zero.
	RetryAfter time.Duration

	authCodes   bool // AUTH-RESP-CODE: wrong credentials have the code AUTH. RFC 3206 section 6
	unsupported bool // the server does not have the command
}

func (e *Error) Error() string {
	code := ""
	if e.Code != "" {
		code = " [" + e.Code + "]"
	}
	return fmt.Sprintf("pop3: %s: -ERR%s %q", e.Command, code, e.Text)
}

// Is tells whether the refusal is of the kind target. RFC 2449 section 8.1,
// RFC 3206 sections 4 and 5.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrAuth:
		return e.Code == "AUTH" || e.Code == "" && e.login() && !e.authCodes && !e.unsupported
	case ErrUnavailable:
		return e.Temporary()
	case ErrGone:
		return e.Code == "" && e.aboutMessage() && saysGone(e.Text)
	case ErrTLS:
		return e.Command == "STLS"
	case errors.ErrUnsupported:
		return e.unsupported
	}
	return false
}

// Temporary tells whether the server says that the same may succeed later.
func (e *Error) Temporary() bool {
	return e.Code == "IN-USE" || e.Code == "LOGIN-DELAY" || e.hasCode("SYS/TEMP") || e.Code == "" && e.Command == "greeting"
}

// Permanent tells whether the server says that it takes a person to put it
// right (SYS/PERM).
func (e *Error) Permanent() bool { return e.hasCode("SYS/PERM") }

// hasCode tells whether the code is this one or one below it. RFC 2449
// section 8: a slash separates the levels.
func (e *Error) hasCode(code string) bool {
	return e.Code == code || strings.HasPrefix(e.Code, code+"/")
}

func (e *Error) login() bool {
	switch e.Command {
	case "USER", "PASS", "APOP", "AUTH":
		return true
	}
	return false
}

func (e *Error) aboutMessage() bool {
	switch e.Command {
	case "RETR", "TOP", "DELE", "LIST", "UIDL":
		return true
	}
	return false
}

// refused makes the error of a reply that is -ERR.
func (c *Client) refused(verb string, r reply) *Error {
	code, text := r.code()
	e := &Error{Command: verb, Code: code, Text: string(c.w.scrub([]byte(text))), authCodes: c.caps.Has("AUTH-RESP-CODE")}
	if code == "LOGIN-DELAY" {
		e.RetryAfter, _ = c.caps.LoginDelay()
	}
	switch {
	case code != "" || saysGone(text) || c.works[verb] || e.aboutMessage() && !optional[verb]:
	case saysUnknown(text): // whatever CAPA says
		if e.unsupported = true; optional[verb] {
			c.lacks[verb] = e
		}
	case optional[verb] && !c.caps.Has(verb):
		// QUIRK: Verizon's jpop had UIDL and did not say so, popa3d has no
		// CAPA; so the command is tried, and its refusal says more than CAPA.
		e.unsupported = true
	}
	return e
}

// optional are the commands of RFC 1939 that a server need not have, with
// capabilities of the same names.
var optional = map[string]bool{"UIDL": true, "TOP": true}

// saysGone recognises the ways in which servers say that a message is not
// there; no response code does.
func saysGone(text string) bool {
	return containsAny(text,
		"no such message",        // RFC 1939, Mailutils
		"deleted",                // RFC 1939; Dovecot: Message is deleted
		"there's no message",     // Dovecot
		"there's only",           // Dovecot
		"invalid message number", // Courier
		"message number",         // …out of range, …invalid
		"not exist", "doesn't exist", "unknown message", "message not found", "no message")
}

// saysUnknown recognises the ways in which servers say that they do not have
// a command.
func saysUnknown(text string) bool {
	return containsAny(text,
		"unknown command", "invalid command", "unrecognized", "unrecognised",
		"not implemented", "unimplemented", "not supported", "unsupported")
}

func containsAny(text string, parts ...string) bool {
	text = strings.ToLower(text)
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}
