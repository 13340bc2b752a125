//go:build unix

package relay_test

import (
	"slices"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/relay"
)

// Who has a header section does not have the message, and who has a message does
// not have another one that the server has given the same UID.
func TestF127OtherMessage(t *testing.T) {
	const another = "Subject: another\r\n\r\nx\r\n"
	to := []string{"ann", "bob"}
	for _, tt := range []struct {
		name   string
		change func(m *retrieval.Message)
		data   string
		want   []string
	}{
		{"the same", func(*retrieval.Message) {}, mail, to[1:]},
		{"the same, with a field of the server's own", func(m *retrieval.Message) { m.Redelivery = true }, "Status: RO\r\n" + mail, to[1:]},
		{"the header section", func(m *retrieval.Message) { m.HeaderOnly, m.Redelivery = true, true }, mail, to},
		{"another one", func(*retrieval.Message) {}, another, to},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := (&scripted{lmtp: true, on: func(n int, line string) string {
				if line == "." {
					return "250 a\r\n450 b"
				}
				return ""
			}}).start(t)
			sink := newSink(t, true, s.addr, &relay.Options{Recipients: to})
			if _, err := sink.Deliver(t.Context(), message("1.1", mail)); about(err) != "deferred" {
				t.Fatal(err)
			}
			m := message("1.1", tt.data)
			tt.change(m)
			before := len(s.told())
			sink.Deliver(t.Context(), m)
			var got []string
			for _, line := range s.told()[before:] {
				if addr, ok := strings.CutPrefix(line, "RCPT TO:<"); ok {
					addr, _, _ = strings.Cut(addr, ">")
					got = append(got, addr)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("offered to %q, want %q", got, tt.want)
			}
		})
	}
}
