package imapclient_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/imapclient"
)

// A part that the server decodes to nothing is empty, if nothing is encoded in it,
// or has been lost.
func TestEmptyBinary(t *testing.T) {
	for _, tt := range []struct {
		name, row, want string
		err             error
	}{
		{"a line end", "* 1 FETCH (UID 5 BODY[2] {2}\r\n\r\n)\r\n", "", nil},
		{"something after all", "* 1 FETCH (UID 5 BODY[2] {4}\r\naGk=)\r\n", "hi", nil},
		{"nothing of 2 octets", "* 1 FETCH (UID 5 BODY[2] {0}\r\n)\r\n", "", imapclient.ErrTruncated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := selected(t, "BINARY", lines("C: a1 UID FETCH 5 (UID BINARY.PEEK[2])", b64("* 1 FETCH (UID 5 BINARY[2] ~{0}\r\n)\r\n"), "S: a1 OK",
				"C: a2 UID FETCH 5 (UID BODY.PEEK[2])", b64(tt.row), "S: a2 OK"))
			p, err := c.Part(t.Context(), 5, "2", &imapclient.PartOptions{Encoding: "base64", Size: 2})
			var b []byte
			if err == nil {
				b, err = io.ReadAll(p)
			}
			wants(t, "Part", err, tt.err)
			if string(b) != tt.want {
				t.Errorf("%q, want %q", b, tt.want)
			}
		})
	}
}

// A part whose context ends was not given up by the server.
func TestPartCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		c := selected(t, "", lines("C: a1 UID FETCH 5 (UID BODY.PEEK[2])", "~ 10s"))
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		_, err := c.Part(ctx, 5, "2", &imapclient.PartOptions{Raw: true})
		if hung := (*imapclient.HangUpError)(nil); !errors.Is(err, cause) || errors.As(err, &hung) {
			t.Errorf("%v, want the cause and no more", err)
		}
		c.Close()
	})
}
