package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"example.com/postbag/internal/servers"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// BenchmarkRetrieve retrieves 10,000 messages of 5 KB from a Dovecot, without
// TLS, at 0 and at 50 ms of round trip. Each round is measured side by side with
// a raw reader that asks for everything at once and throws it away; x-raw is
// the ratio of the two.
func BenchmarkRetrieve(b *testing.B) {
	d := servers.Start(b, servers.Dovecot, servers.User{Name: user, Password: password})
	msgs := mails(10_000, 5000)
	d.Deliver(b, user, msgs...)
	for _, p := range []retrieval.Protocol{retrieval.POP3, retrieval.IMAP} {
		target, raw := d.POP3, rawPOP3
		if p == retrieval.IMAP {
			target, raw = d.IMAP, rawIMAP
		}
		for _, rtt := range []time.Duration{0, 50 * time.Millisecond} {
			addr := slowed(b, target, rtt)
			for _, sink := range []string{"discard", "maildir"} {
				b.Run(fmt.Sprintf("%s/%v/%s", p, rtt, sink), func(b *testing.B) {
					raw(b, addr, len(msgs)) // warms the server's index
					var rawTime, ourTime time.Duration
					for b.Loop() {
						start := time.Now()
						raw(b, addr, len(msgs))
						rawTime += time.Since(start)
						start = time.Now()
						retrieve(b, p, addr, sink, len(msgs))
						ourTime += time.Since(start)
					}
					b.ReportMetric(float64(ourTime)/float64(rawTime), "x-raw")
					b.ReportMetric(rawTime.Seconds()/float64(b.N), "raw-s")
				})
			}
		}
	}
}

func retrieve(b *testing.B, p retrieval.Protocol, addr, to string, want int) {
	b.Helper()
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	a := retrieval.Account{
		Protocol: p, Host: host, Port: n, Security: retrieval.Plaintext, User: user,
		Password: func(context.Context) (string, error) { return password, nil },
	}
	var sink retrieval.Sink = retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
		_, err := m.WriteTo(io.Discard)
		return err
	})
	if to == "maildir" {
		d, err := disk.OpenMaildir(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		defer d.Close()
		sink = d
	}
	rep, err := retrieval.Run(b.Context(), a, sink, new(retrieval.Memory))
	if err != nil || rep.Delivered != want {
		b.Fatalf("%+v, %v", rep, err)
	}
}

// rawPOP3 reads n messages with every RETR sent at once.
func rawPOP3(b *testing.B, addr string, n int) {
	b.Helper()
	c, r := dialRaw(b, addr)
	defer c.Close()
	for _, cmd := range []string{"", "USER " + user, "PASS " + password} {
		if cmd != "" {
			fmt.Fprintf(c, "%s\r\n", cmd)
		}
		if _, err := r.ReadSlice('\n'); err != nil {
			b.Fatal(err)
		}
	}
	var cmds bytes.Buffer
	for i := range n {
		fmt.Fprintf(&cmds, "RETR %d\r\n", i+1)
	}
	go c.Write(cmds.Bytes())
	for done := 0; done < n; {
		line, err := r.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if len(line) == 3 && line[0] == '.' {
			done++
		}
	}
}

// rawIMAP reads n messages with one command.
func rawIMAP(b *testing.B, addr string, n int) {
	b.Helper()
	c, r := dialRaw(b, addr)
	defer c.Close()
	if _, err := r.ReadSlice('\n'); err != nil {
		b.Fatal(err)
	}
	for i, cmd := range []string{"LOGIN " + user + " \"" + password + "\"", "EXAMINE INBOX", "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"} {
		fmt.Fprintf(c, "a%d %s\r\n", i, cmd)
		tag := []byte(fmt.Sprintf("a%d OK", i))
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				b.Fatal(err)
			}
			if bytes.HasPrefix(line, tag) {
				break
			}
			if i == 2 && bytes.HasSuffix(line, []byte("}\r\n")) {
				size, err := strconv.Atoi(string(line[bytes.LastIndexByte(line, '{')+1 : len(line)-3]))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := r.Discard(size); err != nil {
					b.Fatal(err)
				}
				n--
			}
		}
	}
	if n != 0 {
		b.Fatalf("%d messages too few", n)
	}
}

func dialRaw(b *testing.B, addr string) (net.Conn, *bufio.Reader) {
	b.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	return c, bufio.NewReaderSize(c, 64<<10)
}

// slowed returns the address of a proxy that delays each direction by half of
// rtt, without a limit on the rate.
func slowed(b *testing.B, target string, rtt time.Duration) string {
	b.Helper()
	if rtt == 0 {
		return target
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
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
			wg.Go(func() { delay(client, server, rtt/2) })
			wg.Go(func() { delay(server, client, rtt/2) })
		}
	})
	b.Cleanup(func() { ln.Close(); wg.Wait() })
	return ln.Addr().String()
}

// delay copies from one connection to the other, each piece d later.
func delay(from, to net.Conn, d time.Duration) {
	type piece struct {
		data []byte
		due  time.Time
	}
	pieces := make(chan piece, 1<<14)
	go func() {
		defer close(pieces)
		for {
			buf := make([]byte, 32<<10)
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			pieces <- piece{buf[:n], time.Now().Add(d)}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.data); err != nil {
			break
		}
	}
	to.Close()
	from.Close()
	for range pieces {
	}
}
