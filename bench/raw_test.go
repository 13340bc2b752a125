package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"
	"time"
)

// rawPOP3 reads n messages with every RETR sent at once.
func rawPOP3(b *testing.B, addr string, n int) time.Duration {
	b.Helper()
	return rawPOP3To(b, addr, n, nil)
}

// rawPOP3To is rawPOP3 that hands on what it reads, if there is a to: pieces
// of messages, and nil at the end of each.
func rawPOP3To(b *testing.B, addr string, n int, to func(piece []byte)) time.Duration {
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
	start := time.Now()
	go c.Write(cmds.Bytes())
	reply := true // comes next
	for done := 0; done < n; {
		line, err := r.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		begins := to != nil && reply
		reply = false
		if len(line) == 3 && line[0] == '.' {
			done++
			reply = true
			line = nil
		} else if to != nil && line[0] == '.' {
			line = line[1:]
		}
		if to != nil && !begins {
			to(line)
		}
	}
	return time.Since(start)
}

// rawIMAP reads n messages with one command.
func rawIMAP(b *testing.B, addr string, n int) time.Duration {
	b.Helper()
	return rawIMAPTo(b, addr, n, nil)
}

// rawIMAPTo is rawIMAP that hands on what it reads, as rawPOP3To does.
func rawIMAPTo(b *testing.B, addr string, n int, to func(piece []byte)) time.Duration {
	b.Helper()
	c, r := dialRaw(b, addr)
	defer c.Close()
	if _, err := r.ReadSlice('\n'); err != nil {
		b.Fatal(err)
	}
	var start time.Time
	for i, cmd := range []string{"LOGIN " + user + " \"" + password + "\"", "EXAMINE INBOX", "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"} {
		start = time.Now()
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
				n--
				if to == nil {
					if _, err := r.Discard(size); err != nil {
						b.Fatal(err)
					}
					continue
				}
				msg := make([]byte, size)
				if _, err := io.ReadFull(r, msg); err != nil {
					b.Fatal(err)
				}
				to(msg)
				to(nil)
			}
		}
	}
	if n != 0 {
		b.Fatalf("%d messages too few", n)
	}
	return time.Since(start)
}

func dialRaw(b *testing.B, addr string) (net.Conn, *bufio.Reader) {
	b.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	return c, bufio.NewReaderSize(c, 64<<10)
}
