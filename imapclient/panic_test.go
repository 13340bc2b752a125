package imapclient_test

import (
	"io"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

// heard returns a client of a server of which all is known that it says, with
// INBOX open and 3 messages in it.
func heard(t *testing.T, answers ...io.Reader) *imapclient.Client {
	t.Helper()
	start := "* PREAUTH [CAPABILITY IMAP4rev1 ENABLE " + everyExtension + "] hi\r\n* 3 EXISTS\r\n* OK [UIDNEXT 9] n\r\nT1 OK [READ-WRITE]\r\n"
	c, err := imapclient.New(t.Context(), octets{io.MultiReader(append([]io.Reader{strings.NewReader(start)}, answers...)...)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_, err = c.Select(t.Context(), "INBOX")
	wants(t, "Select", err, nil)
	return c
}

// Whoever recovers from a panic within a loop, or in the source of a message,
// does not go on in the middle of an answer, or of a message.
func TestPanic(t *testing.T) {
	one := imapclient.UIDs(1, 2)
	for name, tt := range map[string]struct {
		answer string
		do     func(c *imapclient.Client)
	}{
		"Bodies": {"* 1 FETCH (UID 1 FLAGS () BODY[] {25}\r\nSubject: x\r\n\r\nA2 OK no\r\n)\r\nA1 OK\r\nA2 OK\r\n", func(c *imapclient.Client) {
			for range c.Bodies(t.Context(), 1, 2) {
				panic("x")
			}
		}},
		"Fetch": {"* 1 FETCH (UID 1 FLAGS ())\r\nA2 OK\r\n", func(c *imapclient.Client) {
			for range c.Fetch(t.Context(), one, imapclient.Items{Flags: true}) {
				panic("x")
			}
		}},
		"Matching": {"A1 OK\r\n* 1 FETCH (UID 1 FLAGS () INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 5)\r\nA3 OK\r\n", func(c *imapclient.Client) {
			for range c.Matching(t.Context(), nil) {
				panic("x")
			}
		}},
		"Append": {"A2 OK\r\n", func(c *imapclient.Client) {
			c.Append(t.Context(), "INBOX", io.MultiReader(strings.NewReader("ab"), panics{}), 5, nil)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := heard(t, strings.NewReader(tt.answer))
			func() {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				tt.do(c)
			}()
			if _, err := c.Noop(t.Context()); err == nil || c.Err() == nil || !strings.Contains(err.Error(), "panicked") {
				t.Errorf("Noop = %v, the session has ended with %v", err, c.Err())
			}
		})
	}
}

type panics struct{}

func (panics) Read([]byte) (int, error) { panic("x") }
