package imapclient_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/session"
)

// What a server says before it hangs up is known also if it cannot be written
// to any more.
func TestLastWords(t *testing.T) {
	for name, do := range map[string]func(*testing.T, *imapclient.Client) error{
		"NOOP": func(t *testing.T, c *imapclient.Client) error { _, err := c.Noop(t.Context()); return err },
		"LIST": func(t *testing.T, c *imapclient.Client) error { _, err := c.Mailboxes(t.Context(), ""); return err },
		"FETCH": func(t *testing.T, c *imapclient.Client) (last error) {
			for _, err := range c.Bodies(t.Context(), 1, 2) {
				last = err
			}
			return last
		},
		"IDLE": func(t *testing.T, c *imapclient.Client) error { _, err := c.Idle(t.Context(), 0); return err },
		"APPEND": func(t *testing.T, c *imapclient.Client) error {
			_, err := c.Append(t.Context(), "INBOX", strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20, nil)
			return err
		},
		"LOGOUT": func(t *testing.T, c *imapclient.Client) error { return c.Logout(t.Context()) },
	} {
		for _, words := range []string{"* 5 EXISTS\r\n* BYE Autologout; idle for too long\r\n", ""} {
			synctest.Test(t, func(t *testing.T) {
				client, server := session.Pipe()
				go func() {
					fmt.Fprint(server, "* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hello\r\n")
					line, _ := bufio.NewReader(server).ReadString('\n')
					tag, _, _ := strings.Cut(line, " ")
					fmt.Fprintf(server, "* 4 EXISTS\r\n%s OK done\r\n%s", tag, words)
					server.Close()
				}()
				c, err := imapclient.New(t.Context(), client, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if _, err := c.Select(t.Context(), "INBOX"); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // the server has hung up
				err = do(t, c)
				bye := (*imapclient.Error)(nil)
				switch {
				case words == "":
					if !errors.Is(err, imapclient.ErrUnavailable) || !errors.Is(err, io.ErrClosedPipe) {
						t.Errorf("%s: %v, want the error of the write", name, err)
					}
				case name == "LOGOUT":
				case !errors.As(err, &bye) || bye.Text != "Autologout; idle for too long":
					t.Errorf("%s: %v, want what the server said", name, err)
				}
				if c.Err() == nil {
					t.Errorf("%s: the session goes on", name)
				}
			})
		}
	}
}
