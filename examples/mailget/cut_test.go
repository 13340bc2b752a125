package main

import (
	"net"
	"slices"
	"strings"
	"testing"
)

// The line is cut within a message: one clear line, no half message, and the
// next run completes the work.
func TestCutConnection(t *testing.T) {
	for _, p := range protocols {
		w := newPlace(t, p)
		w.server.Deliver(demoMail()...)
		url := w.cutProxy(150_000) // in the picture of the garden
		r := w.mailget(w.into("-policy", "delete", url)...)
		if r.code != 4 || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: %+v, want exit code 4 and one line", p, r)
		}
		whole := sorted(demoMail())
		for _, f := range w.files() {
			if !slices.Contains(whole, f) {
				t.Errorf("%s: half a message: %d octets", p, len(f))
			}
		}
		if again := w.must(w.mailget(w.into("-json", "-policy", "delete", url)...)); again.Deleted != 12 || again.Delivered == 12 {
			t.Errorf("%s, again: %+v", p, again)
		}
		if !slices.Equal(w.files(), whole) || len(w.server.Contents()) != 0 {
			t.Errorf("%s: %d files here, %d messages there after the second run", p, len(w.files()), len(w.server.Contents()))
		}
	}
}

// With -retry a run that loses the line goes on by itself, with all but the
// message within which the line was cut.
func TestRetry(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel() // it waits a few seconds before it connects again
			w := newPlace(t, p)
			w.server.Deliver(demoMail()...)
			url := w.cutProxy(150_000)
			r := w.mailget(w.into("-policy", "delete", "-retry", "1", url)...)
			if r.code != 1 || !strings.Contains(r.stdout, "11 delivered") || !strings.Contains(r.stdout, "11 deleted there") {
				t.Errorf("%+v, want one message left", r)
			}
			w.must(w.mailget(w.into("-json", "-policy", "delete", url)...))
			if !slices.Equal(w.files(), sorted(demoMail())) || len(w.server.Contents()) != 0 {
				t.Errorf("%d files here, %d messages there after the second run", len(w.files()), len(w.server.Contents()))
			}
		})
	}
}

// cutProxy returns a URL that leads to the server. The first connection ends
// after so many octets from it.
func (w *place) cutProxy(after int64) string {
	w.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { ln.Close() })
	scheme, rest, _ := strings.Cut(w.url, "://")
	user, target, _ := strings.Cut(rest, "@")
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			go copyConn(server, client, 1<<40)
			go copyConn(client, server, after)
			after = 1 << 40
		}
	}()
	return scheme + "://" + user + "@" + ln.Addr().String()
}

func copyConn(to, from net.Conn, n int64) {
	buf := make([]byte, 4096)
	for n > 0 {
		k, err := from.Read(buf[:min(n, int64(len(buf)))])
		if err != nil {
			break
		}
		if _, err := to.Write(buf[:k]); err != nil {
			break
		}
		n -= int64(k)
	}
	to.Close()
	from.Close()
}
