package imapclient_test

import (
	"testing"

	"example.com/postbag/imapclient"
)

// Flags that another client changes while messages are asked for are news, and
// what has been asked for is none.
func TestNewsAmongAnswers(t *testing.T) {
	const one = "* 1 FETCH (UID 1 FLAGS () BODY[] {2}\r\nab)\r\n"
	const size = " FLAGS () RFC822.SIZE 2)"
	noop := []string{"C: a9 NOOP", "S: a9 OK"}
	for _, tt := range []struct {
		name    string
		bodies  bool
		rows    []string
		changed int
	}{
		{"Bodies: what was asked for", true, []string{"S: * 2 FETCH (UID 2 FLAGS ())", b64(one), b64("* 2 FETCH (UID 2 BODY[] {1}\r\nc)\r\n")}, 0},
		{"Bodies: without a UID", true, []string{b64(one), "S: * 3 FETCH (FLAGS (x))", b64("* 2 FETCH (UID 2 BODY[] {1}\r\nc)\r\n")}, 1},
		{"Bodies: without a UID, before another is gone", true, []string{b64(one), "S: * 3 FETCH (FLAGS (x))", "S: * 4 EXPUNGE", b64("* 2 FETCH (UID 2 BODY[] {1}\r\nc)\r\n")}, 1},
		{"Bodies: of another", true, []string{"S: * 3 FETCH (UID 9 FLAGS (x))", b64(one), b64("* 2 FETCH (UID 2 BODY[] {1}\r\nc)\r\n")}, 1},
		{"Bodies: of one that has come", true, []string{b64(one), "S: * 1 FETCH (UID 1 FLAGS (x))", b64("* 2 FETCH (UID 2 BODY[] {1}\r\nc)\r\n")}, 1},
		{"Bodies: no flags", true, []string{"S: * 3 FETCH (MODSEQ (5))", b64(one), b64("* 2 FETCH (UID 2 BODY[] {1}\r\nc)\r\n")}, 0},
		{"Fetch: what was asked for", false, []string{"S: * 1 FETCH (FLAGS ())", "S: * 1 FETCH (UID 1 RFC822.SIZE 2)", "S: * 2 FETCH (UID 2" + size}, 0},
		{"Fetch: the last message for *", false, []string{"S: * 1 FETCH (UID 1" + size, "S: * 2 FETCH (UID 2" + size, "S: * 4 FETCH (UID 9" + size}, 0},
		{"Fetch: without a UID", false, []string{"S: * 1 FETCH (UID 1" + size, "S: * 3 FETCH (FLAGS (x))", "S: * 2 FETCH (UID 2" + size}, 1},
		{"Fetch: without a UID, before another is gone", false, []string{"S: * 1 FETCH (UID 1" + size, "S: * 3 FETCH (FLAGS (x))", "S: * 4 EXPUNGE", "S: * 2 FETCH (UID 2" + size}, 1},
		{"Fetch: of another", false, []string{"S: * 3 FETCH (UID 9 FLAGS (x))", "S: * 1 FETCH (UID 1" + size, "S: * 2 FETCH (UID 2" + size}, 1},
		{"Fetch: of one that has come", false, []string{"S: * 1 FETCH (UID 1" + size, "S: * 1 FETCH (UID 1 FLAGS (x))", "S: * 2 FETCH (UID 2" + size}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ask := "C: a1 UID FETCH 1:2 (UID FLAGS RFC822.SIZE)"
			if tt.bodies {
				ask = fetch12
			}
			c := examined(t, lines(append(append([]string{ask}, tt.rows...), append([]string{"S: a1 OK"}, noop...)...)...))
			n := 0
			if tt.bodies {
				n = len(fetchAll(t, c, 1, 2).bodies)
			} else {
				for _, err := range c.Fetch(t.Context(), imapclient.UIDs(1, 2), imapclient.Items{Flags: true, Size: true}) {
					wants(t, "Fetch", err, nil)
					n++
				}
			}
			a, err := c.Noop(t.Context())
			if n != 2 || err != nil || a.Changed != tt.changed {
				t.Errorf("%d messages, %+v, %v, want %d changed", n, a, err, tt.changed)
			}
		})
	}
}
