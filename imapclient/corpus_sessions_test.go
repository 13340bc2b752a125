package imapclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/session"
)

// Sessions that others recorded, with servers that are not here: what the
// server said comes in answer to the commands that the client has, and to NOOP
// where it has none. A command passes if it ends as it did then, and if what
// it returns is as many as there were.
func TestCorpusSessions(t *testing.T) {
	if !haveCorpus(t) {
		return
	}
	var tb table
	for _, dir := range []string{"mailkit/imap", "k9-mail/imap", "pcap-arkime/imap", "pcap-zeek/imap", "node-imap/imap", "imap-codec/imap", "proton-gluon/imap"} {
		corpus(t, dir, func(name string, data []byte) {
			if path.Ext(name) != ".txt" {
				return
			}
			replayExchanges(t, &tb, dir, name, data)
		})
	}
	tb.log(t, "sessions", "two at once", "whole", "commands", "passed", "as NOOP", "skipped", "failed")
}

func replayExchanges(t *testing.T, tb *table, dir, name string, data []byte) {
	tb.count(dir, "sessions")
	if bytes.Contains(data, []byte("# connection c[2]")) { // of two clients at once
		tb.count(dir, "two at once")
		return
	}
	list := readExchanges(data)
	greeting := slices.Concat(list[0].said...)
	if len(greeting) == 0 {
		greeting = []byte("* PREAUTH [CAPABILITY IMAP4rev1] (not recorded)\r\n")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	client, server := session.Pipe()
	s := &lockstep{conn: server}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		s.serve(greeting)
	}()
	defer func() { client.Close(); <-done }()
	refused := !regexp.MustCompile(`^\* (?i:OK|PREAUTH)`).Match(greeting)
	c, err := imapclient.New(ctx, client, nil)
	if (err != nil) != refused {
		tb.count(dir, "failed")
		t.Errorf("%s: New = %v after %q", name, err, greeting)
	}
	if err != nil {
		tb.count(dir, "whole")
		return
	}
	defer c.Close()
	preauth := bytes.HasPrefix(greeting, []byte("* PREAUTH"))
	whole, loggedIn, selected := true, preauth, false
	for i := range list[1:] {
		e := &list[i+1]
		tb.count(dir, "commands")
		verb, _, _ := strings.Cut(strings.ToUpper(e.command), " ")
		if !loggedIn && slices.Contains([]string{"SELECT", "EXAMINE", "LIST", "FETCH", "UID"}, verb) {
			loggedIn = c.Login(ctx, "u", "p") == nil // it was not recorded, or cannot be repeated
		}
		if loggedIn && !selected && strings.Contains(" FETCH UID ", " "+verb+" ") {
			c.Select(ctx, "INBOX") // not recorded either
			selected = true
		}
		s.next = e
		as, results, err := e.do(ctx, c)
		if as == "Login" && preauth {
			as = ""
		}
		s.next = nil
		loggedIn = loggedIn || (as == "Login" || as == "Auth") && err == nil
		selected = selected || (as == "Select" || as == "Examine") && err == nil
		said := slices.Concat(e.said...)
		bye := regexp.MustCompile(`(?im)^\* BYE`).Match(said) && verb != "LOGOUT"
		switch {
		case as == "" || errors.Is(err, errors.ErrUnsupported):
			tb.count(dir, "skipped")
			continue
		case as == "Fetch" && e.ending() != "OK" && results == 0: // of what it refuses nothing is there
			tb.count(dir, "passed")
		case (err != nil) != (e.ending() != "OK" || bye || e.closes):
			whole = false
			tb.count(dir, "failed")
			t.Errorf("%s: %s for %.60q = %v, it was %s", name, as, e.command, err, e.ending())
		case err == nil && (as == "Fetch" || as == "Bodies" || as == "Headers" || as == "Part") && results != len(e.uids()):
			whole = false
			tb.count(dir, "failed")
			t.Errorf("%s: %s for %.60q: %d messages, it were %d", name, as, e.command, results, len(e.uids()))
		case as == "Noop" && verb != "NOOP":
			tb.count(dir, "as NOOP")
		default:
			tb.count(dir, "passed")
		}
		if c.Err() != nil {
			if !bye && !e.closes && verb != "LOGOUT" {
				whole = false
				t.Errorf("%s: after %.60q: %v", name, e.command, c.Err())
			}
			break
		}
	}
	if whole {
		tb.count(dir, "whole")
	}
}

