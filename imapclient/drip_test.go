package imapclient_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/imapclient"
)

// dripping runs do with a client that has INBOX open, of a server that then
// says something at an octet a second, and takes nothing more if it is deaf.
func dripping(t *testing.T, text string, o *imapclient.Options, deaf bool, do func(*testing.T, *imapclient.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		var both sync.WaitGroup
		defer both.Wait()
		both.Go(func() {
			if io.WriteString(server, "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"); deaf {
				io.ReadFull(server, make([]byte, len("T1 SELECT INBOX\r\n")))
			} else {
				both.Go(func() { io.Copy(io.Discard, server) })
			}
			io.WriteString(server, "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\nT1 OK [READ-WRITE]\r\n")
			for i := range len(text) {
				time.Sleep(time.Second)
				if _, err := io.WriteString(server, text[i:i+1]); err != nil {
					return
				}
			}
		})
		defer server.Close()
		c, err := imapclient.New(t.Context(), client, o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = c.Select(t.Context(), "INBOX")
		wants(t, "Select", err, nil)
		do(t, c)
	})
}

func TestDrip(t *testing.T) {
	const row = "* 1 FETCH (UID 1 RFC822.SIZE 4000 BODY[] {4000}\r\n"
	body := strings.Repeat("x", 4000)
	fetch := func(t *testing.T, c *imapclient.Client) (got string, last error) {
		for m, err := range c.Bodies(t.Context(), 1) {
			if err != nil {
				last = errors.Join(last, err)
				continue
			}
			b, err := io.ReadAll(m)
			got, last = string(b), errors.Join(last, err)
		}
		return got, last
	}
	t.Run("F117 a message", func(t *testing.T) {
		dripping(t, row+body+")\r\nA1 OK\r\n", nil, false, func(t *testing.T, c *imapclient.Client) {
			start := time.Now()
			_, err := fetch(t, c)
			wants(t, "Bodies", err, imapclient.ErrTruncated)
			wants(t, "Bodies", c.Err(), imapclient.ErrUnavailable)
			if took := time.Since(start); took > 16*time.Minute {
				t.Errorf("given up after %v", took)
			}
		})
	})
	t.Run("F117 responses without end", func(t *testing.T) {
		dripping(t, strings.Repeat("* OK still here\r\n", 1000), nil, false, func(t *testing.T, c *imapclient.Client) {
			_, err := c.Noop(t.Context())
			wants(t, "Noop", err, imapclient.ErrUnavailable)
		})
	})
	t.Run("F117 allowed", func(t *testing.T) {
		dripping(t, row+body+")\r\nA1 OK\r\n", &imapclient.Options{MinProgress: -1}, false, func(t *testing.T, c *imapclient.Client) {
			if got, err := fetch(t, c); got != body || err != nil {
				t.Errorf("%d octets, %v", len(got), err)
			}
		})
	})
	t.Run("F115 talks and does not listen", func(t *testing.T) {
		dripping(t, strings.Repeat("* OK still here\r\n", 1000), nil, true, func(t *testing.T, c *imapclient.Client) {
			_, err := c.Noop(t.Context())
			wants(t, "Noop", err, imapclient.ErrUnavailable)
			// With many commands on their way.
			_, err = fetch(t, c)
			wants(t, "Bodies", err, imapclient.ErrUnavailable)
		})
	})
	t.Run("F115 many commands on their way", func(t *testing.T) {
		dripping(t, "", nil, true, func(t *testing.T, c *imapclient.Client) {
			var uids []uint32
			for uid := range uint32(100_000) {
				uids = append(uids, 2*uid+1)
			}
			var last error
			for _, err := range c.Bodies(t.Context(), uids...) {
				last = err
			}
			wants(t, "Bodies", last, imapclient.ErrUnavailable)
		})
	})
}
