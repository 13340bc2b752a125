package retrieval

import (
	"context"
	"errors"
	"fmt"

	"example.com/postbag/internal/transport"
)

// Open connects to an account's server, logs in and opens its mailbox. What
// the account asks for and its protocol cannot do is refused here, with
// [errors.ErrUnsupported]: [ServerSync] over POP3, for one.
func Open(ctx context.Context, a Account) (Retriever, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	var r Retriever
	var err error
	switch a.Protocol {
	case POP3:
		r, err = openPOP3(ctx, a)
	case IMAP:
		r, err = openIMAP(ctx, a)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", a.Identity(), err)
	}
	return r, nil
}

// check refuses, before anything is sent, what cannot work.
func (a *Account) check() error {
	if a.Protocol != POP3 && a.Protocol != IMAP {
		return fmt.Errorf("account: protocol %q is neither %q nor %q", a.Protocol, POP3, IMAP)
	}
	if a.Host == "" || a.User == "" || a.Password == nil {
		return errors.New("account: host, user and password are needed")
	}
	if flags, mirror, _ := a.policy().needs(); a.Protocol == POP3 && (flags || mirror) {
		// A POP3 maildrop shows what has not been taken yet, not what exists:
		// a mirror of it would throw away what another program has fetched.
		return unsupported("account: staying in step with a POP3 server, which has no flags and forgets what was taken,")
	}
	if a.Protocol == POP3 && a.Box().Mailbox != "INBOX" {
		return unsupported("account: mailboxes with POP3")
	}
	return nil
}

// password asks for the password.
func (a *Account) password(ctx context.Context) (string, error) {
	p, err := a.Password(ctx)
	if err != nil {
		return "", transport.Mark(ErrAuth, fmt.Errorf("password: %w", err))
	}
	return p, nil
}

// lost marks an error as the end of the session.
func lost(err error) error { return transport.Mark(ErrSession, err) }