// do lets a client do what another did. as tells which of its methods: Noop
// where it has none, to hear what the server said.
func (e *exchange) do(ctx context.Context, c *imapclient.Client) (as string, results int, err error) {
	words := strings.Fields(e.command)
	verb := strings.ToUpper(words[0])
	arg := func(i int) string {
		if i >= len(words) {
			return ""
		}
		return strings.Trim(words[i], `"`)
	}
	if verb == "UID" {
		words = words[1:]
		verb = strings.ToUpper(words[0])
	}
	switch verb {
	case "LOGIN":
		if arg(2) == "" { // a literal
			return "", 0, nil
		}
		return "Login", 0, c.Login(ctx, arg(1), arg(2))
	case "AUTHENTICATE":
		creds := imapclient.Credentials{User: "u", Password: "p", Mechanisms: []string{arg(1)}}
		switch strings.ToUpper(arg(1)) {
		case "XOAUTH2", "OAUTHBEARER":
			creds.Password, creds.Token = "", "t"
		case "PLAIN", "LOGIN":
		default: // a challenge of long ago cannot be answered
			return "", 0, nil
		}
		return "Auth", 0, c.Auth(ctx, creds)
	case "SELECT":
		_, err := c.Select(ctx, arg(1))
		return "Select", 0, err
	case "EXAMINE":
		_, err := c.Examine(ctx, arg(1))
		return "Examine", 0, err
	case "LIST":
		list, err := c.Mailboxes(ctx, "")
		return "Mailboxes", len(list), err
	case "IDLE":
		_, err := c.Idle(ctx, 10*time.Millisecond)
		return "Idle", 0, err
	case "LOGOUT":
		return "Logout", 0, c.Logout(ctx)
	case "FETCH":
		return e.fetch(ctx, c)
	}
	_, err = c.Noop(ctx)
	return "Noop", 0, err
}

var (
	uidForm     = regexp.MustCompile(`(?i)[( ]UID ([0-9]+)`)
	sectionForm = regexp.MustCompile(`(?i)BODY(?:\.PEEK)?\[([^\]]*)\](?:<([0-9]+)\.([0-9]+)>)?`)
	fieldsForm  = regexp.MustCompile(`(?i)HEADER\.FIELDS \(([^)]*)\)`)
)

// uids returns the UIDs in the FETCH responses of an exchange.
func (e *exchange) uids() []uint32 {
	var uids []uint32
	for line := range bytes.Lines(slices.Concat(e.said...)) {
		if m := uidForm.FindSubmatch(line); m != nil {
			n, _ := strconv.ParseUint(string(m[1]), 10, 32)
			uids = append(uids, uint32(n))
		}
	}
	slices.Sort(uids)
	return slices.Compact(uids)
}

func (e *exchange) fetch(ctx context.Context, c *imapclient.Client) (as string, results int, err error) {
	each := func(m *imapclient.Message, e error) {
		if e == nil {
			_, e = m.WriteTo(io.Discard)
		}
		if e == nil {
			results++
		} else if !errors.Is(e, imapclient.ErrGone) {
			err = e
		}
	}
	upper := strings.ToUpper(e.command)
	section := sectionForm.FindStringSubmatch(upper)
	switch {
	case section != nil && strings.HasPrefix(section[1], "HEADER.FIELDS"):
	case section != nil && section[1] == "" && section[2] == "":
		for m, e := range c.Bodies(ctx, e.uids()...) {
			each(m, e)
		}
		return "Bodies", results, err
	case section != nil && section[1] == "HEADER":
		for m, e := range c.Headers(ctx, e.uids()...) {
			each(m, e)
		}
		return "Headers", results, err
	case section != nil && len(e.uids()) > 0:
		o := &imapclient.PartOptions{Raw: true}
		o.Offset, _ = strconv.ParseInt(section[2], 10, 64)
		o.Chunk, _ = strconv.ParseInt(section[3], 10, 64)
		p, err := c.Part(ctx, e.uids()[0], section[1], o)
		if err == nil {
			_, err = io.CopyN(io.Discard, p, max(o.Chunk-1, 1)) // more is not recorded
			p.Close()
		}
		if errors.Is(err, imapclient.ErrNoPart) && bytes.Contains(slices.Concat(e.said...), []byte("] )")) || err == io.EOF {
			err = nil // QUIRK: Yandex
		}
		return "Part", len(e.uids()), err
	}
	items := imapclient.Items{
		Flags: strings.Contains(upper, "FLAGS"), Received: strings.Contains(upper, "INTERNALDATE"), Size: strings.Contains(upper, "RFC822.SIZE"), Envelope: strings.Contains(upper, "ENVELOPE"),
		Structure: strings.Contains(upper, "BODYSTRUCTURE"), ModSeq: strings.Contains(upper, "MODSEQ"), Preview: strings.Contains(upper, "PREVIEW"), Gmail: strings.Contains(upper, "X-GM-"),
	}
	if m := fieldsForm.FindStringSubmatch(e.command); m != nil {
		items.Fields = strings.Fields(m[1])
	}
	for _, e := range c.Fetch(ctx, imapclient.All(), items) {
		if err = e; err == nil {
			results++
		}
	}
	return "Fetch", results, err
}
