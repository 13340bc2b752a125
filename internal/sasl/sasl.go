// Package sasl authenticates a client (RFC 4422), whatever the protocol: it
// chooses a mechanism among those that a server offers and speaks the
// client's part. go-sasl does PLAIN, EXTERNAL, ANONYMOUS and the message of
// OAUTHBEARER; the rest is here.
package sasl

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mechanism is the client's part of one exchange.
type Mechanism interface {
	// Name is how the protocol calls the mechanism, in upper case.
	Name() string

	// Start returns what the client sends first, or nil if the server speaks
	// first. Where the protocol has no room for it with the mechanism's name,
	// it answers the server's first, empty challenge.
	Start() ([]byte, error)

	// Next answers a challenge, and fails if the mechanism has no more of
	// them. After an error the exchange is to be cancelled; an [transport.ErrProtocol] means that the server is not to
	// be trusted any further.
	Next(challenge []byte) ([]byte, error)

	// Done is called when the server reports success, and fails if the server
	// has not shown what the mechanism asks of it.
	Done() error

	// Refused is called when the server reports failure. It returns whether
	// the credentials are at fault, so that another mechanism is tried in
	// vain, and what the server said of it within the mechanism, or nil.
	Refused() (final bool, detail error)
}

// Credentials are what a client may show. Which mechanisms it can do follows
// from what is set.
type Credentials struct {
	User     string
	Password string // SCRAM, PLAIN, LOGIN, CRAM-MD5
	Token    string // an OAuth 2.0 access token: OAUTHBEARER, XOAUTH2

	// Identity is whom to act as, if not User (RFC 4422 section 3.4.1). It is
	// for EXTERNAL, PLAIN and SCRAM; with ANONYMOUS it is the trace.
	Identity string

	// Mechanisms, if not empty, are the only ones tried, in this order,
	// whether the server offers them or not. EXTERNAL and ANONYMOUS are tried
	// only when they are named.
	Mechanisms []string

	// Host and Port of the server, for OAUTHBEARER; they may be left out.
	Host string
	Port int

	// TLS is the connection's state, nil without TLS: for channel binding,
	// and to know whether a password may be sent as it is.
	TLS *tls.ConnectionState

	// Nonce makes SCRAM's nonce. Nil means 24 random characters.
	Nonce func() string
}

// order is from strong to weak, for a connection with TLS. SCRAM binds itself
// to the TLS connection (-PLUS), and never shows the password to the server.
// CRAM-MD5 does not either, but makes the server keep the password as it is,
// and is offered by servers that cannot do it; so under TLS it comes last.
var order = []string{
	"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS",
	"SCRAM-SHA-256", "SCRAM-SHA-1",
	"OAUTHBEARER", "XOAUTH2",
	"PLAIN", "LOGIN", "CRAM-MD5",
}

// Choose returns the mechanisms to try, in this order: those that the server
// offers and c has the credentials for, the strongest first. It returns none
// if there is none.
func Choose(offered []string, c *Credentials) ([]Mechanism, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if len(c.Mechanisms) > 0 {
		return named(offered, c)
	}
	names := slices.Clone(order)
	if c.TLS == nil { // the password had better not be sent as it is
		names = slices.DeleteFunc(names, func(s string) bool { return s == "CRAM-MD5" })
		names = slices.Insert(names, slices.Index(names, "PLAIN"), "CRAM-MD5")
	}
	var list []Mechanism
	had := make(map[string]bool) // kinds of SCRAM
	for _, name := range names {
		if !contains(offered, name) {
			continue
		}
		m := create(name, offered, c)
		if m == nil {
			continue
		}
		// One SCRAM with channel binding and one without are enough: each
		// failure counts as one of few tries.
		if kind := scramKind(name); kind != "" {
			if had[kind] {
				continue
			}
			had[kind] = true
		}
		list = append(list, m)
	}
	return list, nil
}

func named(offered []string, c *Credentials) ([]Mechanism, error) {
	var list []Mechanism
	for _, name := range c.Mechanisms {
		m := create(strings.ToUpper(name), offered, c)
		if m == nil {
			return nil, fmt.Errorf("sasl: %q: not known here, or the credentials for it are missing: %w", name, errors.ErrUnsupported)
		}
		list = append(list, m)
	}
	return list, nil
}

// create returns the mechanism, or nil if c cannot do it.
func create(name string, offered []string, c *Credentials) Mechanism {
	if strings.HasPrefix(name, "SCRAM-") {
		return newSCRAM(name, offered, c)
	}
	switch {
	case name == "EXTERNAL":
		return newExternal(c)
	case name == "ANONYMOUS":
		return newAnonymous(c)
	case c.Token != "" && name == "OAUTHBEARER":
		return newOAuthBearer(c)
	case c.Token != "" && name == "XOAUTH2":
		return &oauth{name: name, c: c, start: xoauth2, answer: []byte{}}
	case c.Password == "":
		return nil
	case name == "PLAIN":
		return newPlain(c)
	case name == "LOGIN":
		return &login{c: c}
	case name == "CRAM-MD5":
		return &cram{c: c}
	}
	return nil
}

// check refuses what would be more than a value on the wire. The error does
// not show it.
func (c *Credentials) check() error {
	for _, s := range []string{c.User, c.Password, c.Token, c.Identity} {
		if strings.ContainsAny(s, "\r\n\x00") {
			return errors.New("sasl: the credentials hold CR, LF or NUL")
		}
	}
	if strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("sasl: the token holds what no token may: a space, a control character or one beyond ASCII")
	}
	if strings.Contains(c.User, "\x01") {
		return errors.New("sasl: the user holds a control character")
	}
	return nil
}

func contains(offered []string, name string) bool {
	return slices.ContainsFunc(offered, func(s string) bool { return strings.EqualFold(s, name) })
}
