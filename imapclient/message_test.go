package imapclient_test

import (
	"io"
	"testing"

	"example.com/postbag/imapclient"
)

// A message that is read when the loop has gone on ends in an error, not as if
// it had no octets.
func TestMessageReadTooLate(t *testing.T) {
	c := examined(t, lines("C: a1 UID FETCH 1:3 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])", b64("* 1 FETCH (UID 1 BODY[] {2}\r\nab)\r\n"),
		`S: * 2 FETCH (UID 2 BODY[] "cd")`, b64("* 3 FETCH (UID 3 BODY[] {2}\r\nef)\r\n"), "S: a1 OK"))
	var kept []*imapclient.Message
	for m, err := range c.Bodies(t.Context(), 1, 2, 3) {
		if err != nil {
			t.Fatal(err)
		}
		if m.UID == 3 { // this one is read in time
			io.ReadAll(m)
		}
		kept = append(kept, m)
	}
	for i, want := range []error{imapclient.ErrTruncated, imapclient.ErrTruncated, nil} {
		b, err := io.ReadAll(kept[i])
		if len(b) > 0 {
			t.Errorf("message %d has %q", i+1, b)
		}
		wants(t, "ReadAll", err, want)
	}
}
