package scenarios_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/scenarios"
	"example.com/postbag/internal/servers"
)

// TestIMAPTable tries every feature of IMAP on every real server, and prints
// what happened. It fails where a server offers a feature that imapclient can
// do, and it does not work.
func TestIMAPTable(t *testing.T) {
	tb := new(table)
	for _, kind := range servers.Kinds() {
		if kind == servers.Popa3d {
			continue // POP3 only
		}
		t.Run(string(kind), func(t *testing.T) {
			s := servers.Start(t, kind, servers.User{Name: scenarios.User, Password: scenarios.Password})
			s.Deliver(t, scenarios.User, scenarios.Messages()...)
			tb.columns = append(tb.columns, string(kind))
			imapFeatures(t, tb, s)
		})
	}
	if len(tb.columns) > 0 {
		t.Logf("\n%s", tb)
	}
}

// imapOutcome says in a word what came of trying something.
func imapOutcome(offered bool, err error) string {
	switch {
	case err == nil && offered:
		return "works"
	case err == nil:
		return "works, not offered"
	case !offered && errors.Is(err, errors.ErrUnsupported):
		return "no"
	}
	var e *imapclient.Error
	if errors.As(err, &e) {
		return fmt.Sprintf("%s: %.40s", map[bool]string{true: "offered, but", false: "no"}[offered], strings.TrimSpace(e.Code+" "+e.Text))
	}
	return fmt.Sprintf("offered, but %.60v", err)
}

