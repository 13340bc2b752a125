package retrieval_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// contents are what a message may be.
var contents = map[string]string{
	"F49 LF dot LF":             "a\n.\nb\r\n",
	"F49 CRLF dot LF":           "a\r\n.\nb\r\n",
	"F49 LF dot CRLF":           "a\n.\r\nb\r\n",
	"F49 CR dot CR":             "a\r.\rb\r\n",
	"F50 dots":                  ".first\r\n..\r\n...\r\n.\r\n",
	"F50 dots around 4096":      dots(4096),
	"F50 dots around 65536":     dots(65536),
	"F51 a line of a buffer":    lines(4095, 4096, 4097, 65535, 65536, 65537),
	"F51 a line of 8 MB":        lines(8 << 20),
	"F53 CR, LF, NUL, 8-bit":    "\xef\xbb\xbfa\rb\nc\x00\xe4\r\r\n\n\r\n",
	"F54 the header alone":      "\r\n",
	"F54 100 thousand fields":   strings.Repeat("X-Field: value\r\n", 100_000) + "\r\n",
	"F54 a field of a megabyte": "X-Field: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
	"F55 replies":               "+OK\r\n-ERR\r\nA1 OK\r\n* BYE\r\n)\r\nA2 OK done\r\n",
}

// dots has a dot at the beginning of a line at each octet around n.
func dots(n int) string {
	var s strings.Builder
	for i := n - 40; i < n+10; i++ {
		fmt.Fprintf(&s, "%s\r\n.\r\n..\r\n", strings.Repeat("x", i))
	}
	return s.String()
}

// lines are lines of so many octets.
func lines(lengths ...int) string {
	var s strings.Builder
	for _, n := range lengths {
		s.WriteString(strings.Repeat("x", n) + "\r\n")
	}
	return s.String()
}

// TestContent retrieves messages of every kind (F49 to F51, F53 to F55), and
// one after each: all arrive to the octet, and then they are deleted.
func TestContent(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Security: retrieval.Plaintext}, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		var want []string
		for name, body := range contents {
			m := []byte("Subject: " + name + "\r\n\r\n" + body)
			if strings.HasPrefix(body, "X-Field") {
				m = []byte("Subject: " + name + "\r\n" + body)
			}
			next := mail("after "+name, 1)
			q.server.Deliver(m, next)
			want = append(want, string(m), string(next))
		}
		for _, m := range []string{"no header\r\n", "\r\n", "\r\n\r\n.\r\n"} { // F54
			q.server.Deliver([]byte(m))
			want = append(want, m)
		}
		q.run()
		var got []string
		for _, m := range q.shelf.copies {
			got = append(got, m)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			for _, m := range want {
				if !slices.Contains(got, m) {
					t.Errorf("%.100q did not arrive to the octet", m)
				}
			}
			t.Errorf("%d messages arrived, want %d", len(got), len(want))
		}
		if left := len(q.server.Contents()); left > 0 {
			t.Errorf("%d are left", left)
		}
	})
}

// TestContentWithoutEnd is F52 and F54: no line end at the end, and nothing at
// all. POP3 cannot tell a message without a last line end from one with it.
func TestContentWithoutEnd(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.server.Deliver([]byte("Subject: A\r\n\r\nend"), mail("B", 1), []byte{}, mail("C", 1))
		q.run()
		var got []string
		for _, m := range q.shelf.copies {
			got = append(got, m)
		}
		for _, m := range [][]byte{mail("B", 1), mail("C", 1)} {
			if !slices.Contains(got, string(m)) {
				t.Errorf("%q is not there", m)
			}
		}
		if !slices.ContainsFunc(got, func(m string) bool {
			return bytes.Equal(bytes.TrimSuffix([]byte(m), []byte("\r\n")), []byte("Subject: A\r\n\r\nend"))
		}) {
			t.Errorf("%q", got)
		}
		if left := len(q.server.Contents()); left > 0 || len(got) != 4 {
			t.Errorf("%d are left, %d here, want 0 and 4", left, len(got))
		}
	})
}

// TestPoisonRefused is F57: a message that the server refuses to send is left
// alone after three times, and the others go; one that it refuses for now
// comes later.
func TestPoisonRefused(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.server.Deliver(mail("A", 1), mail("POISON", 1), mail("C", 1))
		refuse := func(text string) *retrievaltest.Fault {
			return retrievaltest.Always(retrievaltest.Answer(retrievaltest.BeforeCommand("RETR", 1), text))
		}
		q.with(retrievaltest.Always(retrievaltest.Answer(retrievaltest.BeforeCommand("RETR 2", 1), "-ERR [SYS/PERM] cannot read it")))
		q.want("A C", "POISON")
		for range 2 {
			if rep, err := q.with(refuse("-ERR [SYS/PERM] cannot read it")); err != nil || rep.Failed != 1 {
				t.Errorf("%+v, %v, want one failed", rep, err)
			}
		}
		if rep := q.run(); rep.Quarantined != 1 {
			t.Errorf("%+v, want one in quarantine", rep)
		}
		days(1)
		if rep, err := q.with(refuse("-ERR [SYS/TEMP] busy")); rep.Delivered > 0 || errors.Is(err, retrieval.ErrAuth) {
			t.Errorf("%+v, %v", rep, err)
		}
		q.want("A C", "POISON")
		days(1)
		q.run()
		q.want("A C POISON", "")
	}, retrieval.POP3)
}
