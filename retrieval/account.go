package retrieval

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Protocol is a mail retrieval protocol.
type Protocol string

// The protocols.
const (
	POP3 Protocol = "pop3" // RFC 1939
	IMAP Protocol = "imap" // RFC 3501 and RFC 9051
)

// Security is how a connection is made private.
type Security int

// The ways to connect. The zero value is the one to prefer (RFC 8314).
const (
	TLS       Security = iota // from the first byte: ports 995 and 993
	StartTLS                  // by STLS or STARTTLS, which the server must offer: ports 110 and 143
	Plaintext                 // not at all: password and mail can be read on the way
)

// Account says where mail is, how to log in, and what retrieving means: the
// Policy. It holds no secret, so it may be printed.
type Account struct {
	Protocol Protocol
	Host     string
	Port     int // 0: the port of Protocol and Security
	Security Security
	User     string

	// Password is asked when the server is ready for it.
	Password func(ctx context.Context) (string, error)

	// Token, if not nil, is asked instead of Password for an OAuth 2.0 access
	// token (OAUTHBEARER, RFC 7628, or XOAUTH2). The token of an
	// oauth2.TokenSource is one.
	Token func(ctx context.Context) (string, error)

	// Mailbox is the IMAP mailbox; empty means INBOX. POP3 has no other.
	Mailbox string

	// Mailboxes, if there are any, are what a [Run] goes through instead:
	// names, patterns in which "*" stands for anything and "%" for anything
	// within a level, and special uses such as "\Sent" (RFC 6154). What begins
	// with "-" takes away from those before it. Where one of them is the
	// mailbox of all messages (\All, as with Gmail), it comes last, and what
	// was delivered from another one is not delivered again.
	Mailboxes []string

	// Policy is what retrieving means; nil is [LeaveOnServer].
	Policy Policy

	// Limits bound what a [Run] takes on, Filter says which new messages are
	// wanted, and NewestFirst that the newest ones are delivered first.
	Limits      Limits
	Filter      Filter
	NewestFirst bool

	// Retries is how often a [Run] connects again after it has lost the server,
	// some seconds later. What failed before is left to later runs then, so that
	// one message over which the server hangs up does not hold up the others.
	// If there are any, an IMAP server that hangs up over what it is to list is
	// connected to as often as it takes to find the one message over which it
	// does; that one is listed by its flags alone. [Watch] goes on by itself.
	Retries int

	// After is what is done with a message on an IMAP server when it is
	// settled.
	After After

	// Upstream is what [ServerSync] carries from here to the server.
	Upstream Upstream

	// Reset says what to do when it cannot be told any more which messages are
	// settled.
	Reset Reset

	// Name is the account's identity in a [Store] and in what a sink derives
	// from it; empty means Protocol, User, Host and Port, unless that is one
	// of the protocol's own two. Set it when those may change while the
	// mailbox stays the same.
	Name string

	// TLSConfig is for private roots, client certificates and the like; nil
	// verifies the server against the system's roots.
	TLSConfig *tls.Config

	// Dial opens connections; nil means a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// StallTimeout is how long the server may be silent while it owes an
	// answer; 0 means 60 s. One that is never silent, and sends less than 2 KiB
	// of an answer in fifteen times as long, is given up too.
	StallTimeout time.Duration

	// Transcript is written each line of the session, without secrets and
	// without mail.
	Transcript io.Writer

	// Progress is called by [Run] when there is something to tell.
	Progress func(Progress)
}

// Progress is how far a [Run] has come.
type Progress struct {
	Messages, TotalMessages int
	Bytes, TotalBytes       int64 // TotalBytes is the sum of the announced sizes
}

// ParseURL makes an account of "imaps://user@host:port/mailbox", "imap://…"
// (STARTTLS required), "pop3s://…" or "pop3://…" (STLS required). Port and
// mailbox may be missing; user and mailbox may be percent-encoded. A password
// in the URL is refused: URLs end up in logs and process lists. See also RFC
// 5092 and RFC 2384, which this form is near to.
func ParseURL(s string) (Account, error) {
	u, err := url.Parse(s)
	if err != nil {
		// The error quotes what it does not understand, which might be of a password.
		return Account{}, errors.New("account url: not a URL (is there an octet that has to be percent-encoded, or a port that is no number?)")
	}
	var a Account
	switch u.Scheme {
	case "imaps":
		a.Protocol, a.Security = IMAP, TLS
	case "imap":
		a.Protocol, a.Security = IMAP, StartTLS
	case "pop3s":
		a.Protocol, a.Security = POP3, TLS
	case "pop3":
		a.Protocol, a.Security = POP3, StartTLS
	default:
		return Account{}, fmt.Errorf("account url: scheme %q is none of imaps, imap, pop3s, pop3", u.Scheme)
	}
	if _, has := u.User.Password(); has {
		return Account{}, errors.New("account url: a password does not belong in a URL")
	}
	a.Host, a.User = u.Hostname(), u.User.Username()
	a.Mailbox = strings.TrimPrefix(u.Path, "/")
	if p := u.Port(); p != "" {
		a.Port, err = strconv.Atoi(p)
		if err != nil || a.Port < 1 || a.Port > 65535 {
			return Account{}, errors.New("account url: the port is not in 1–65535")
		}
	}
	switch {
	case a.Host == "":
		return Account{}, errors.New("account url: no host")
	case a.User == "":
		return Account{}, errors.New("account url: no user")
	case u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return Account{}, errors.New("account url: nothing may follow the mailbox")
	case a.Protocol == POP3 && a.Mailbox != "":
		return Account{}, errors.New("account url: POP3 has no mailboxes")
	}
	return a, nil
}

// Identity returns Name, or what stands for it.
func (a *Account) Identity() string {
	if a.Name != "" {
		return a.Name
	}
	host := strings.ToLower(a.Host)
	if a.isStandardPort() {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
	} else {
		host = a.addr()
	}
	return fmt.Sprintf("%s://%s@%s", a.Protocol, url.PathEscape(a.User), host)
}

// isStandardPort tells whether the account is at one of the protocol's own
// ports, with or without TLS from the first octet: it is the same mailbox.
func (a *Account) isStandardPort() bool {
	if a.Protocol == POP3 {
		return a.Port == 0 || a.Port == 110 || a.Port == 995
	}
	return a.Port == 0 || a.Port == 143 || a.Port == 993
}

// Box returns the mailbox as stores and sinks know it.
func (a *Account) Box() Box {
	box := Box{Account: a.Identity(), Mailbox: a.Mailbox}
	if box.Mailbox == "" || strings.EqualFold(box.Mailbox, "INBOX") {
		box.Mailbox = "INBOX" // RFC 9051 section 5.1: in any case
	}
	return box
}

// isSameMailbox compares names of mailboxes, of which none is INBOX.
func isSameMailbox(a, b string) bool {
	one, other := Account{Mailbox: a}, Account{Mailbox: b}
	return one.Box().Mailbox == other.Box().Mailbox
}

func (a *Account) addr() string {
	port := a.Port
	if port == 0 {
		switch {
		case a.Protocol == POP3 && a.Security == TLS:
			port = 995
		case a.Protocol == POP3:
			port = 110
		case a.Security == TLS:
			port = 993
		default:
			port = 143
		}
	}
	return net.JoinHostPort(strings.ToLower(a.Host), strconv.Itoa(port))
}

func (a *Account) policy() Policy {
	if a.Policy == nil {
		return LeaveOnServer
	}
	return a.Policy
}

func unsupported(what string) error {
	return fmt.Errorf("%s: %w", what, errors.ErrUnsupported)
}
