package retrievaltest

import (
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"

	"example.com/postbag/internal/fakemail"
	"example.com/postbag/internal/pop3server"
	"example.com/postbag/retrieval"
)

// The one user of a [Server] whose options name none.
const (
	User     = "user@example.com"
	Password = "correct horse"
)

// ServerOptions are how a [Server] is. The zero value is a server that can do
// all it knows, on free ports of 127.0.0.1, with TLS.
type ServerOptions struct {
	// InMemory: there is no network. Accounts have a Dial that leads to the
	// server, and Host is a name; so it works within testing/synctest, if it
	// is started there.
	InMemory bool

	// Security is the only way to connect. With StartTLS nobody logs in
	// before TLS.
	Security retrieval.Security

	// Users are names and passwords; a password is also the token of XOAUTH2
	// and OAUTHBEARER. Nil means [User] and [Password]. The Server's methods
	// are about the first in the alphabet; see [Server.For].
	Users map[string]string

	// Profile is whose habits the server has.
	Profile Profile

	// Without names capabilities that are neither offered nor served, in any
	// case, as the protocols call them: "UIDPLUS", "CONDSTORE", "QRESYNC",
	// "IDLE", "MOVE", "IMAP4rev2" and others of IMAP; "UIDL", "TOP", "CAPA",
	// "PIPELINING", "USER", "SASL", "STLS" and others of POP3; "AUTH=PLAIN"
	// and its like of both. "LOGIN" makes IMAP say LOGINDISABLED. What needs
	// a capability goes with it: without UIDPLUS there is no IMAP4rev2. A
	// name that is none is an error.
	Without []string
}

// Profile is a provider with habits of its own.
type Profile int

// The profiles.
const (
	// Standard keeps to the RFCs.
	Standard Profile = iota

	// Gmail has labels for mailboxes: a message in INBOX is in "[Gmail]/All
	// Mail" too, with the same X-GM-MSGID and flags; the flag \Deleted takes
	// it out of a mailbox at once and out of no other; to move it to
	// "[Gmail]/Trash" takes it out of all. POP3 lists all mail, but no more
	// than 250 messages a session, and hides after QUIT what it has sent or
	// was told to delete, which IMAP still shows; the user "recent:" and the
	// name sees it again. Its UIDL is no IMAP UID: see [Message].
	Gmail

	// Exchange has no CONDSTORE, ESEARCH or SPECIAL-USE, keeps no keywords,
	// and tells sizes that are estimates. Over POP3 it offers no PIPELINING,
	// and wants AUTH in two steps: an initial response ends the session.
	Exchange
)

// popNames are the names in Without that are POP3's alone.
var popNames = []string{
	"CAPA", "TOP", "UIDL", "PIPELINING", "USER", "SASL", "STLS", "RESP-CODES", "AUTH-RESP-CODE", "EXPIRE", "IMPLEMENTATION",
}

func (o *ServerOptions) check() error {
	if o.Users != nil && len(o.Users) == 0 {
		return fmt.Errorf("retrievaltest: no users")
	}
	if o.Profile < Standard || o.Profile > Exchange {
		return fmt.Errorf("retrievaltest: no profile %d", o.Profile)
	}
	if o.Security < retrieval.TLS || o.Security > retrieval.Plaintext {
		return fmt.Errorf("retrievaltest: no security %d", o.Security)
	}
	for _, name := range o.Without {
		if name := strings.ToUpper(name); !slices.Contains(popNames, name) && !slices.Contains(fakemail.Capabilities(), name) {
			return fmt.Errorf("retrievaltest: without %q: no such capability; there are %s and %s",
				name, strings.Join(fakemail.Capabilities(), " "), strings.Join(popNames, " "))
		}
	}
	return nil
}

func (o *ServerOptions) without(name string) bool {
	return slices.ContainsFunc(o.Without, func(w string) bool { return strings.EqualFold(w, name) })
}

type logger = func(conn net.Conn, name, args string)

func (o *ServerOptions) imap(cfg *tls.Config, log logger) *fakemail.Options {
	return &fakemail.Options{TLSConfig: cfg, ImplicitTLS: o.Security == retrieval.TLS, Without: o.Without, Log: log}
}

func (o *ServerOptions) pop3(cfg *tls.Config, open func(user, password string) (pop3server.Maildrop, string), log logger) *pop3server.Options {
	p := &pop3server.Options{
		TLSConfig: cfg, ImplicitTLS: o.Security == retrieval.TLS,
		NoCAPA: o.without("CAPA"), NoUIDL: o.without("UIDL"), NoTOP: o.without("TOP"), NoPipelining: o.without("PIPELINING"),
		Backend: &pop3server.Backend{
			Open: open, Credentials: fakemail.Credentials, Log: log,
			Mechanisms: []string{"PLAIN", "XOAUTH2", "OAUTHBEARER"},
			NoUSER:     o.without("USER"), RequireTLS: o.Security != retrieval.Plaintext,
		},
	}
	switch o.Profile {
	case Gmail:
		p.Greeting = "Gpop ready for requests from 127.0.0.1 postbag"
		p.Backend.Silent = []string{"AUTH-RESP-CODE", "IMPLEMENTATION"}
	case Exchange:
		p.Greeting = "The Microsoft Exchange POP3 service is ready. [cG9zdGJhZw==]"
		p.Backend.Silent = []string{"PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "EXPIRE", "IMPLEMENTATION"}
		p.Backend.Mechanisms, p.Backend.TwoStep = []string{"PLAIN", "XOAUTH2"}, true
	}
	p.Backend.Mechanisms = slices.DeleteFunc(p.Backend.Mechanisms, func(m string) bool { return o.without("SASL") || o.without("AUTH="+m) })
	for _, name := range popNames {
		if o.without(name) {
			p.Backend.Silent = append(p.Backend.Silent, name)
		}
	}
	if o.Security == retrieval.StartTLS && o.without("STLS") {
		p.TLSConfig = nil
	}
	return p
}
