package retrieval

import (
	"context"
	"errors"
	"fmt"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/transport"
)

// Open connects to an account's server, logs in and opens its mailbox. What
// the account asks for and its protocol cannot do is refused here, with
// [errors.ErrUnsupported]: [ServerSync] over POP3, for one.
func Open(ctx context.Context, a Account) (Retriever, error) {
	r, err := open(ctx, a, opening{})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", a.Identity(), err)
	}
	return r, nil
}

// opening is what is known when a session begins.
type opening struct {
	resume *resume            // an earlier listing
	client *imapclient.Client // logged in, and not to be logged out
	redial dialer             // for a listing that has lost the server; nil: it does not go on
	emails bool               // Summary.Email is wanted
	dry    bool               // nothing on the server may change
	status *imapclient.Status // of the mailbox, as told moments ago; nil if it was not
}

// A dialer connects to an account's server and logs in. What it returned before
// is over.
type dialer = func(ctx context.Context) (*imapclient.Client, error)

// open is Open for a caller that says itself which account it is.
func open(ctx context.Context, a Account, o opening) (Retriever, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	if a.Protocol == POP3 {
		return openPOP3(ctx, a)
	}
	return openIMAP(ctx, a, o)
}

// check refuses, before anything is sent, what cannot work.
func (a *Account) check() error {
	if a.Protocol != POP3 && a.Protocol != IMAP {
		return fmt.Errorf("account: protocol %q is neither %q nor %q", a.Protocol, POP3, IMAP)
	}
	if a.Host == "" || a.User == "" || a.Password == nil && a.Token == nil {
		return errors.New("account: host, user and password or token are needed")
	}
	if flags, mirror, _ := a.policy().needs(); a.Protocol == POP3 && (flags || mirror) {
		// A POP3 maildrop shows what has not been taken yet, not what exists:
		// a mirror of it would throw away what another program has fetched.
		return unsupported("account: staying in step with a POP3 server, which has no flags and forgets what was taken,")
	}
	if a.Protocol == POP3 && a.Box().Mailbox != "INBOX" {
		return unsupported("account: mailboxes with POP3")
	}
	if len(a.Mailboxes) > 0 && (a.Protocol == POP3 || a.Mailbox != "") {
		return unsupported("account: several mailboxes with POP3, or beside a single one,")
	}
	return errors.Join(a.checkAfter(), a.checkUpstream())
}

// logIn asks for the secret and lets one of two functions log in with it.
func (a *Account) logIn(ctx context.Context, password, token func(string) error) error {
	ask, use, what := a.Password, password, "password"
	if a.Token != nil {
		ask, use, what = a.Token, token, "token"
	}
	secret, err := ask(ctx)
	if err != nil {
		err = fmt.Errorf("%s: %w", what, err)
		if !errors.Is(err, ErrAuth) {
			err = transport.Mark(errNoSecret, err)
		}
		return transport.Mark(ErrAuth, err)
	}
	return use(secret)
}

// errNoSecret is an [ErrAuth] of which the server knows nothing.
var errNoSecret = errors.New("the password or token could not be had")

// lost marks an error as the end of the session.
func lost(err error) error { return transport.Mark(ErrSession, err) }
