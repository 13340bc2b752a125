package imapclient_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
)

// canned is a server in memory that answers UID FETCH with copies of one
// message, and everything else with OK. It takes no time but for copying.
type canned struct {
	octets
	body  []byte
	queue []answer
	text  [3][]byte // what is left to say of the first in queue
	head  []byte
}

// answer is what is said next: text, or messages.
type answer struct {
	text        string
	first, last int64
}

func (s *canned) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		tag, command, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		switch {
		case strings.HasPrefix(command, "SELECT"):
			s.say("* 100000 EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n")
		case strings.HasPrefix(command, "UID FETCH "):
			var a answer
			if n, _ := fmt.Sscanf(command, "UID FETCH %d:%d", &a.first, &a.last); n == 1 {
				a.last = a.first
			}
			s.queue = append(s.queue, a)
		}
		s.say(tag + " OK done\r\n")
	}
	return len(p), nil
}

func (s *canned) say(text string) { s.queue = append(s.queue, answer{text: text}) }

// Read copies as much as there is room for.
func (s *canned) Read(p []byte) (n int, err error) {
	for n < len(p) && s.load() {
		for i := range s.text {
			k := copy(p[n:], s.text[i])
			s.text[i] = s.text[i][k:]
			n += k
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

var end = []byte(")\r\n")

// load loads what is to be said next, and tells whether there is anything.
func (s *canned) load() bool {
	for {
		if len(s.text[0])+len(s.text[1])+len(s.text[2]) > 0 {
			return true
		}
		if len(s.queue) == 0 {
			return false
		}
		a := &s.queue[0]
		if a.text != "" {
			s.text[0] = []byte(a.text)
			s.queue = s.queue[1:]
			continue
		}
		if a.first > a.last {
			s.queue = s.queue[1:]
			continue
		}
		s.head = append(s.head[:0], "* "...)
		s.head = strconv.AppendInt(s.head, a.first, 10)
		s.head = append(s.head, " FETCH (UID "...)
		s.head = strconv.AppendInt(s.head, a.first, 10)
		s.head = append(s.head, ` FLAGS (\Seen $Forwarded) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE `...)
		s.head = strconv.AppendInt(s.head, int64(len(s.body)), 10)
		s.head = append(s.head, " BODY[] {"...)
		s.head = strconv.AppendInt(s.head, int64(len(s.body)), 10)
		s.head = append(s.head, "}\r\n"...)
		s.text = [3][]byte{s.head, s.body, end}
		a.first++
	}
}

var _ net.Conn = (*canned)(nil)

// raw is the limit: a reader that looks at nothing but where messages end.
func raw(conn net.Conn, n int) error {
	fmt.Fprintf(conn, "A UID FETCH 1:%d\r\n", n)
	r := bufio.NewReaderSize(conn, 64<<10)
	for range n {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		open := bytes.LastIndexByte(line, '{')
		size, err := strconv.Atoi(string(line[open+1 : len(line)-3]))
		if err != nil {
			return err
		}
		if _, err := r.Discard(size); err != nil {
			return err
		}
		if _, err := r.ReadSlice('\n'); err != nil {
			return err
		}
	}
	_, err := r.ReadSlice('\n')
	return err
}

// serve lets a canned server speak over TCP, on this machine.
func serve(b *testing.B, body []byte, greeting string) net.Conn {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		conn, err := ln.Accept()
		ln.Close()
		if err != nil {
			return
		}
		defer conn.Close()
		s := &canned{body: body}
		io.WriteString(conn, greeting)
		lines := bufio.NewReader(conn)
		buf := make([]byte, 256<<10)
		for {
			line, err := lines.ReadSlice('\n')
			if err != nil {
				return
			}
			s.Write(line)
			for {
				n, err := s.Read(buf)
				if err != nil {
					break
				}
				if _, err := conn.Write(buf[:n]); err != nil {
					return
				}
			}
		}
	}()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	return conn
}

// BenchmarkBodies retrieves mail. x-raw is the least time that it takes,
// divided by the least time of a reader that only finds where messages end.
// From memory there is no network to wait for, and what the reader takes is
// the time for copying.
func BenchmarkBodies(b *testing.B) {
	const hello = "* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n"
	for _, tt := range []struct {
		name    string
		n, size int
	}{{"10000x5KB", 10_000, 5 << 10}, {"20x25MB", 20, 25 << 20}} {
		body := bytes.Repeat([]byte("All work and no play makes Jack a dull boy, or so it is said.\r\n"), tt.size/63)
		uids := make([]uint32, tt.n)
		for i := range uids {
			uids[i] = uint32(i + 1)
		}
		for _, from := range []struct {
			name string
			dial func(greeting string) net.Conn
		}{
			{"memory", func(greeting string) net.Conn {
				s := &canned{body: body}
				s.say(greeting)
				return s
			}},
			{"tcp", func(greeting string) net.Conn { return serve(b, body, greeting) }},
		} {
			b.Run(tt.name+"/"+from.name, func(b *testing.B) {
				b.SetBytes(int64(tt.n * len(body)))
				b.ReportAllocs()
				ours, limit := time.Hour, time.Hour
				for b.Loop() {
					b.StopTimer()
					conn := from.dial("")
					start := time.Now()
					if err := raw(conn, tt.n); err != nil {
						b.Fatal(err)
					}
					limit = min(limit, time.Since(start))
					conn.Close()
					c, err := imapclient.New(b.Context(), from.dial(hello), nil)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := c.Select(b.Context(), "INBOX"); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					start = time.Now()
					got := bodies(b, c, uids)
					ours = min(ours, time.Since(start))
					if want := int64(tt.n * len(body)); got != want {
						b.Fatalf("%d octets, want %d", got, want)
					}
					c.Close()
				}
				b.ReportMetric(float64(ours)/float64(limit), "x-raw")
			})
		}
	}
}

// bodies retrieves messages and returns how many octets they are.
func bodies(b *testing.B, c *imapclient.Client, uids []uint32) int64 {
	var octets int64
	for m, err := range c.Bodies(b.Context(), uids...) {
		if err != nil {
			b.Fatal(err)
		}
		n, err := m.WriteTo(io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		octets += n
	}
	return octets
}

// BenchmarkSummaries lists a mailbox of 100,000 messages.
func BenchmarkSummaries(b *testing.B) {
	const n = 100_000
	var script bytes.Buffer
	script.WriteString("* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n* 100000 EXISTS\r\nT1 OK\r\n")
	for uid := 1; uid <= n; uid++ {
		fmt.Fprintf(&script, "* %d FETCH (UID %d FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 5000)\r\n", uid, uid)
	}
	script.WriteString("A1 OK\r\n")
	b.SetBytes(int64(script.Len()))
	b.ReportAllocs()
	for b.Loop() {
		c, err := imapclient.New(b.Context(), octets{bytes.NewReader(script.Bytes())}, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Select(b.Context(), "INBOX"); err != nil {
			b.Fatal(err)
		}
		got := 0
		for _, err := range c.Summaries(b.Context(), imapclient.All()) {
			if err != nil {
				b.Fatal(err)
			}
			got++
		}
		if got != n {
			b.Fatalf("%d summaries", got)
		}
		c.Close()
	}
}
