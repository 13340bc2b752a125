package pop3client

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"
)

// Capabilities is what a server says of itself (RFC 2449), a line each, as it
// was sent. It is nil if the server does not know CAPA.
type Capabilities []string

// Has tells whether the capability is there, in whatever case.
func (cs Capabilities) Has(name string) bool {
	_, ok := cs.find(name)
	return ok
}

// Params returns the parameters of a capability, such as the mechanisms of
// "SASL".
func (cs Capabilities) Params(name string) []string {
	params, _ := cs.find(name)
	return params
}

func (cs Capabilities) find(name string) (params []string, ok bool) {
	for _, line := range cs {
		if f := strings.Fields(line); len(f) > 0 && strings.EqualFold(f[0], name) {
			return f[1:], true
		}
	}
	return nil, false
}

// LoginDelay returns the least time between two logins (LOGIN-DELAY, RFC 2449
// section 6.5), and whether the server has said so. Before login it may be
// the most that any user has.
func (cs Capabilities) LoginDelay() (time.Duration, bool) {
	return atLeast(cs.Params("LOGIN-DELAY"), time.Second)
}

// Never is an [Capabilities.Expire] without end.
const Never = time.Duration(math.MaxInt64)

// Expire returns how long the server keeps messages, at least: [Never] if it
// does not delete any by itself, zero if it may delete them as soon as they
// have been retrieved (EXPIRE, RFC 2449 section 6.7); and whether it has said
// so. Before login it may be the least that any user has.
func (cs Capabilities) Expire() (time.Duration, bool) {
	params, ok := cs.find("EXPIRE")
	// QUIRK: Mailutils says "EXPIRENEVER".
	if ok && len(params) > 0 && strings.EqualFold(params[0], "NEVER") || cs.Has("EXPIRENEVER") {
		return Never, true
	}
	return atLeast(params, 24*time.Hour)
}

// atLeast reads a number of units.
func atLeast(params []string, unit time.Duration) (time.Duration, bool) {
	if len(params) == 0 {
		return 0, false
	}
	n, err := number([]byte(params[0]))
	if err != nil {
		return 0, false
	}
	if n > int64(Never/unit) {
		return Never, true
	}
	return time.Duration(n) * unit, true
}

// Implementation returns the server's name and version (IMPLEMENTATION, RFC
// 2449 section 6.9), or "".
func (cs Capabilities) Implementation() string {
	return strings.Join(cs.Params("IMPLEMENTATION"), " ")
}

// maxCapabilities is far beyond what any server has.
const maxCapabilities = 1000

// Capabilities returns what the server said last: it is asked at the start
// and again after STLS and after login, because the answers differ.
func (c *Client) Capabilities() Capabilities { return c.caps }

// capa asks for the capabilities. That a server does not know CAPA is no error.
func (c *Client) capa(ctx context.Context) error {
	release, err := c.begin(ctx, "CAPA")
	if err != nil {
		return err
	}
	defer release()
	c.caps = nil // never those from before TLS or login
	clear(c.works)
	clear(c.lacks)
	r, err := c.exchange("CAPA", "CAPA", "CAPA")
	if refused := (*Error)(nil); errors.As(err, &refused) {
		return nil
	}
	if err != nil {
		return err
	}
	caps := Capabilities{}
	if err := c.lines(r, maxCapabilities, func(line []byte) error {
		caps = append(caps, string(line))
		return nil
	}); err != nil {
		return c.lost("CAPA", err)
	}
	c.caps = caps
	return nil
}
