package retrievaltest

import (
	"slices"
	"strings"
)

// askedCommand is a command that the server has been asked and has not
// answered.
type askedCommand struct {
	name     string // in upper case, without the tag
	tag      string
	faults   []*armedFault // that happen at its reply
	multi    bool          // POP3: the reply ends with a line of a dot
	tls      bool          // it is STLS or STARTTLS
	answered bool

	got     int64  // octets of the reply
	swallow bool   // the reply does not get through
	instead string // what does
	refused bool   // and that is not an OK
}

// ask notes that the server owes a reply.
func (u *upward) ask(name, tag string, faults []*armedFault) {
	a := &askedCommand{name: name, tag: tag, faults: faults}
	verb, arg, _ := strings.Cut(name, " ")
	switch verb {
	case "RETR", "TOP", "CAPA":
		a.multi = true
	case "LIST", "UIDL", "AUTH":
		a.multi = strings.TrimSpace(arg) == ""
	case "STLS", "STARTTLS":
		a.tls = true
	}
	for _, f := range a.faults {
		a.swallow = a.swallow || f.at.place == pointAfter && f.waitsForEnd()
	}
	u.c.mu.Lock()
	defer u.c.mu.Unlock()
	u.last = a
	u.c.asked = append(u.c.asked, a)
	u.c.owed++
}

// nextAsked returns the command whose reply is next, if any.
func (c *faultyConn) nextAsked() *askedCommand {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asked) == 0 {
		return nil
	}
	return c.asked[0]
}

// answered returns the command to which part ends the reply, if any. first is
// the one whose reply is next.
func (c *faultyConn) answered(first *askedCommand, part *replyPart) *askedCommand {
	if !part.end || first == nil || part.tag == "" || part.tag == first.tag {
		if !part.end {
			return nil
		}
		return first
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.asked {
		if a.tag == part.tag {
			return a
		}
	}
	return nil
}

// forget takes a command off the list of those that have no reply.
func (c *faultyConn) forget(a *askedCommand) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.asked, a); i == 0 {
		c.asked = c.asked[1:]
	} else if i > 0 {
		c.asked = slices.Delete(c.asked, i, i+1)
	}
	a.answered = true
	c.changed.Broadcast()
}

// settle notes that the client has received replies.
func (c *faultyConn) settle(n int, within bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = max(0, c.owed-n)
	c.down.within = within
	c.changed.Broadcast()
}

// tagged puts the tag before the lines of a reply that need it.
func tagged(reply, tag string) string {
	if tag == "" || tag == "*" {
		return reply
	}
	var b strings.Builder
	for line := range strings.Lines(reply) {
		switch verb, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " "); verb {
		case "OK", "NO", "BAD":
			b.WriteString(tag + " ")
		}
		b.WriteString(line)
	}
	return b.String()
}
