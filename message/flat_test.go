package message_test

import (
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"example.com/postbag/message"
)

// big is a message of n octets that is nowhere: its reader makes it.
func big(n int64) io.Reader {
	head := crlf("Subject: big\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=a.pdf\n\n")
	return io.MultiReader(strings.NewReader(head), io.LimitReader(&lineReader{}, n), strings.NewReader("\r\n--b--\r\n"))
}

// lineReader repeats a line, of base64 if there is none.
type lineReader struct {
	line string
	at   int
}

var base64Line = strings.Repeat("YWJj", 19) + "\r\n"

func (l *lineReader) Read(p []byte) (int, error) {
	n := 0
	if l.line == "" {
		l.line = base64Line
	}
	for n < len(p) {
		k := copy(p[n:], l.line[l.at:])
		n += k
		l.at = (l.at + k) % len(l.line)
	}
	return n, nil
}

// peak returns how much more memory f held at once than was held before. What only
// waits to be collected is kept small.
func peak(f func()) int64 {
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	done := make(chan struct{})
	most := make(chan uint64)
	go func() {
		var m uint64
		for {
			select {
			case <-done:
				most <- m
				return
			case <-time.After(time.Millisecond):
				runtime.ReadMemStats(&now)
				m = max(m, now.HeapInuse)
			}
		}
	}()
	f()
	close(done)
	return int64(<-most) - int64(before.HeapInuse)
}

// Messages are streams: one of 200 MB takes no more memory than one of 2 MB,
// nor does a header section of 200 MB.
func TestFlatMemory(t *testing.T) {
	const size = 200_000_000
	if testing.Short() {
		t.Skip("not in short mode")
	}
	for _, tt := range []struct {
		name string
		r    func() io.Reader
	}{
		{"a part", func() io.Reader { return big(size) }},
		{"a header section", func() io.Reader {
			return io.MultiReader(strings.NewReader("X: "), io.LimitReader(&lineReader{}, 76), strings.NewReader("\r\nY: "), io.LimitReader(letters('x'), size), strings.NewReader("\r\n\r\nbody"))
		}},
		{"fields", func() io.Reader { return io.LimitReader(&lineReader{line: "A:\n"}, size/4) }},
		{"fields and what is none", func() io.Reader { return io.LimitReader(&lineReader{line: "x\nA:\n"}, size/4) }},
		{"parts", func() io.Reader {
			return io.MultiReader(strings.NewReader("Content-Type: multipart/mixed; boundary=b\n\n"), io.LimitReader(&lineReader{line: "--b\n\nx\n"}, size))
		}},
		{"the header section of a part", func() io.Reader {
			return io.MultiReader(strings.NewReader("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nY: "), io.LimitReader(letters('x'), size), strings.NewReader("\r\n\r\nbody"))
		}},
		{"a preamble", func() io.Reader {
			return io.MultiReader(strings.NewReader("Content-Type: multipart/mixed; boundary=b\r\n\r\n"), io.LimitReader(&lineReader{}, size), strings.NewReader("\r\n--b\r\n\r\nbody"))
		}},
	} {
		n := int64(0)
		start := time.Now()
		used := peak(func() {
			m, err := message.Read(tt.r(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for p, err := range m.Parts() {
				if err != nil {
					t.Fatal(err)
				}
				if !p.Container() {
					k, err := io.Copy(io.Discard, p)
					if err != nil {
						t.Fatal(err)
					}
					n += k
				}
			}
		})
		t.Logf("%s: %d kB for %d octets, of which %d came out; %.0f MB/s", tt.name, used/1000, size, n, size/1e6/time.Since(start).Seconds())
		if used > 20_000_000 {
			t.Errorf("%s: %d octets of memory", tt.name, used)
		}
	}
}

// What is made of a message for people is bounded, too: attachments of 200 MB
// go by, and text ends at MaxText.
func TestFlatContent(t *testing.T) {
	const size, maxText = 200_000_000, 1 << 20
	if testing.Short() {
		t.Skip("not in short mode")
	}
	for _, tt := range []struct {
		name string
		r    func() io.Reader
	}{
		{"an attachment", func() io.Reader { return big(size) }},
		{"text", func() io.Reader {
			return io.MultiReader(strings.NewReader("\r\n"), io.LimitReader(&lineReader{}, size))
		}},
		{"HTML", func() io.Reader {
			return io.MultiReader(strings.NewReader("Content-Type: text/html\r\n\r\n"), io.LimitReader(&lineReader{line: "<p>text<br>\r\n"}, size))
		}},
	} {
		n := int64(0)
		used := peak(func() {
			m, err := message.Read(tt.r(), &message.Options{MaxText: maxText})
			if err != nil {
				t.Fatal(err)
			}
			for p, err := range m.Attachments() {
				if err != nil {
					t.Fatal(err)
				}
				k, err := io.Copy(io.Discard, p)
				if err != nil {
					t.Fatal(err)
				}
				n += k
			}
			text, err := m.Text()
			if err != nil {
				t.Fatal(err)
			}
			html, err := m.HTML()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Preview(200); err != nil {
				t.Fatal(err)
			}
			n += int64(len(text) + len(html))
		})
		t.Logf("%s: %d kB for %d octets, of which %d came out", tt.name, used/1000, size, n)
		if used > 10*maxText || n < maxText/2 {
			t.Errorf("%s: %d octets of memory, %d came out", tt.name, used, n)
		}
	}
}

type letters byte

func (e letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}
