package imapclient

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"
)

// CreateMailbox makes a mailbox, with those above it in the hierarchy that are
// missing, and returns its ID if the server tells one (OBJECTID, RFC 8474). uses
// are attributes such as \Sent; with one, a server without CREATE-SPECIAL-USE
// (RFC 6154 section 3) is [errors.ErrUnsupported] and nothing is sent.
func (c *Client) CreateMailbox(ctx context.Context, name string, uses ...string) (id string, err error) {
	var o imap.CreateOptions
	for _, use := range uses {
		if !strings.HasPrefix(use, `\`) || !isFlag([]byte(use)) || use == `\*` {
			return "", fmt.Errorf("imap: %q is no special use", use)
		}
		o.SpecialUse = append(o.SpecialUse, imap.MailboxAttr(use))
	}
	end, err := c.beginNamed(ctx, name)
	if err != nil {
		return "", err
	}
	defer end()
	if len(uses) > 0 {
		if err := c.needs("CREATE-SPECIAL-USE", "CREATE"); err != nil {
			return "", err
		}
	}
	err = c.engineRun("CREATE", nil, func(e *goimap.Client) error {
		return e.Create(c.engineName(name), &o).Wait()
	})
	if err == nil && c.code == "MAILBOXID" {
		id = objectID(c.codeArgs)
	}
	return id, err
}

// DeleteMailbox removes a mailbox with all messages in it, but not the ones
// below it in the hierarchy (RFC 9051 section 6.3.5).
func (c *Client) DeleteMailbox(ctx context.Context, name string) error {
	return c.manage(ctx, "DELETE", name, (*goimap.Client).Delete)
}

// Subscribe adds a mailbox to those that the user subscribes to.
func (c *Client) Subscribe(ctx context.Context, name string) error {
	return c.manage(ctx, "SUBSCRIBE", name, (*goimap.Client).Subscribe)
}

// Unsubscribe takes it away from them.
func (c *Client) Unsubscribe(ctx context.Context, name string) error {
	return c.manage(ctx, "UNSUBSCRIBE", name, (*goimap.Client).Unsubscribe)
}

func (c *Client) manage(ctx context.Context, command, name string, do func(*goimap.Client, string) *goimap.Command) error {
	end, err := c.beginNamed(ctx, name)
	if err != nil {
		return err
	}
	defer end()
	return c.engineRun(command, nil, func(e *goimap.Client) error {
		return do(e, c.engineName(name)).Wait()
	})
}

// RenameMailbox gives a mailbox another name, and moves with it what is below
// it in the hierarchy. Of INBOX the messages move and it stays (RFC 9051
// section 6.3.6). Subscriptions do not follow.
func (c *Client) RenameMailbox(ctx context.Context, name, to string) error {
	if err := errors.Join(checkName("the mailbox name", name), checkName("the new name", to)); err != nil {
		return err
	}
	end, err := c.beginIn(ctx)
	if err != nil {
		return err
	}
	defer end()
	return c.engineRun("RENAME", nil, func(e *goimap.Client) error {
		return e.Rename(c.engineName(name), c.engineName(to), nil).Wait()
	})
}

// Unselect leaves the open mailbox and removes nothing from it (RFC 3691). A
// server without UNSELECT is made to close the mailbox after it was opened
// read-only: CLOSE would otherwise expunge what anybody has marked.
func (c *Client) Unselect(ctx context.Context) error {
	end, err := c.beginSelected(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := c.needCapabilities(); err != nil {
		return err
	}
	command, leave := "UNSELECT", (*goimap.Client).Unselect
	if !c.offers("UNSELECT") {
		command, leave = "CLOSE", (*goimap.Client).UnselectAndExpunge
		if !c.box.ReadOnly {
			if _, err := c.openNow(c.box.Name, true, "", nil); err != nil {
				return err
			}
		}
		if !c.box.ReadOnly { // all the same
			return fmt.Errorf("imap: UNSELECT: the server opens the mailbox for writing only: %w", errors.ErrUnsupported)
		}
	}
	err = c.engineRun(command, nil, func(e *goimap.Client) error { return leave(e).Wait() })
	if err == nil {
		c.box, c.activity = nil, Activity{}
	}
	return err
}
