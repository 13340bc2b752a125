//go:build unix

package relay_test

import (
	"context"
	"io"
	"net"
	"testing"

	"example.com/postbag/retrieval/relay"
)

// FuzzMessage shows that no message ends before its end, for a server that
// takes anything for an end of line.
func FuzzMessage(f *testing.F) {
	for _, end := range []string{"", ".", "\n.\n", "\r.\r", "\r\n.\r", "\r\r\n.\r\r\n", "\r\n\x00.\r\n", "\r\x00\n.", "\x00\r", "\r", "a\r\n..\r\n"} {
		f.Add([]byte(mail+end), true)
		f.Add([]byte(end), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, lax bool) {
		s := &scripted{lax: lax}
		sink := newSink(t, false, "127.0.0.1:25", &relay.Options{Dial: pipeTo(t, s)})
		if _, err := sink.Deliver(t.Context(), message("1.1", string(data))); err != nil {
			t.Fatal(err)
		}
		if got := s.got(); len(got) != 1 || got[0].data != string(normal(data)) {
			t.Errorf("%q arrived as %+q", data, got)
		}
	})
}

// FuzzServer shows that whatever a server says, a delivery comes to an end.
func FuzzServer(f *testing.F) {
	f.Add([]byte("220 x\r\n250-x\r\n250 8BITMIME\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n250 b\r\n"), true)
	f.Add([]byte("220 x\r\n250-x\r\n250 AUTH PLAIN\r\n334 x\r\n250 ok\r\n"), false)
	f.Add([]byte("220 x\r\n500 x\r\n250 x\r\n250-\r\n250-x\r\n99999 \r\n"), false)
	f.Fuzz(func(t *testing.T, said []byte, lmtp bool) {
		o := &relay.Options{Recipients: []string{"a", "b"}, User: "u", Password: func(context.Context) (string, error) { return "p", nil }}
		if lmtp {
			o.User, o.Password = "", nil
		}
		o.Dial = func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				io.Copy(io.Discard, there)
			}()
			go func() {
				there.Write(said)
				there.Close()
			}()
			t.Cleanup(func() {
				there.Close()
				<-done
			})
			return here, nil
		}
		newSink(t, lmtp, "127.0.0.1:25", o).Deliver(t.Context(), message("1.1", mail))
	})
}
