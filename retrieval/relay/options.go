package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"example.com/postbag/retrieval"
)

// Security is how the connection to a server is made private.
type Security int

// The ways to connect.
const (
	// Default is none at all on this machine (a Unix socket or a loopback
	// address), and StartTLS for every other server.
	Default Security = iota

	// StartTLS demands STARTTLS (RFC 3207), verified.
	StartTLS

	// TLS is TLS from the first octet (RFC 8314), verified.
	TLS

	// Plaintext is none, for any server: mail and password can be read on the way.
	Plaintext
)

// Options are the options of [NewLMTP] and [NewSMTP]. All but the recipients
// may be left out.
type Options struct {
	// Sender is the envelope's sender, to which a server reports what it cannot
	// deliver later. Empty means the null sender: nobody.
	Sender string

	// Recipients are who gets each message. With LMTP a server may take names
	// without a domain.
	Recipients []string

	// RecipientsOf, if not nil, is asked instead of Recipients. Its error is that
	// of the delivery; no recipients at all reject the message.
	RecipientsOf func(box retrieval.Box, s retrieval.Summary) ([]string, error)

	// Security says how the connection is made private.
	Security Security

	// TLSConfig is for private roots, client certificates and the like; nil
	// verifies the server against the system's roots. Nothing below TLS 1.2 is
	// spoken.
	TLSConfig *tls.Config

	// Dial opens connections; nil means a net.Dialer. The network is "tcp" or
	// "unix".
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// LocalName is how this side introduces itself. Empty means the machine's name.
	LocalName string

	// User logs in, with Password or Token, whichever is not nil, by the best
	// mechanism that the server offers. Empty means no login.
	User     string
	Password func(ctx context.Context) (string, error)
	Token    func(ctx context.Context) (string, error) // an OAuth 2.0 access token

	// RefuseUnclean rejects messages with bare CR, bare LF or NUL, instead of
	// changing them as the package's doc says.
	RefuseUnclean bool

	// RefuseLongLines rejects messages with lines of more than 998 octets
	// (RFC 5322 section 2.1.1), instead of sending them as they are.
	RefuseLongLines bool

	// SendEightBit sends messages with octets beyond ASCII also to servers that
	// do not offer 8BITMIME (RFC 6152). Otherwise they are rejected there: such
	// a server may clear the eighth bit, and then the message is spoilt.
	SendEightBit bool

	// Timeout bounds connecting with all that belongs to it up to each reply,
	// the wait for each reply to a command, and for the server to take a block
	// of the message. Zero means 5 minutes (RFC 5321 section 4.5.3.2).
	Timeout time.Duration

	// FinalTimeout bounds the wait for what the server says to the whole
	// message. Zero means 10 minutes: giving up too early makes duplicates.
	FinalTimeout time.Duration
}

// maxRecipients is what every server must take at once (RFC 5321 section 4.5.3.1.8).
const maxRecipients = 100

func (o *Options) complete() error {
	if o.RecipientsOf == nil {
		if len(o.Recipients) == 0 {
			return errors.New("no recipients")
		}
		list, err := checked(o.Recipients)
		if err != nil {
			return err
		}
		o.Recipients = list
	}
	if o.Sender != "" {
		if err := checkAddress(o.Sender); err != nil {
			return err
		}
	}
	if o.User != "" && (o.Password == nil) == (o.Token == nil) {
		return errors.New("a user needs either Password or Token")
	}
	if o.LocalName == "" {
		o.LocalName, _ = os.Hostname()
	}
	if o.LocalName == "" || strings.ContainsFunc(o.LocalName, func(r rune) bool { return r <= ' ' || r > '~' }) {
		o.LocalName = "localhost"
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Minute
	}
	if o.FinalTimeout <= 0 {
		o.FinalTimeout = 10 * time.Minute
	}
	return nil
}

// recipients returns who is to get a message.
func (o *Options) recipients(m *retrieval.Message) ([]string, error) {
	if o.RecipientsOf == nil {
		return o.Recipients, nil
	}
	list, err := o.RecipientsOf(m.Box, m.Summary)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: no recipients", retrieval.ErrRejected)
	}
	if list, err = checked(list); err != nil {
		return nil, fmt.Errorf("%w: %w", retrieval.ErrRejected, err)
	}
	return list, nil
}

// checked returns the addresses, each once.
func checked(list []string) ([]string, error) {
	var all []string
	for _, addr := range list {
		if err := checkAddress(addr); err != nil {
			return nil, err
		}
		if !slices.Contains(all, addr) {
			all = append(all, addr)
		}
	}
	if len(all) > maxRecipients {
		return nil, fmt.Errorf("%d recipients, and not every server takes more than %d", len(all), maxRecipients)
	}
	return all, nil
}

// checkAddress refuses what could be more than an address in a command.
func checkAddress(addr string) error {
	if addr == "" || len(addr) > 320 || strings.ContainsFunc(addr, func(r rune) bool {
		return r <= ' ' || r == '<' || r == '>' || 0x7f <= r && r < 0xa0 || r == '\ufffd'
	}) {
		return fmt.Errorf("%q is no address that can be sent", addr[:min(len(addr), 320)])
	}
	return nil
}
