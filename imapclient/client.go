package imapclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"

	"example.com/postbag/internal/transport"
)

// Client is an IMAP session. It belongs to one goroutine; [Client.Close],
// [Client.Err] and [Client.Stats] may be called from any.
type Client struct {
	conn *transport.Conn

	// insecure says that credentials may be sent over conn as it is.
	insecure bool

	compress Compress
	id       map[string]string // what to tell of the client, nil for nothing
	traits   trait             // of the server, by what it says

	caps     Capabilities // nil: not known in this state
	greeted  bool
	authed   bool
	junk     string // the last line that was no response
	mail     bool   // messages have been sent; what makes no sense may be of one
	tags     int
	enabled  []string          // extensions, upper case
	serverID map[string]string // what the server said of itself
	secrets  [][]byte          // not to be repeated to anybody

	engine atomic.Pointer[engine] // nil before authentication

	box       *Mailbox // the selected one, or nil
	emptied   bool     // that it has no messages was not told, but counted
	activity  Activity // since the last look
	watch     *Watch   // that is under way, or nil
	avgBody   int64    // of the bodies received, for the size of batches
	flagNames map[string]string
	flagLists map[string][]string

	listsPlainly bool // LIST-EXTENDED is offered and does not work

	oddNames map[string]string // names of mailboxes, to the form in which the server has them
	renamed  map[string]string // from that form: of those that would have the name of another

	code     string // the response code that the last command ended with, or empty
	codeArgs []byte // what follows it

	next    response // that is being read
	waiter  waiter   // who waits for untagged data
	unasked int64    // octets of it in this command that nobody waited for
	kept    int64    // octets of it in this command that are kept as its result
	longest int      // octets of a line in this command, 0 for maxLine
	busy    atomic.Bool
}

// Stats counts what passed on the wire.
type Stats struct {
	In, Out    int64 // octets on the TCP connection, TLS included
	RoundTrips int64 // times the client spoke after the server had
}

// Stats returns the counts so far.
func (c *Client) Stats() Stats { return Stats(c.conn.Stats()) }

// Err returns why the session is over, or nil while it goes on.
func (c *Client) Err() error { return c.conn.Err() }

// TLS returns the state of TLS, and whether there is TLS at all.
func (c *Client) TLS() (tls.ConnectionState, bool) { return c.conn.TLS() }

// Close drops the connection without a word. It is not an error to close
// twice.
func (c *Client) Close() error {
	err := c.conn.Close()
	if e := c.engine.Load(); e != nil {
		e.stop()
	}
	return err
}

// Logout says goodbye and closes (RFC 9051 section 6.1.3). Whatever it
// returns, the session is over.
func (c *Client) Logout(ctx context.Context) error {
	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	defer end()
	return c.run("LOGOUT", "", func(r *response) (bool, error) {
		return r.word() == "BYE", nil // as it should be
	})
}

// begin starts the work of one exported method: it takes the client, binds
// the connection to ctx, and returns what ends both.
func (c *Client) begin(ctx context.Context) (end func(), err error) {
	if !c.busy.CompareAndSwap(false, true) {
		return nil, fmt.Errorf("imap: %w", ErrBusy)
	}
	release := c.conn.Bind(ctx)
	if err := c.conn.Err(); err != nil {
		release()
		c.busy.Store(false)
		return nil, err
	}
	c.unasked, c.kept, c.longest = 0, 0, 0
	return func() {
		release()
		c.busy.Store(false)
	}, nil
}

// beginIn is begin for a method that needs an authenticated session.
func (c *Client) beginIn(ctx context.Context) (end func(), err error) {
	end, err = c.begin(ctx)
	if err == nil && !c.authed {
		end()
		return nil, fmt.Errorf("imap: not logged in")
	}
	return end, err
}

// beginNamed is beginIn for a method that is given the name of a mailbox.
func (c *Client) beginNamed(ctx context.Context, name string) (end func(), err error) {
	if err := checkName("the mailbox name", name); err != nil {
		return nil, err
	}
	return c.beginIn(ctx)
}

// beginSelected is begin for a method that needs a mailbox.
func (c *Client) beginSelected(ctx context.Context) (end func(), err error) {
	end, err = c.beginIn(ctx)
	if err == nil && c.box == nil {
		end()
		return nil, fmt.Errorf("imap: no mailbox is selected")
	}
	return end, err
}

// safely carries out what calls the caller's own code. If that panics, nobody
// knows where in an answer the session is, or what the server takes the next
// command for: it is over.
func (c *Client) safely(do func()) {
	done := false
	defer func() {
		if !done {
			c.fail(errors.New("imap: the caller's code has panicked"))
		}
	}()
	do()
	done = true
}

// fail ends the session for the reason err, unless it has ended already, and
// returns the reason that came first.
func (c *Client) fail(err error) error {
	c.conn.Fail(err)
	return c.conn.Err()
}
