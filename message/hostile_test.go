package message_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/postbag/message"
)

// everything does all that can be done with a message.
func everything(r io.ReadSeeker) error {
	m, err := message.Read(r, nil)
	if err != nil {
		return err
	}
	for p, err := range m.Parts() {
		if err != nil {
			return err
		}
		if p.Type == "message/delivery-status" {
			p.DeliveryStatus()
		} else if !p.Container() {
			if _, err := io.Copy(io.Discard, p); err != nil {
				return err
			}
		}
	}
	for p, err := range m.Attachments() {
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, p); err != nil {
			return err
		}
	}
	if _, err := m.Text(); err != nil {
		return err
	}
	m.Preview(200)
	m.Defects()
	return nil
}

// Each family of hostile messages takes time in proportion to its size.
func TestHostile(t *testing.T) {
	const mixed = "Content-Type: multipart/mixed; boundary=b\n\n"
	repeat := func(before, s, after string) func(int) string {
		return func(n int) string { return before + strings.Repeat(s, n/len(s)) + after }
	}
	encode := func(name string, f func(int) string) func(int) string {
		return func(n int) string {
			return "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte(f(n)))
		}
	}
	html := func(before, s string) func(int) string { return repeat("Content-Type: text/html\n\n"+before, s, "") }
	tnef := "\x78\x9f\x3e\x22\x01\x00"
	families := []struct {
		name string
		make func(n int) string
	}{
		{"depth", func(n int) string {
			var b strings.Builder
			for i := 0; b.Len() < n; i++ {
				fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%[1]d\n", i)
			}
			return b.String()
		}},
		{"depth of one boundary", repeat("", mixed+"--b\n", "")},
		{"depth without parts", repeat("", "Content-Type: multipart/mixed; boundary=b\n\n", "")},
		{"messages in messages", repeat("", "Content-Type: message/rfc822\n\n", "")},
		{"parts", repeat(mixed, "--b\n\n", "")},
		{"parts without boundaries", repeat(mixed, "--b\nContent-Type: multipart/mixed\n\n", "")},
		{"parts with boundaries that are not there", repeat(mixed, "--b\nContent-Type: multipart/mixed; boundary=c\n\n", "")},
		{"almost boundaries", repeat(mixed+"--b\n\n", "\n--a", "")},
		{"almost boundaries in depth", func(n int) string {
			var b strings.Builder
			for i := range 150 {
				fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=aaaaaaaaaa%d\n\n--aaaaaaaaaa%[1]d\n", i)
			}
			return b.String() + "\n" + strings.Repeat("--aaaaaaaaaa\n", n/13)
		}},
		{"closing boundaries", repeat(mixed, "--b--\n", "")},
		{"long boundary lines", repeat(mixed+"--b\n\nx\n--b", " ", "x\n")},
		{"dashes", repeat(mixed+"--b\n\n", "-", "")},
		{"line breaks", repeat(mixed+"--b\n\n", "\n", "")},
		{"CR", repeat(mixed+"--b\n\n", "\r", "")},
		{"header", repeat("X: ", "x", "\n\nx")},
		{"fields", repeat("", "A:\n", "\n")},
		{"content fields", repeat("", "Content-Type:\n", "\n")},
		{"folds", repeat("X:", "\n ", "x\n\n")},
		{"no fields", repeat("X: y\n", "x\n", "\n")},
		{"no fields by turns", repeat("X: y\n", "x\nA:\n", "\n")},
		{"empty lines first", repeat("", "\n", "X: y\n\n")},
		{"parameters", repeat("Content-Type: text/plain", ";a=b", "\n\n")},
		{"parameters without an end", repeat("Content-Type: text/plain", ";a=\"", "\n\n")},
		{"sections of parameters", repeat("Content-Type: text/plain", ";a*1=b", "\n\n")},
		{"parameters without semicolons", repeat("Content-Type: text/plain", " a=b", "\n\n")},
		{"comments in parameters", repeat("Content-Type: text/plain; a=b", "(", "\n\n")},
		{"semicolons", repeat("Content-Type: text/plain", ";", "\n\n")},
		{"long name", repeat("Content-Disposition: attachment; filename=", "=?utf-8?q?a?= ", "\n\n")},
		{"long slashes", repeat("Content-Disposition: attachment; filename=\"", "a/", "\"\n\n")},
		{"encoding", repeat("Content-Transfer-Encoding: ", "-", "\n\n")},
		{"base64 junk", repeat("Content-Transfer-Encoding: base64\n\nYWJj", "*", "")},
		{"base64 padding", repeat("Content-Transfer-Encoding: base64\n\n", "YQ==\n", "")},
		{"base64 equals", repeat("Content-Transfer-Encoding: base64\n\nYQ", "=", "")},
		{"base64 line after padding", repeat("Content-Transfer-Encoding: base64\n\nYQ==", "Y", "")},
		{"quoted", repeat("Content-Transfer-Encoding: quoted-printable\n\n", "=", "")},
		{"quoted spaces", repeat("Content-Transfer-Encoding: quoted-printable\n\n", "= ", "")},
		{"uuencode begins", repeat("\n", "begin 644 x\n", "")},
		{"uuencode begins and a line", repeat("\n", "begin 644 x\n#AAAA\n", "")},
		{"uuencode files", repeat("\n", "begin 644 x\n#AAAA\n`\nend\n", "")},
		{"uuencode blank lines", repeat("\n", "begin 644 x\n\n\n\n", "")},
		{"yEnc begins", repeat("\n", "=ybegin line=1 name=x\n", "")},
		{"UTF-7", repeat("Content-Type: text/plain; charset=utf-7\n\n", "+", "")},
		{"UTF-16", repeat("\xff\xfe", "x\x00", "")},
		{"ISO-2022-JP", repeat("\n", "\x1b$B", "")},
		{"bad UTF-8", repeat("\n", "\xff\xc3", "")},
		{"preview", repeat("\n", "\u200b", "")},
		{"flowed", repeat("Content-Type: text/plain; format=flowed\n\n", "> ", "")},
		{"HTML depth", html("", "<div>")},
		{"HTML lists", html("", "<ul><li>")},
		{"HTML quotes", html("", "<blockquote>x")},
		{"HTML links", html("", "<a href=x>")},
		{"HTML link texts", html("<a href=yy>", "x ")},
		{"HTML attributes", html("<a ", "a=b ")},
		{"HTML comments", html("", "<!--")},
		{"HTML scripts", html("", "<script>")},
		{"HTML titles", html("", "<title>")},
		{"HTML entities", html("", "&amp")},
		{"HTML less", html("", "<")},
		{"HTML pre", html("<pre>", "\n")},
		{"HTML breaks", html("", "<br>")},
		{"HTML cells", html("<table>", "<td>x")},
		{"HTML plaintext", html("", "<plaintext>")},
		{"HTML end tags", html("", "</ul>")},
		{"HTML raw text", html("<xmp>", "</xm")},
		{"reports", repeat("Content-Type: message/delivery-status\n\n", "a:b\n\n", "")},
		{"reports without fields", repeat("Content-Type: message/delivery-status\n\n", "a\n", "")},
		{"TNEF attributes", encode("a", repeat(tnef, "\x02\x02\x90\x06\x00\x00\x00\x00\x00\x00\x00", ""))},
		{"TNEF files", encode("b", repeat(tnef, "\x02\x02\x90\x06\x00\x00\x00\x00\x00\x00\x00\x02\x0f\x80\x06\x00\x01\x00\x00\x00x\x78\x00", ""))},
		{"addresses", repeat("To: ", "a@b,", "\n\n")},
		{"comments in In-Reply-To", repeat("In-Reply-To: ", "(", "\n\n")},
	}
	took := func(name string, make func(int) string, n int) time.Duration {
		data := []byte(make(n))
		start := threadTime()
		if err := everything(bytes.NewReader(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return threadTime() - start
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if os.Getenv("POSTBAG_TIMES") == "" {
		for _, f := range families {
			// 16 times the size: quadratic would be 256 times the time.
			small, large := time.Hour, time.Hour
			for try := 0; try == 0 || try < 3 && large > time.Second && large > 80*small; try++ {
				small, large = min(small, took(f.name, f.make, 10_000)), min(large, took(f.name, f.make, 160_000))
			}
			if large > time.Second && large > 80*small {
				t.Errorf("%s: %v for 10 KB, %v for 160 KB", f.name, small, large)
			}
		}
		return
	}
	// A table for a person, on a machine with nothing else to do.
	report, worst := "", 0.0
	for _, f := range families {
		n := 25_000
		one, two := took(f.name, f.make, n), time.Hour
		for one < 3*time.Millisecond && n < 400_000 { // what takes no time says nothing
			n *= 2
			one = took(f.name, f.make, n)
		}
		for range 5 {
			one, two = min(one, took(f.name, f.make, n)), min(two, took(f.name, f.make, 2*n))
		}
		ratio := float64(two) / float64(one)
		report += fmt.Sprintf("%-42s %7d kB %8.2f ms %6.2f\n", f.name, 2*n/1000, float64(two)/1e6, ratio)
		if two > 10*time.Millisecond {
			worst = max(worst, ratio)
		}
	}
	t.Logf("size, time, and that over the time of half the size; the worst that takes time is %.2f\n%s", worst, report)
}

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

// peak returns how much more memory f held at once than was held before.
func peak(f func()) int64 {
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

type letters byte

func (e letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}
