package pop3client_test

import (
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"example.com/postbag/internal/pop3server"
)

// BenchmarkRetrEach retrieves 10,000 messages of 5 KB in one loop.
func BenchmarkRetrEach(b *testing.B) {
	const count = 10_000
	srv, total := benchServer(b, count)
	c := session(b, srv, nil)
	list := entries(b, c)
	b.SetBytes(total)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for body, err := range c.RetrEach(b.Context(), list...) {
			if err != nil {
				b.Fatal(err)
			}
			if _, err := body.WriteTo(io.Discard); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != count {
			b.Fatalf("%d messages", n)
		}
	}
	b.ReportMetric(float64(b.N)*count/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkRaw is the limit: all commands in one write, the replies read and
// not looked at.
func BenchmarkRaw(b *testing.B) {
	const count = 10_000
	srv, total := benchServer(b, count)
	conn, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	var cmds strings.Builder
	for i := range count {
		cmds.WriteString("RETR " + strconv.Itoa(i+1) + "\r\n")
	}
	io.WriteString(conn, "USER joe\r\nPASS secret\r\n")
	buf := make([]byte, 256<<10)
	drain(b, conn, buf, "logged in\r\n")
	b.SetBytes(total)
	for b.Loop() {
		go io.WriteString(conn, cmds.String()+"NOOP\r\n")
		drain(b, conn, buf, "\r\n.\r\n+OK\r\n")
	}
}

// drain reads until the server has sent end and nothing behind it.
func drain(b *testing.B, conn net.Conn, buf []byte, end string) {
	var tail []byte
	for {
		n, err := conn.Read(buf)
		if err != nil {
			b.Fatal(err)
		}
		tail = append(tail, buf[max(0, n-20):n]...)
		tail = tail[max(0, len(tail)-20):]
		if bytes.HasSuffix(tail, []byte(end)) {
			return
		}
	}
}

func benchServer(b *testing.B, count int) (*pop3server.Server, int64) {
	srv := serve(b, pop3server.Options{User: "joe", Password: "secret"})
	msg := []byte("Subject: bench\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 70))
	for range count {
		srv.Deliver(msg)
	}
	return srv, int64(count * len(msg))
}
