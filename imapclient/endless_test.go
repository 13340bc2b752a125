package imapclient_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

// A server that never comes to an end with what was asked for is not listened to
// for ever.
func TestEndlessAnswers(t *testing.T) {
	bodies := func(c *imapclient.Client) (last error) {
		for _, err := range c.Bodies(t.Context(), 1) {
			last = err
		}
		return last
	}
	fetch := func(c *imapclient.Client) (last error) {
		for _, err := range c.Fetch(t.Context(), imapclient.UIDs(1), imapclient.Items{Size: true, Fields: []string{"a"}}) {
			last = err
		}
		return last
	}
	open := func(c *imapclient.Client) error { _, err := c.Select(t.Context(), "INBOX"); return err }
	long := strings.Repeat("a ", 30_000)
	for _, tt := range []struct {
		name, first, again string
		do                 func(c *imapclient.Client) error
	}{
		{"Bodies: flags", "", "* 2 FETCH (UID 2 FLAGS (" + long + "))\r\n", bodies},
		{"Bodies: rows that are none", "", "* 2 FETCH (UID x " + long + ")\r\n", bodies},
		{"Bodies: a message of another UID", "* 2 FETCH (UID 2 BODY[] {1099511627776}\r\n", long, bodies},
		{"Bodies: a message of a UID that comes later", "", "* 2 FETCH (BODY[] {2}\r\nab UID 2 X-A \"" + long + "\")\r\n", bodies},
		{"Bodies: a row", "* 2 FETCH (X-A ", "{60000}\r\n" + long + " X-A ", bodies},
		{"Bodies: a message again", "* 1 FETCH (UID 1 BODY[] {2}\r\nab", " BODY[] {60000}\r\n" + long, bodies},
		{"Fetch: flags", "", "* 2 FETCH (UID 2 FLAGS (" + long + "))\r\n", fetch},
		{"Fetch: flags without a UID", "", "* 2 FETCH (FLAGS (" + long + "))\r\n", fetch},
		{"Fetch: the same again", "", "* 1 FETCH (UID 1 RFC822.SIZE 1 FLAGS (" + long + "))\r\n", fetch},
		{"Fetch: rows that are none", "", "* 2 FETCH (UID x " + long + ")\r\n", fetch},
		{"Fetch: a row", "* 1 FETCH (FLAGS (", "{60000}\r\n" + long + " ", fetch},
		{"Select: flags", "", "* FLAGS (" + long + ")\r\n", open},
		{"Logout: BYE", "", "* BYE " + long + "\r\n", func(c *imapclient.Client) error { return c.Logout(t.Context()) }},
		{"Enable", "", "* ENABLED " + long + "\r\n", func(c *imapclient.Client) error { _, err := c.Enable(t.Context(), "CONDSTORE"); return err }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := heard(t, strings.NewReader(tt.first), &again{line: tt.again})
			wants(t, tt.name, tt.do(c), imapclient.ErrProtocol)
		})
	}
}

// rows are responses of which each is another one.
type rows struct {
	row  func(n int) string
	n    int
	rest string
}

func (r *rows) Read(p []byte) (int, error) {
	if r.rest == "" {
		r.n++
		if r.rest = r.row(r.n); r.rest == "" {
			return 0, io.EOF
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// What is kept of messages until more of them comes has a bound in octets.
func TestRowsInMemory(t *testing.T) {
	const many, most = 300, 60 << 20
	for name, row := range map[string]func(n int, flags string) string{
		"Bodies": func(n int, flags string) string {
			return fmt.Sprintf("* %d FETCH (FLAGS (%s))\r\n* 1 FETCH (UID %d BODY[] {1}\r\nx)\r\n", n+1, flags, n)
		},
		"Fetch": func(n int, flags string) string {
			return fmt.Sprintf("* %d FETCH (UID %d FLAGS (%s))\r\n", n, n, flags)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := heard(t, &rows{row: func(n int) string {
				if n > many {
					return ""
				}
				var b strings.Builder
				for i := range 1000 {
					fmt.Fprintf(&b, "%0250d ", n*1000+i)
				}
				return row(n, b.String())
			}})
			peak := uint64(0)
			look := func(uid uint32) {
				if uid%100 == 0 {
					var m runtime.MemStats
					runtime.GC()
					runtime.ReadMemStats(&m)
					peak = max(peak, m.HeapAlloc)
				}
			}
			if name == "Bodies" {
				uids := make([]uint32, many)
				for i := range uids {
					uids[i] = uint32(i + 1)
				}
				for m, err := range c.Bodies(t.Context(), uids...) {
					if err == nil {
						look(m.UID)
					}
				}
			} else {
				for info := range c.Fetch(t.Context(), imapclient.All(), imapclient.Items{Flags: true, Size: true}) {
					look(info.UID)
				}
			}
			if peak == 0 || peak > most {
				t.Errorf("%d MB in use", peak>>20)
			}
		})
	}
}
