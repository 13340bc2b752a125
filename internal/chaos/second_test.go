package chaos_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/servers"
)

// second is another client of the server, and those who send mail to it.
type second struct {
	server  *servers.Server
	deliver func(user string, text []byte)
	counts  *counts
	burst   chan bool // is sent to when much has come, if somebody waits for it
}

// connect returns the person's connection as another client.
func (s *second) connect(ctx context.Context, p *person) (*imapclient.Client, error) {
	if p.client != nil && p.client.Err() == nil {
		return p.client, nil
	}
	c, err := imapclient.DialStartTLS(ctx, s.server.IMAP, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: s.server.CA}})
	if err != nil {
		return nil, err
	}
	if err := c.Login(ctx, p.user, password); err != nil {
		c.Close()
		return nil, err
	}
	p.client = c
	return c, nil
}

// prepare makes the person's mailboxes, and sends the first messages.
func (s *second) prepare(ctx context.Context, p *person, rng *rand.Rand) error {
	c, err := s.connect(ctx, p)
	if err != nil {
		return err
	}
	for _, box := range []string{"Work", "Trash"} {
		if _, err := c.CreateMailbox(ctx, box); err != nil {
			return err
		}
	}
	for _, box := range p.boxes() {
		for n := range 4 {
			if err := s.send(ctx, p, box, n == 2, rng); err != nil {
				return err
			}
		}
	}
	return nil
}

// send sends one message.
func (s *second) send(ctx context.Context, p *person, box string, foreign bool, rng *rand.Rand) error {
	text := p.write(box, foreign, rng)
	s.counts.deliveries.Add(1)
	if foreign {
		s.counts.foreign.Add(1)
	}
	if box == "INBOX" {
		s.deliver(p.user, text)
		return nil
	}
	c, err := s.connect(ctx, p)
	if err != nil {
		return err
	}
	_, err = c.Append(ctx, box, bytes.NewReader(text), int64(len(text)), nil)
	return err
}

// found is a message on the server.
type found struct {
	uid   uint32
	id    string
	flags []string
}

// look selects a box and lists it, in the order of UIDs.
func (s *second) look(ctx context.Context, p *person, box string) ([]found, error) {
	c, err := s.connect(ctx, p)
	if err != nil {
		return nil, err
	}
	if _, err := c.Select(ctx, box); err != nil {
		return nil, err
	}
	known := p.uids[box]
	var all []found
	var unknown []uint32
	for m, err := range c.Summaries(ctx, imapclient.All()) {
		if err != nil {
			return nil, err
		}
		all = append(all, found{m.UID, known[m.UID], m.Flags})
		if known[m.UID] == "" {
			unknown = append(unknown, m.UID)
		}
	}
	if len(unknown) > 0 {
		for m, err := range c.Headers(ctx, unknown...) {
			if err != nil && c.Err() == nil {
				continue // it went away meanwhile
			}
			if err != nil {
				return nil, err
			}
			var head bytes.Buffer
			if _, err := m.WriteTo(&head); err != nil {
				return nil, err
			}
			known[m.UID] = idOf(head.Bytes())
		}
	}
	for i := range all {
		all[i].id = known[all[i].uid]
	}
	all = slices.DeleteFunc(all, func(f found) bool { return f.id == "" }) // gone meanwhile
	slices.SortFunc(all, func(a, b found) int { return int(a.uid) - int(b.uid) })
	return all, nil
}

// act does one thing to one message of the person's, or sends some.
func (s *second) act(ctx context.Context, p *person, isHere func(id string) bool, rng *rand.Rand) error {
	box := p.boxes()[rng.IntN(len(p.boxes()))]
	switch n := rng.IntN(100); {
	case n < 32:
		return s.send(ctx, p, box, rng.IntN(10) == 0, rng)
	case n < 36:
		for range 5 + rng.IntN(25) {
			if err := s.send(ctx, p, box, rng.IntN(10) == 0, rng); err != nil {
				return err
			}
		}
		select {
		case s.burst <- true:
		default:
		}
		return nil
	}
	all, err := s.look(ctx, p, box)
	if err != nil || len(all) == 0 {
		return err
	}
	f := all[rng.IntN(len(all))]
	if rng.IntN(2) == 0 { // what may be on its way
		f = all[len(all)-1-rng.IntN(min(len(all), 8))]
	}
	p.mu.Lock()
	m := p.mails[f.id]
	p.mu.Unlock()
	if m == nil {
		return fmt.Errorf("%s has a message %q that nobody sent", p.user, f.id)
	}
	switch n := rng.IntN(10); {
	case m.foreign && n < 7:
		s.counts.marked.Add(1)
		return s.set(ctx, p, m, f.uid, `\Deleted`, true)
	case n < 7:
		may := s.flagsFor(p)
		flag := may[rng.IntN(len(may))]
		has := func(f string, all []string) bool {
			return slices.ContainsFunc(all, func(g string) bool { return strings.EqualFold(f, g) })
		}
		if len(f.flags) > 0 && rng.IntN(2) == 0 {
			if old := f.flags[rng.IntN(len(f.flags))]; has(old, may) {
				flag = old
			}
		}
		return s.set(ctx, p, m, f.uid, flag, !has(flag, f.flags))
	case n < 9 && !m.anchor && !m.foreign:
		return s.delete(ctx, p, m, f.uid, isHere(m.id))
	}
	return nil
}

// flagsFor are the flags that the second client changes. Where the mail program
// changes flags, too, some are its alone, and one is both's.
func (s *second) flagsFor(p *person) []string {
	flags := []string{`\Flagged`, `\Answered`, "work", `\Draft`, `\Deleted`, `\Seen`, "$Forwarded"}
	if p.role.upstream.Flags {
		return flags[:5]
	}
	return flags
}

// set sets a flag or takes it away.
func (s *second) set(ctx context.Context, p *person, m *mail, uid uint32, flag string, on bool) error {
	op, count := imapclient.AddFlags, &s.counts.flagged
	if !on {
		op, count = imapclient.RemoveFlags, &s.counts.unflagged
	}
	p.mu.Lock()
	m.flagged, m.flags[flag] = true, on
	if flag == `\Draft` {
		m.bothWays[flag] = true
	}
	p.mu.Unlock()
	if err := p.client.SetFlags(ctx, op, []string{flag}, uid); err != nil {
		return err
	}
	count.Add(1)
	return nil
}

// delete deletes a message, as any client may.
func (s *second) delete(ctx context.Context, p *person, m *mail, uid uint32, here bool) error {
	p.mu.Lock()
	m.deleted, m.wasHere = true, here
	p.mu.Unlock()
	if err := p.client.SetFlags(ctx, imapclient.AddFlags, []string{`\Deleted`}, uid); err != nil {
		return err
	}
	if err := p.client.Expunge(ctx, uid); err != nil {
		return err
	}
	s.counts.deleted.Add(1)
	return nil
}
