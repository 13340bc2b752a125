package pop3client

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// APOP logs in with a digest of the password and the server's greeting (APOP,
// RFC 1939 section 7), and asks for the capabilities anew. It is never chosen
// by itself: MD5 is broken, the server has to keep the password as it is, and
// who can pass for the server can find the password out (CVE-2007-1558). So
// it needs TLS like any other login, see [Client.Login], and adds nothing to
// it. A greeting without a timestamp is [errors.ErrUnsupported].
//
// A timestamp does not prove that the server can do APOP.
func (c *Client) APOP(ctx context.Context, user, password string) error {
	if err := errors.Join(checkArgument("APOP", user), checkArgument("APOP", password)); err != nil {
		return err
	}
	if strings.Contains(user, " ") {
		return fmt.Errorf("pop3: APOP: no room for a user with a space")
	}
	if err := c.checkSecure("APOP"); err != nil {
		return err
	}
	stamp := timestamp(c.greeting)
	if stamp == "" {
		return fmt.Errorf("pop3: APOP: no timestamp in the greeting %.200q: %w", c.greeting, errors.ErrUnsupported)
	}
	release, err := c.begin(ctx, "APOP")
	if err != nil {
		return err
	}
	defer release()
	sum := md5.Sum([]byte(stamp + password))
	digest := hex.EncodeToString(sum[:])
	defer c.w.reveal()
	c.w.hide(password)
	c.w.hide(digest)
	if _, err := c.exchange("APOP", "APOP "+user+" "+digest, "APOP "+user+" ***"); err != nil {
		return err
	}
	release()
	return c.capa(ctx)
}

// timestamp finds the msg-id in a greeting, wherever it stands. What is none
// (RFC 5322 section 3.6.4) could be chosen so as to find out the password.
func timestamp(greeting string) string {
	for rest := greeting; ; {
		_, after, ok := strings.Cut(rest, "<")
		if !ok {
			return ""
		}
		id, _, ok := strings.Cut(after, ">")
		left, right, at := strings.Cut(id, "@")
		odd := strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' })
		if ok && at && left != "" && right != "" && !odd {
			return "<" + id + ">"
		}
		rest = after
	}
}
