package scenarios_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"text/tabwriter"

	"example.com/postbag/internal/scenarios"
	"example.com/postbag/internal/servers"
	"example.com/postbag/pop3client"
)

// table collects what a server does with each feature, and prints it.
type table struct {
	columns []string
	rows    []string
	cells   map[string]map[string]string
}

func (tb *table) put(row, column, cell string) {
	if tb.cells == nil {
		tb.cells = make(map[string]map[string]string)
	}
	if tb.cells[row] == nil {
		tb.cells[row] = make(map[string]string)
		tb.rows = append(tb.rows, row)
	}
	tb.cells[row][column] = cell
}

func (tb *table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "feature\t%s\n", strings.Join(tb.columns, "\t"))
	for _, row := range tb.rows {
		fmt.Fprint(w, row)
		for _, c := range tb.columns {
			cell := tb.cells[row][c]
			if cell == "" {
				cell = "-"
			}
			fmt.Fprint(w, "\t", cell)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return b.String()
}

// outcome says in a word what came of trying something.
func outcome(offered bool, err error) string {
	var e *pop3client.Error
	switch {
	case err == nil && offered:
		return "works"
	case err == nil:
		return "works, not offered"
	case !offered && (errors.Is(err, errors.ErrUnsupported) || errors.As(err, &e)):
		return "no"
	case errors.As(err, &e):
		return fmt.Sprintf("offered, but %.40s", e.Code+" "+e.Text)
	}
	return fmt.Sprintf("offered, but %.60v", err)
}

// TestPOP3Table tries every feature of POP3 on every real server, and prints
// what happened. It fails where a server offers a feature that pop3client can
// do, says that it works, and does otherwise.
func TestPOP3Table(t *testing.T) {
	tb := new(table)
	for _, kind := range servers.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := servers.Start(t, kind, servers.User{Name: scenarios.User, Password: scenarios.Password})
			s.Deliver(t, scenarios.User, scenarios.Messages()...)
			tb.columns = append(tb.columns, string(kind))
			pop3Features(t, tb, s)
		})
	}
	if len(tb.columns) > 0 {
		t.Logf("\n%s", tb)
	}
}

func pop3Features(t *testing.T, tb *table, s *servers.Server) {
	ctx := t.Context()
	put := func(row, cell string) { tb.put(row, string(s.Kind), cell) }
	cfg := &tls.Config{RootCAs: s.CA}
	dial := func(connect func(context.Context, string, *pop3client.Options) (*pop3client.Client, error), addr string) (*pop3client.Client, error) {
		return connect(ctx, addr, &pop3client.Options{TLSConfig: cfg})
	}
	open := func(login func(*pop3client.Client) error) (*pop3client.Client, error) {
		connect, addr := pop3client.DialPlaintext, s.POP3
		if s.POP3S != "" { // so that every mechanism may be tried
			connect, addr = pop3client.Dial, s.POP3S
		}
		c, err := dial(connect, addr)
		if err == nil {
			if err = login(c); err != nil {
				c.Close()
			}
		}
		return c, err
	}
	user := func(c *pop3client.Client) error { return c.Login(ctx, scenarios.User, scenarios.Password) }

	c, err := dial(pop3client.DialPlaintext, s.POP3)
	if err != nil {
		t.Fatal(err)
	}
	before := c.Capabilities()
	put("CAPA", fmt.Sprintf("%d lines", len(before)))
	put("IMPLEMENTATION", before.Implementation())
	c.Close()

	if s.POP3S != "" {
		c, err := dial(pop3client.Dial, s.POP3S)
		put("implicit TLS", outcome(true, err))
		if err == nil {
			before = c.Capabilities()
			c.Close()
		}
	}
	c, err = dial(pop3client.DialStartTLS, s.POP3)
	put("STLS", outcome(err == nil, err))
	if err == nil {
		c.Close()
	}

	c, err = open(user)
	put("USER", outcome(true, err))
	if err != nil {
		t.Fatal(err)
	}
	after := c.Capabilities()
	list, err := c.Listing(ctx)
	put("UIDL", outcome(after.Has("UIDL"), err))
	if err == nil && len(list) != len(scenarios.Messages()) {
		t.Errorf("%d messages are listed", len(list))
	}
	b, err := c.Top(ctx, 1, 1)
	if err == nil {
		_, err = io.Copy(io.Discard, b)
	}
	put("TOP", outcome(after.Has("TOP"), err))
	put("PIPELINING", map[bool]string{true: "used", false: "not offered"}[c.Pipelining()])
	put("RESP-CODES", map[bool]string{true: "offered", false: "no"}[after.Has("RESP-CODES")])
	put("AUTH-RESP-CODE", map[bool]string{true: "offered", false: "no"}[after.Has("AUTH-RESP-CODE")])
	delay, ok := after.LoginDelay()
	put("LOGIN-DELAY", map[bool]string{true: delay.String(), false: "-"}[ok])
	expire, ok := after.Expire()
	put("EXPIRE", map[bool]string{true: expire.String(), false: "-"}[ok])
	if expire == pop3client.Never && ok {
		put("EXPIRE", "never")
	}
	_, err = c.Languages(ctx)
	put("LANG", outcome(after.Has("LANG"), err))
	if err := c.Quit(ctx); err != nil {
		t.Error(err)
	}

	for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"} {
		c, err := open(func(c *pop3client.Client) error {
			return c.Auth(ctx, pop3client.Credentials{User: scenarios.User, Password: scenarios.Password, Mechanisms: []string{mechanism}})
		})
		offered := false
		for _, m := range before.Params("SASL") {
			offered = offered || m == mechanism
		}
		put("AUTH "+mechanism, outcome(offered, err))
		if err == nil {
			c.Close()
		}
	}
	c, err = open(func(c *pop3client.Client) error {
		return c.Auth(ctx, pop3client.Credentials{User: scenarios.User, Password: scenarios.Password})
	})
	put("AUTH, the strongest", outcome(true, err))
	if err == nil {
		c.Close()
	} else if !errors.Is(err, errors.ErrUnsupported) && s.Kind != servers.Popa3d {
		t.Errorf("Auth: %v", err)
	}
	c, err = open(func(c *pop3client.Client) error { return c.APOP(ctx, scenarios.User, scenarios.Password) })
	put("APOP", outcome(strings.Contains(greetingOf(c), "<"), err))
	if err == nil {
		c.Close()
	}
	c, err = open(func(c *pop3client.Client) error {
		if err := c.UTF8(ctx); err != nil {
			return err
		}
		return user(c)
	})
	put("UTF8", outcome(before.Has("UTF8"), err))
	if err == nil {
		c.Close()
	}
}

func greetingOf(c *pop3client.Client) string {
	if c == nil {
		return ""
	}
	return c.Greeting()
}
