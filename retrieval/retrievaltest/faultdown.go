package retrievaltest

import (
	"errors"
	"os"
	"strings"
	"time"
)

// downward is the direction from the server to the client.
type downward struct {
	faultDirection
	c      *faultyConn
	faults []*armedFault // that happen when so much has been received
	shape  faultShape
	frame  replyFrame
	within bool // a response has begun and not ended; c.mu guards it
	mute   bool // nothing gets through any more

	saying chan struct{} // holds one element while someone speaks to the client
}

// lock is like that of a mutex, but gives up when the connection ends.
func (d *downward) lock() bool {
	select {
	case d.saying <- struct{}{}:
		return true
	case <-d.c.done:
		return false
	}
}

func (d *downward) unlock() { <-d.saying }

func (d *downward) run() error {
	if err := d.aside(func() error { return d.say(nil) }); err != nil { // what happens after 0 octets
		return err
	}
	buf := make([]byte, 32<<10)
	if d.shape.coalesce != nil {
		buf = make([]byte, 1<<20)
	}
	for {
		n, err := d.read(buf)
		if n > 0 {
			if err := d.take(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// read reads what the server says, if so wanted until it is silent.
func (d *downward) read(buf []byte) (int, error) {
	server := d.c.toServer()
	n, err := server.Read(buf)
	f := d.shape.coalesce
	if f == nil || err != nil {
		return n, err
	}
	f.struck.Add(1)
	for err == nil && n < len(buf) {
		server.SetReadDeadline(time.Now().Add(f.wait))
		var more int
		more, err = server.Read(buf[n:])
		n += more
	}
	server.SetReadDeadline(time.Time{})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return n, err
}

// take passes on what the server says, reply by reply.
func (d *downward) take(p []byte) error {
	if !d.lock() {
		return errFaultOver
	}
	defer d.unlock()
	if d.c.dialect() == dialectUnknown {
		d.c.speak(dialectOf(p[0]))
	}
	received := 0 // replies
	for len(p) > 0 {
		dialect := d.c.dialect()
		if dialect == dialectOpaque {
			if err := d.say(p); err != nil {
				return err
			}
			break
		}
		a := d.c.nextAsked()
		part := d.frame.next(dialect, p, a)
		if err := d.reply(a, p[:part.n]); err != nil {
			return err
		}
		p = p[part.n:]
		if a = d.c.answered(a, &part); a == nil {
			continue
		}
		if err := d.replied(a); err != nil {
			return err
		}
		received++
		if a.tls && part.ok {
			if err := d.secure(a, p); err != nil {
				return err
			}
			p = nil
		}
		d.c.forget(a)
	}
	err := d.flush()
	d.c.settle(received, d.frame.within())
	return err
}

// dialectOf recognises a protocol by the first octet of its greeting.
func dialectOf(first byte) faultDialect {
	switch first {
	case '*':
		return dialectIMAP
	case '+', '-':
		return dialectPOP3
	}
	return dialectOpaque
}

// secure makes what follows TLS, unless rest came ahead of it: then the client
// gets that, and has to see to it. A client that was refused goes on without.
func (d *downward) secure(a *askedCommand, rest []byte) error {
	if len(rest) == 0 && d.c.authority != nil {
		return d.c.startTLS(!a.refused)
	}
	d.c.speak(dialectOpaque)
	return d.say(rest)
}

// reply passes on octets of the reply to a, or of none if that is nil.
func (d *downward) reply(a *askedCommand, p []byte) error {
	if a == nil {
		return d.say(p)
	}
	begins := a.got == 0
	for _, f := range a.faults {
		if begins && f.at.place == pointAfter && !f.waitsForEnd() {
			if err := d.strike(f); err != nil {
				return err
			}
		}
	}
	for {
		f := nextByOctets(a.faults, pointWithin, a.got+int64(len(p)))
		if f == nil {
			break
		}
		n := max(0, f.at.octets-a.got)
		if err := d.part(a, p[:n]); err != nil {
			return err
		}
		p = p[n:]
		if err := d.amid(a, f); err != nil {
			return err
		}
	}
	return d.part(a, p)
}

// part passes on octets of a reply, unless the reply does not get through.
func (d *downward) part(a *askedCommand, p []byte) error {
	a.got += int64(len(p))
	if a.swallow {
		return nil
	}
	return d.say(p)
}

// amid lets a fault happen within the reply to a, or behind it.
func (d *downward) amid(a *askedCommand, f *armedFault) error {
	if f.what != faultAnswer {
		return d.strike(f)
	}
	f.happened()
	a.swallow, a.refused = true, !strings.HasPrefix(f.text, "OK") && !strings.HasPrefix(f.text, "+OK")
	a.instead += tagged(f.text, a.tag)
	return nil
}

// replied ends the reply to a with what happens behind it.
func (d *downward) replied(a *askedCommand) error {
	if err := d.say([]byte(a.instead)); err != nil {
		return err
	}
	for _, f := range a.faults {
		a.instead = ""
		if f.done {
			continue
		}
		if err := d.amid(a, f); err != nil {
			return err
		}
		if err := d.say([]byte(a.instead)); err != nil {
			return err
		}
	}
	return nil
}

// strike lets a fault happen when the client has what came before.
func (d *downward) strike(f *armedFault) error {
	if err := d.flush(); err != nil {
		return err
	}
	return d.c.happen(f, &d.faultDirection)
}

// aside speaks to the client from outside of take.
func (d *downward) aside(f func() error) error {
	if !d.lock() {
		return errFaultOver
	}
	defer d.unlock()
	if err := f(); err != nil {
		return err
	}
	return d.flush()
}

// flood says the same again and again.
func (d *downward) flood(f *Fault) error {
	if err := d.say([]byte(f.head)); err != nil {
		return err
	}
	unit := []byte(strings.Repeat(f.text, 1+4096/max(1, len(f.text))))
	for left := f.octets; left != 0; {
		p := unit
		if left > 0 {
			p = unit[:min(int64(len(unit)), left)]
			left -= int64(len(p))
		}
		if err := errors.Join(d.say(p), d.flush()); err != nil {
			return err
		}
		if d.mute {
			return errFaultOver // nobody listens
		}
	}
	return d.say([]byte(f.tail))
}

// say passes on octets up to where a fault happens.
func (d *downward) say(p []byte) error {
	for !d.mute {
		f := nextByOctets(d.faults, pointReceived, d.passed+int64(len(p)))
		if f == nil {
			d.pass(p)
			return nil
		}
		n := max(0, f.at.octets-d.passed)
		d.pass(p[:n])
		p = p[n:]
		if err := d.strike(f); err != nil {
			return err
		}
	}
	return nil
}

// flush sends what was passed on, in its shape.
func (d *downward) flush() error {
	d.shape.distort(d.out)
	client := d.c.toClient()
	for p := d.out; len(p) > 0 && !d.mute; {
		n, pause := d.shape.segment(len(p))
		if pause > 0 && !d.c.sleep(pause) {
			d.mute = true
			break
		}
		if _, err := client.Write(p[:n]); err != nil {
			d.mute = true // the client has left; what it said before still counts
		}
		p = p[n:]
	}
	d.out = d.out[:0]
	return nil
}

// silence lets nothing more through.
func (d *downward) silence() {
	if d.lock() {
		defer d.unlock()
		d.mute = true
	}
}
