package scenarios

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"iter"
	"net"
	"slices"
	"testing"
	"time"

	"example.com/postbag/imapclient"
)

// DialIMAP connects an imapclient.
func DialIMAP(ctx context.Context, security Security, addr string, cfg *tls.Config, dial func(context.Context, string, string) (net.Conn, error)) (*imapclient.Client, error) {
	connect := imapclient.DialPlaintext
	switch security {
	case StartTLS:
		connect = imapclient.DialStartTLS
	case TLS:
		connect = imapclient.Dial
	}
	return connect(ctx, addr, &imapclient.Options{TLSConfig: cfg, Dial: dial})
}

// IMAP is what the tests do with imapclient.
func IMAP() []Scenario[*imapclient.Client] {
	return []Scenario[*imapclient.Client]{
		{Name: "read", Run: imapRead},
		{Name: "starttls", Security: StartTLS, Run: imapHello},
		{Name: "tls", Security: TLS, Run: imapHello},
		{Name: "plain", Run: imapPlain},
		{Name: "wrong-password", Run: imapWrongPassword},
		{Name: "change", Run: imapChange},
		{Name: "mailboxes", Run: imapMailboxes},
		{Name: "gone", Run: imapGone},
		{Name: "break", Run: imapBreak},
		{Name: "empty", Empty: true, Run: imapEmpty},
		{Name: "idle", Run: imapIdle},
		{Name: "watch", Empty: true, Real: true, Run: imapWatch},
		{Name: "manage", Real: true, Run: imapManage},
		{Name: "utf8", Real: true, Run: imapUTF8},
		{Name: "append", Real: true, Run: imapAppend},
		{Name: "search", Real: true, Run: imapSearch},
		{Name: "sort", Real: true, Run: imapSort},
		{Name: "copy", Real: true, Run: imapCopy},
		{Name: "move", Real: true, Run: imapMove},
		{Name: "conflict", Real: true, Run: imapConflict},
		{Name: "follow", Real: true, Run: imapFollow},
		{Name: "structure", Mail: Parts(), Run: imapStructure},
		{Name: "parts", Mail: Parts(), Run: imapParts},
		{Name: "seen", Run: imapSeen},
	}
}

func imapLogin(t testing.TB, c *imapclient.Client) {
	t.Helper()
	if err := c.Login(t.Context(), User, Password); err != nil {
		c.Close()
		t.Fatal(err)
	}
}

// imapOpen logs in and opens INBOX, and returns the UIDs in it.
func imapOpen(t testing.TB, c *imapclient.Client, open func(*imapclient.Client, context.Context, string) (*imapclient.Mailbox, error)) []uint32 {
	t.Helper()
	imapLogin(t, c)
	box, err := open(c, t.Context(), "INBOX")
	if err != nil {
		c.Close()
		t.Fatal(err)
	}
	if box.UIDValidity == 0 {
		t.Error("no UIDVALIDITY")
	}
	var uids []uint32
	for s, err := range c.Summaries(t.Context(), imapclient.All()) {
		if !check(t, "Summaries", err) {
			break
		}
		if s.Received.IsZero() || s.Size < 0 {
			t.Errorf("summary %+v", s)
		}
		if slices.Contains(s.Flags, `\Seen`) {
			t.Errorf("message %d is seen already", s.UID)
		}
		uids = append(uids, s.UID)
	}
	if int(box.Messages) != len(uids) {
		t.Errorf("%d messages, %d summaries", box.Messages, len(uids))
	}
	return uids
}

func imapRead(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	uids := imapOpen(t, c, (*imapclient.Client).Examine)
	all := Messages()
	if len(uids) != len(all) {
		t.Fatalf("%d messages, want %d", len(uids), len(all))
	}
	for _, get := range []struct {
		each iter.Seq2[*imapclient.Message, error]
		want func([]byte) []byte
	}{
		{c.Headers(t.Context(), uids...), header},
		{c.Bodies(t.Context(), uids...), func(m []byte) []byte { return m }},
	} {
		n := 0
		for m, err := range get.each {
			if !check(t, "fetch", err) {
				break
			}
			data, err := io.ReadAll(m)
			check(t, "read", err)
			i := slices.Index(uids, m.UID)
			if i < 0 {
				t.Fatalf("message %d was not asked for", m.UID)
			}
			checkMessage(t, server, i+1, data, get.want(all[i]))
			n++
		}
		if n != len(all) {
			t.Errorf("%d messages came, want %d", n, len(all))
		}
	}
	for s, err := range c.Summaries(t.Context(), imapclient.All()) {
		check(t, "Summaries", err)
		if slices.Contains(s.Flags, `\Seen`) {
			t.Errorf("reading made message %d seen", s.UID)
		}
	}
	check(t, "Logout", c.Logout(t.Context()))
}

func imapHello(t testing.TB, _ string, c *imapclient.Client) {
	defer c.Close()
	if _, secure := c.TLS(); !secure {
		t.Error("no TLS")
	}
	imapLogin(t, c)
	_, err := c.Noop(t.Context())
	check(t, "Noop", err)
	check(t, "Logout", c.Logout(t.Context()))
}