func imapFeatures(t *testing.T, tb *table, s *servers.Server) {
	ctx := t.Context()
	put := func(row, cell string) { tb.put(row, string(s.Kind), cell) }
	open := func(o imapclient.Options, login func(*imapclient.Client) error) (*imapclient.Client, error) {
		o.TLSConfig = &tls.Config{RootCAs: s.CA}
		c, err := imapclient.Dial(ctx, s.IMAPS, &o)
		if err == nil {
			if err = login(c); err != nil {
				c.Close()
			}
		}
		return c, err
	}
	plain := func(c *imapclient.Client) error { return c.Login(ctx, scenarios.User, scenarios.Password) }

	c, err := imapclient.DialStartTLS(ctx, s.IMAP, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: s.CA}})
	put("STARTTLS", imapOutcome(true, err))
	var before imapclient.Capabilities
	if err == nil {
		if before, err = c.Capabilities(ctx); err != nil {
			t.Error(err)
		}
		c.Close()
	}
	c, err = open(imapclient.Options{}, plain)
	put("implicit TLS, LOGIN", imapOutcome(true, err))
	if err != nil {
		t.Fatal(err)
	}
	caps, err := c.Capabilities(ctx)
	if err != nil {
		t.Fatal(err)
	}
	put("capabilities", fmt.Sprint(len(caps)))
	// must is a feature that has to work where it is offered.
	must := func(name string, offered bool, err error) {
		t.Helper()
		cell := imapOutcome(offered, err)
		put(name, cell)
		if offered && err != nil {
			t.Errorf("%s is offered: %v", name, err)
		}
	}
	has := caps.Has

	id, err := c.ID(ctx, map[string]string{"name": "postbag"})
	must("ID", has("ID"), err)
	put("ID: name, version", strings.TrimSpace(id["name"]+" "+id["version"]))
	on, err := c.Enable(ctx, "CONDSTORE", "QRESYNC")
	if err == nil && len(on) == 0 {
		err = errors.ErrUnsupported
	}
	put("ENABLE CONDSTORE QRESYNC", imapOutcome(has("ENABLE") && has("CONDSTORE"), err))
	_, err = c.Namespaces(ctx)
	must("NAMESPACE", has("NAMESPACE"), err)
	_, err = c.Quota(ctx, "INBOX")
	must("QUOTA", has("QUOTA"), err)
	_, err = c.List(ctx, &imapclient.ListOptions{Subscribed: true})
	must("LIST, subscribed", true, err)
	_, err = c.List(ctx, &imapclient.ListOptions{WithStatus: true, Status: imapclient.StatusMessages})
	must("LIST-STATUS", has("LIST-STATUS"), err)
	_, err = c.List(ctx, &imapclient.ListOptions{SpecialUse: true})
	must("SPECIAL-USE", has("SPECIAL-USE"), err)
	_, err = c.Status(ctx, "INBOX", imapclient.StatusMessages|imapclient.StatusUIDNext|imapclient.StatusUIDValidity|imapclient.StatusUnseen)
	must("STATUS", true, err)

	box, err := c.Select(ctx, "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	put("CONDSTORE", map[bool]string{true: "works", false: "no"}[box.HighestModSeq > 0])
	put("UIDNEXT in SELECT", map[bool]string{true: "yes", false: "no"}[box.UIDNext > 0])
	found, err := c.Search(ctx, &imapclient.Query{}, nil)
	must("SEARCH", true, err)
	put("ESEARCH", map[bool]string{true: "used", false: "no"}[has("ESEARCH")])
	if err == nil && int(found.Count) != len(scenarios.Messages()) {
		t.Errorf("SEARCH finds %d messages", found.Count)
	}
	_, err = c.Sort(ctx, &imapclient.Query{}, &imapclient.SortOptions{})
	must("SORT", has("SORT"), err)
	_, err = c.Threads(ctx, "REFERENCES", &imapclient.Query{})
	must("THREAD=REFERENCES", has("THREAD=REFERENCES"), err)
	_, err = c.Idle(ctx, time.Millisecond)
	must("IDLE", has("IDLE"), err)
	_, err = c.Append(ctx, "INBOX", strings.NewReader("Subject: x\r\n\r\nx\r\n"), 17, nil)
	must("APPEND", true, err)
	put("LITERAL+", map[bool]string{true: "used", false: "no"}[has("LITERAL+") || has("LITERAL-")])
	uids := found.UIDs
	var first uint32
	for uid := range uids.Values() {
		first = uid
		break
	}
	if _, err := c.CreateMailbox(ctx, "other"); err != nil {
		if _, err = c.CreateMailbox(ctx, "INBOX.other"); err != nil {
			t.Errorf("CREATE: %v", err)
		}
	}
	other := "other"
	if s.Kind == servers.Courier {
		other = "INBOX.other"
	} else if s.Kind == servers.Cyrus {
		other = "INBOX.other"
		c.CreateMailbox(ctx, other)
	}
	_, err = c.Copy(ctx, imapclient.UIDs(first), other)
	must("COPY", true, err)
	_, err = c.Move(ctx, imapclient.UIDs(first), other, nil)
	must("MOVE", has("MOVE") || has("UIDPLUS"), err)
	must("UIDPLUS", has("UIDPLUS"), func() error {
		if err := c.SetFlags(ctx, imapclient.AddFlags, []string{`\Deleted`}, first+1); err != nil {
			return err
		}
		return c.Expunge(ctx, first+1)
	}())
	must("UNSELECT", true, c.Unselect(ctx))
	must("LOGOUT", true, c.Logout(ctx))

	c, err = open(imapclient.Options{Compress: imapclient.CompressAlways}, plain)
	if err == nil {
		if _, err = c.Noop(ctx); !has("COMPRESS=DEFLATE") {
			err = errors.ErrUnsupported // it went on without
		}
		c.Close()
	}
	must("COMPRESS=DEFLATE", has("COMPRESS=DEFLATE"), err)
	for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"} {
		c, err := open(imapclient.Options{}, func(c *imapclient.Client) error {
			return c.Auth(ctx, imapclient.Credentials{User: scenarios.User, Password: scenarios.Password, Mechanisms: []string{mechanism}})
		})
		put("AUTH="+mechanism, imapOutcome(before.Has("AUTH="+mechanism), err))
		if err == nil {
			c.Close()
		}
	}
	c, err = open(imapclient.Options{}, func(c *imapclient.Client) error {
		return c.Auth(ctx, imapclient.Credentials{User: scenarios.User, Password: scenarios.Password})
	})
	// QUIRK: Mailutils offers SCRAM and has nothing to do it with. A password
	// that SCRAM could not prove is not shown to whoever says so.
	put("AUTHENTICATE, the strongest", imapOutcome(true, err))
	if err != nil && s.Kind != servers.Mailutils {
		t.Error(err)
	}
	if err == nil {
		c.Close()
	}
}
