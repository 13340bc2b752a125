package imapclient

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// settleIn does what is to be done once after authentication: it finds out
// the capabilities, tells of the client where that is wanted, compresses, and
// begins go-imap's part.
func (c *Client) settleIn() error {
	if err := c.needCapabilities(); err != nil {
		return err
	}
	if err := c.introduce(); err != nil {
		return err
	}
	if err := c.startCompress(); err != nil {
		return err
	}
	return c.splice()
}

// introduce tells what the client is. That it fails does not matter.
func (c *Client) introduce() error {
	fields := c.id
	if fields == nil && c.is(wantsName) {
		// QUIRK: 163, 126 and QQ refuse to open a mailbox for a client without
		// a name ("Unsafe Login").
		fields = map[string]string{"name": "postbag"}
	}
	if fields == nil || !c.caps.Has("ID") {
		return nil
	}
	args, err := idArgs(fields)
	if err != nil {
		return err
	}
	err = c.run("ID", args, nil)
	var refused *Error
	if errors.As(err, &refused) && c.conn.Err() == nil {
		return nil
	}
	return err
}

// startCompress compresses the connection, if it should be and the server can.
func (c *Client) startCompress() error {
	if c.compress == CompressNever || c.compress == CompressAuto && !c.conn.IsRemote() || !c.caps.Has("COMPRESS=DEFLATE") {
		return nil
	}
	err := c.run("COMPRESS", "DEFLATE", nil)
	var refused *Error
	if errors.As(err, &refused) && c.conn.Err() == nil {
		return nil // it may be on already, in TLS: RFC 4978 section 3
	}
	if err != nil {
		return err
	}
	return c.conn.StartDeflate()
}

// ID tells the server what the client is, and returns what the server is, as
// it says itself: "name", "version" and so on (RFC 2971), nothing if it does
// not tell. fields may be nil. A server without ID is [errors.ErrUnsupported].
func (c *Client) ID(ctx context.Context, fields map[string]string) (map[string]string, error) {
	args, err := idArgs(fields)
	if err != nil {
		return nil, err
	}
	end, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := c.needCapabilities(); err != nil {
		return nil, err
	}
	if !c.caps.Has("ID") {
		return nil, fmt.Errorf("imap: ID: %w", errors.ErrUnsupported)
	}
	c.serverID = nil
	if err := c.run("ID", args, nil); err != nil {
		return nil, err
	}
	return maps.Clone(c.serverID), nil
}

// idArgs writes fields as ID takes them. RFC 2971 section 3.3: at most 30
// fields of 30 and 1024 octets.
//
// QUIRK: Exchange and GMX answer BAD to an empty list; NIL is for nothing.
func idArgs(fields map[string]string) (string, error) {
	if len(fields) == 0 {
		return "NIL", nil
	}
	if len(fields) > 30 {
		return "", errors.New("imap: ID: more than 30 fields")
	}
	var list []string
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		v := fields[k]
		if len(k) > 30 || len(v) > 1024 || !isASCII(k+v) {
			return "", fmt.Errorf("imap: ID: the field %q is too long, or not ASCII", k)
		}
		if err := badArgument("a field of ID", k+v); err != nil {
			return "", err
		}
		list = append(list, quote(k), quote(v))
	}
	return "(" + strings.Join(list, " ") + ")", nil
}

// observeID keeps what the server says of itself, as far as it makes sense.
func (c *Client) observeID(r *response) {
	if !r.take('(') {
		return
	}
	id := make(map[string]string)
	for len(id) < 100 {
		r.space()
		if r.take(')') {
			break
		}
		k, _, err := r.str()
		if err != nil {
			break
		}
		key := strings.ToLower(string(k))
		r.space()
		v, isNil, err := r.str()
		if err != nil {
			break
		}
		if !isNil {
			id[key] = strings.ToValidUTF8(string(v), "\ufffd")
		}
	}
	c.serverID = id
	c.recognise(id["name"] + " " + id["vendor"])
}

// Enable turns extensions on (RFC 5161), such as "CONDSTORE" or "QRESYNC",
// and returns those that the server has turned on. What it does not list among
// its capabilities is not asked for. After "UTF8=ACCEPT" (RFC 6855) or "IMAP4rev2",
// which come before a mailbox is opened, names of mailboxes and text to search for
// are sent as UTF-8; they are the same here.
func (c *Client) Enable(ctx context.Context, names ...string) ([]string, error) {
	end, err := c.beginIn(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	return c.enable(names...)
}

func (c *Client) enable(names ...string) ([]string, error) {
	if err := c.needCapabilities(); err != nil {
		return nil, err
	}
	var ask []string
	for _, n := range names {
		if !isAtom([]byte(n)) {
			return nil, fmt.Errorf("imap: ENABLE: %q is no capability", n)
		}
		if n = strings.ToUpper(n); c.caps.Has(n) && !slices.Contains(c.enabled, n) {
			ask = append(ask, n)
		}
	}
	if len(ask) == 0 || !c.caps.Has("ENABLE") && !c.caps.Has("IMAP4REV2") {
		return nil, nil
	}
	told := false
	var on []string
	err := c.run("ENABLE", strings.Join(ask, " "), func(r *response) (bool, error) {
		if r.word() != "ENABLED" {
			return false, nil
		}
		told, on = true, append(on, parseCapabilities(r.rest())...)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	if !told {
		on = ask // QUIRK: iCloud says OK and no more
	}
	c.enabled = append(c.enabled, on...)
	return on, nil
}