func imapPlain(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	err := c.Auth(t.Context(), imapclient.Credentials{User: User, Password: Password, Mechanisms: []string{"PLAIN"}})
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	check(t, "Auth", err)
	caps, err := c.Capabilities(t.Context())
	if check(t, "Capabilities", err) && !caps.Has("IMAP4rev1") {
		t.Errorf("capabilities %v", caps)
	}
	check(t, "Logout", c.Logout(t.Context()))
}

func imapWrongPassword(t testing.TB, _ string, c *imapclient.Client) {
	defer c.Close()
	if err := c.Login(t.Context(), User, "wrong horse"); !errors.Is(err, imapclient.ErrAuth) {
		t.Errorf("Login = %v, want ErrAuth", err)
	}
}

func imapChange(t testing.TB, _ string, c *imapclient.Client) {
	defer c.Close()
	uids := imapOpen(t, c, (*imapclient.Client).Select)
	flags := func(uid uint32) []string {
		for s, err := range c.Summaries(t.Context(), imapclient.UIDs(uid)) {
			check(t, "Summaries", err)
			return s.Flags
		}
		return nil
	}
	check(t, "SetFlags", c.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Flagged`, `\Answered`}, uids[0], uids[1]))
	check(t, "SetFlags", c.SetFlags(t.Context(), imapclient.RemoveFlags, []string{`\Answered`}, uids[0]))
	check(t, "SetFlags", c.SetFlags(t.Context(), imapclient.ReplaceFlags, []string{`\Draft`}, uids[1]))
	if got := flags(uids[0]); !slices.Equal(got, []string{`\Flagged`}) {
		t.Errorf("flags %q", got)
	}
	if got := flags(uids[1]); !slices.Equal(got, []string{`\Draft`}) {
		t.Errorf("flags %q", got)
	}
	// What another client has marked must stay.
	check(t, "SetFlags", c.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Deleted`}, uids[2], uids[3]))
	err := c.Expunge(t.Context(), uids[2])
	left := len(uids) - 1
	if errors.Is(err, errors.ErrUnsupported) {
		left++
	} else {
		check(t, "Expunge", err)
	}
	n := 0
	for s, err := range c.Summaries(t.Context(), imapclient.All()) {
		if check(t, "Summaries", err); s.UID == uids[2] && left < len(uids) {
			t.Errorf("message %d is still there", s.UID)
		}
		n++
	}
	if n != left {
		t.Errorf("%d messages are left, want %d", n, left)
	}
	check(t, "Logout", c.Logout(t.Context()))
}

func imapMailboxes(t testing.TB, _ string, c *imapclient.Client) {
	defer c.Close()
	imapLogin(t, c)
	list, err := c.Mailboxes(t.Context(), "")
	check(t, "Mailboxes", err)
	if !slices.ContainsFunc(list, func(m imapclient.ListedMailbox) bool { return m.Name == "INBOX" }) {
		t.Errorf("INBOX is not in %+v", list)
	}
	if _, err := c.Examine(t.Context(), "no such mailbox"); !errors.Is(err, imapclient.ErrNoMailbox) {
		t.Errorf("Examine = %v, want ErrNoMailbox", err)
	}
	_, err = c.Noop(t.Context())
	check(t, "Noop", err)
	check(t, "Logout", c.Logout(t.Context()))
}

func imapGone(t testing.TB, _ string, c *imapclient.Client) {
	defer c.Close()
	uids := imapOpen(t, c, (*imapclient.Client).Examine)
	last := uids[len(uids)-1]
	var got, gone int
	for m, err := range c.Bodies(t.Context(), last+1000, last, last+5) {
		if me := (*imapclient.MessageError)(nil); errors.As(err, &me) && errors.Is(err, imapclient.ErrGone) && me.UID > last {
			gone++
		} else if check(t, "Bodies", err) && m.UID == last {
			_, err := io.Copy(io.Discard, m)
			check(t, "read", err)
			got++
		}
	}
	if got != 1 || gone != 2 {
		t.Errorf("%d messages and %d gone, want 1 and 2", got, gone)
	}
	for s, err := range c.Summaries(t.Context(), imapclient.Range(last+1, last+1000)) {
		t.Errorf("beyond the last message: %+v, %v", s, err)
	}
	check(t, "Logout", c.Logout(t.Context()))
}

func imapBreak(t testing.TB, _ string, c *imapclient.Client) {
	defer c.Close()
	uids := imapOpen(t, c, (*imapclient.Client).Examine)
	for range c.Bodies(t.Context(), uids...) {
		break
	}
	for range c.Summaries(t.Context(), imapclient.All()) {
		break
	}
	_, err := c.Noop(t.Context())
	check(t, "Noop", err)
	check(t, "Logout", c.Logout(t.Context()))
}

func imapEmpty(t testing.TB, _ string, c *imapclient.Client) {
	defer c.Close()
	if uids := imapOpen(t, c, (*imapclient.Client).Examine); len(uids) > 0 {
		t.Errorf("messages %v", uids)
	}
	check(t, "Logout", c.Logout(t.Context()))
}

func imapIdle(t testing.TB, _ string, c *imapclient.Client) {
	defer c.Close()
	imapOpen(t, c, (*imapclient.Client).Examine)
	_, err := c.Idle(t.Context(), 10*time.Millisecond)
	if !errors.Is(err, errors.ErrUnsupported) {
		check(t, "Idle", err)
	}
	check(t, "Logout", c.Logout(t.Context()))
}
