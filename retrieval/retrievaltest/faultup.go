package retrievaltest

import (
	"bytes"
	"slices"
	"strings"
)

// upward is the direction from the client to the server.
type upward struct {
	faultDirection
	c       *faultyConn
	faults  []*armedFault // that happen at what the client says, or at a reply to it
	held    []byte        // a line that has not ended
	literal int64         // octets of a literal that are to come
	more    bool          // the command goes on after that
	fresh   bool          // nothing of the literal has come, and the server may refuse it
	dropped bool          // the command does not get through
	last    *askedCommand
}

func (u *upward) run() error {
	buf := make([]byte, 32<<10)
	for {
		n, err := u.c.toClient().Read(buf)
		if n > 0 {
			if err := u.take(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			u.pass(u.held) // a line that will never end
			u.flush()
			return err
		}
	}
}

// take passes on what can be understood.
func (u *upward) take(p []byte) error {
	if u.c.dialect() == dialectUnknown {
		if u.passed == 0 && p[0] == 0x16 { // a TLS handshake: RFC 8446 section 5.1
			u.c.speak(dialectOpaque)
		} else if !u.c.wait(func() bool { return u.c.speaks != dialectUnknown }) {
			return errFaultOver
		}
	}
	for u.held = append(u.held, p...); len(u.held) > 0; {
		n, err := u.next()
		if err != nil {
			return err
		}
		if n == 0 {
			break // of a line only a part
		}
		u.held = u.held[n:]
	}
	return u.flush()
}

// next passes on a line or what there is of a literal, and returns how long
// that is.
func (u *upward) next() (int, error) {
	if u.c.dialect() == dialectOpaque {
		return len(u.held), u.say(u.held)
	}
	if u.fresh && u.literal > 0 && u.isAnswered(u.last) {
		u.literal, u.more, u.fresh = 0, false, false // refused: a new command
	}
	if u.literal > 0 {
		n := min(u.literal, int64(len(u.held)))
		u.literal -= n
		u.fresh = false
		return int(n), u.say(u.held[:n])
	}
	n := bytes.IndexByte(u.held, '\n') + 1
	if n == 0 {
		return 0, nil
	}
	line := u.held[:n]
	if u.more || u.isContinuation() {
		err := u.say(line)
		u.follow(line)
		return n, err
	}
	return n, u.command(line)
}

// follow finds out whether a command goes on after a line.
func (u *upward) follow(line []byte) {
	u.literal, u.fresh, u.more = 0, false, false
	if u.c.dialect() == dialectIMAP {
		var waits bool
		u.literal, waits, u.more = literalAtEnd(line)
		u.fresh = waits
		if u.more && u.dropped && waits {
			u.more, u.literal = false, 0 // answered already
		}
	}
	if !u.more {
		u.dropped = false
	}
}

// isContinuation tells whether the client is within AUTH, AUTHENTICATE or IDLE.
func (u *upward) isContinuation() bool {
	if u.last == nil || u.last.multi || u.isAnswered(u.last) {
		return false
	}
	verb, _, _ := strings.Cut(u.last.name, " ")
	return verb == "AUTH" || verb == "AUTHENTICATE" || verb == "IDLE"
}

func (u *upward) isAnswered(a *askedCommand) bool {
	u.c.mu.Lock()
	defer u.c.mu.Unlock()
	return a.answered
}

// command passes on the line with which a command begins.
func (u *upward) command(line []byte) error {
	tag, name := "", strings.TrimRight(string(line), "\r\n")
	if u.c.dialect() == dialectIMAP {
		tag, name, _ = strings.Cut(name, " ")
	}
	name = strings.ToUpper(name)
	var after []*armedFault
	for _, f := range u.reached(name) {
		if f.at.place != pointBefore {
			after = append(after, f)
		} else if err := u.before(f, tag); err != nil {
			return err
		}
	}
	if name == "COMPRESS DEFLATE" && tag != "" && !u.dropped {
		if err := u.answer(tag + " NO faults could not see what is compressed\r\n"); err != nil {
			return err
		}
	}
	if u.dropped {
		u.follow(line)
		return nil
	}
	u.ask(name, tag, after)
	err := u.say(line)
	u.follow(line)
	if err == nil && u.last.tls {
		err = u.decided(len(line))
	}
	return err
}

// before lets a fault happen ahead of a command.
func (u *upward) before(f *armedFault, tag string) error {
	if f.what == faultAnswer {
		f.happened()
		return u.answer(tagged(f.text, tag))
	}
	if err := u.drain(0); err != nil {
		return err
	}
	return u.c.happen(f, &u.faultDirection)
}

// answer answers a command in the server's place.
func (u *upward) answer(reply string) error {
	u.dropped = true
	if err := u.drain(0); err != nil {
		return err
	}
	return u.c.down.aside(func() error { return u.c.down.say([]byte(reply)) })
}

// reached counts a command, and returns the faults that happen at it.
func (u *upward) reached(name string) []*armedFault {
	var now []*armedFault
	for _, f := range u.faults {
		if !f.at.matches(name) {
			continue
		}
		if f.seen++; f.seen == f.at.nth {
			now = append(now, f)
		}
	}
	return now
}

// waitsForEnd tells whether a fault after a command waits for the end of the
// reply.
func (f *armedFault) waitsForEnd() bool {
	return f.what == faultCut || f.what == faultReset || f.what == faultAnswer
}

// say passes on octets, unless their command is dropped, up to where a fault
// happens.
func (u *upward) say(p []byte) error {
	if u.dropped {
		return nil
	}
	for {
		f := nextByOctets(u.faults, pointSent, u.passed+int64(len(p)))
		if f == nil {
			u.pass(p)
			return nil
		}
		n := max(0, f.at.octets-u.passed)
		if err := u.flush(); err != nil {
			return err
		}
		if err := u.drain(1); err != nil {
			return err
		}
		if f.what == faultCut || f.what == faultReset {
			u.c.down.silence() // whatever the server makes of the rest
		}
		u.pass(p[:n])
		p = p[n:]
		if err := u.flush(); err != nil {
			return err
		}
		if err := u.c.happen(f, &u.faultDirection); err != nil {
			return err
		}
	}
}

// nextByOctets returns the first fault, of those at such a place, that happens
// when so many octets have passed.
func nextByOctets(faults []*armedFault, place pointPlace, passed int64) *armedFault {
	var next *armedFault
	for _, f := range faults {
		if f.at.place == place && !f.done && f.at.octets <= passed && (next == nil || f.at.octets < next.at.octets) {
			next = f
		}
	}
	return next
}

// flush sends what was passed on.
func (u *upward) flush() error {
	if len(u.out) == 0 {
		return nil
	}
	_, err := u.c.toServer().Write(u.out)
	u.out = u.out[:0]
	return err
}

// drain waits until the client has received all replies but the last n.
func (u *upward) drain(n int) error {
	if err := u.flush(); err != nil {
		return err
	}
	if !u.c.wait(func() bool { return u.c.owed <= n && !u.c.down.within }) {
		return errFaultOver
	}
	return nil
}

// decided waits until the server has answered STLS or STARTTLS, and both sides
// have done what it said. n is how long the command was.
func (u *upward) decided(n int) error {
	if err := u.flush(); err != nil {
		return err
	}
	before := u.c.toClient()
	if !u.c.wait(func() bool { return !slices.Contains(u.c.asked, u.last) }) {
		return errFaultOver
	}
	if u.c.toClient() != before {
		u.held = u.held[:n] // what came ahead of the handshake is not part of the session
	}
	return nil
}
