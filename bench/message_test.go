package bench

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	gomessage "github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
	"github.com/jhillyerd/enmime/v2"

	"example.com/postbag/message"
)

// parser reads all of a message and throws it away. It returns how many octets
// it read, decoded.
type parser struct {
	name string
	read func(r io.Reader) (int64, error)
}

var parsers = []parser{
	oursDecoded:     {"message", ourParts},
	goMessageParser: {"go-message", goMessage},
	oursOctets:      {"message, octets", ourOctets},
	netMailParser:   {"net/mail", netMail},
	oursText:        {"message, text", ourText},
	enmimeParser:    {"enmime", enmimePlain},
	enmimeDetecting: {"enmime, chardet", enmimeEnvelope},
}

const (
	oursDecoded = iota
	goMessageParser
	oursOctets
	netMailParser
	oursText
	enmimeParser
	enmimeDetecting
)

// ourParts decodes every part, and the charset of text, as go-message does.
func ourParts(r io.Reader) (int64, error) { return ourReading(r, true) }

// ourOctets leaves text in its charset, as net/mail does.
func ourOctets(r io.Reader) (int64, error) { return ourReading(r, false) }

func ourReading(r io.Reader, text bool) (n int64, err error) {
	m, err := message.Read(r, nil)
	if err != nil {
		return 0, err
	}
	for p, err := range m.Parts() {
		if err != nil {
			return n, err
		}
		switch {
		case p.Container():
		case text && strings.HasPrefix(p.Type, "text/"):
			s, err := p.Text()
			n += int64(len(s))
			if err != nil {
				return n, err
			}
		default:
			k, err := io.Copy(io.Discard, p)
			n += k
			if err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// ourText makes text, HTML and attachments, as enmime does. It reads the
// attachments as they come, and holds none.
func ourText(r io.Reader) (n int64, err error) {
	m, err := message.Read(r, nil)
	if err != nil {
		return 0, err
	}
	for p, err := range m.Attachments() {
		if err != nil {
			return n, err
		}
		k, err := io.Copy(io.Discard, p)
		n += k
		if err != nil {
			return n, err
		}
	}
	text, err := m.Text()
	if err != nil {
		return n, err
	}
	html, err := m.HTML()
	return n + int64(len(text)+len(html)), err
}

func goMessage(r io.Reader) (n int64, err error) {
	e, err := gomessage.Read(r)
	if err != nil && !gomessage.IsUnknownCharset(err) && !gomessage.IsUnknownEncoding(err) {
		return 0, err
	}
	return goMessageEntity(e)
}

func goMessageEntity(e *gomessage.Entity) (n int64, err error) {
	mr := e.MultipartReader()
	if mr == nil {
		return io.Copy(io.Discard, e.Body)
	}
	for {
		p, err := mr.NextPart()
		if err == io.EOF {
			return n, nil
		}
		if err != nil && !gomessage.IsUnknownCharset(err) && !gomessage.IsUnknownEncoding(err) {
			return n, err
		}
		k, err := goMessageEntity(p)
		n += k
		if err != nil {
			return n, err
		}
	}
}

func netMail(r io.Reader) (int64, error) {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return 0, err
	}
	return netMailBody(m.Body, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"))
}

func netMailBody(r io.Reader, contentType, encoding string) (n int64, err error) {
	if typ, params, err := mime.ParseMediaType(contentType); err == nil && strings.HasPrefix(typ, "multipart/") {
		mr := multipart.NewReader(r, params["boundary"])
		for {
			p, err := mr.NextRawPart()
			if err == io.EOF {
				return n, nil
			}
			if err != nil {
				return n, err
			}
			k, err := netMailBody(p, p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"))
			n += k
			if err != nil {
				return n, err
			}
		}
	}
	switch strings.ToLower(encoding) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	}
	return io.Copy(io.Discard, r)
}

func enmimeEnvelope(r io.Reader) (int64, error) { return enmimeWith(r) }

func enmimePlain(r io.Reader) (int64, error) {
	return enmimeWith(r, enmime.DisableCharacterDetection(true))
}

func enmimeWith(r io.Reader, o ...enmime.Option) (n int64, err error) {
	e, err := enmime.NewParser(o...).ReadEnvelope(r)
	if err != nil {
		return 0, err
	}
	n = int64(len(e.Text) + len(e.HTML))
	for _, list := range [][]*enmime.Part{e.Attachments, e.Inlines, e.OtherParts} {
		for _, p := range list {
			n += int64(len(p.Content))
		}
	}
	return n, nil
}

// mailCorpus returns the messages of the corpus, which are among other files.
func mailCorpus(b *testing.B) (all [][]byte, octets int64) {
	dir := filepath.Join("..", "..", "shared", "corpus", "messages")
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		switch filepath.Ext(path) {
		case ".json", ".xml", ".out", ".list", ".golden", ".tnef", ".bin", ".png", ".jpg", ".gif", ".pdf", ".doc", ".rtf", ".html", ".htm", ".ntx", ".md", ".org", ".zip", ".tar", ".wav", ".webp":
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		if m, err := message.Read(bytes.NewReader(data), nil); err != nil || len(m.Envelope().From) == 0 && m.Envelope().Subject == "" {
			return nil // a text, or what another parser makes of a message
		}
		all = append(all, data)
		octets += int64(len(data))
		return nil
	})
	if len(all) == 0 {
		b.Skip("no corpus")
	}
	return all, octets
}

// BenchmarkMessage compares parsers that read all of a message, and prints a
// table for each set of messages: the contenders take turns in each round, and
// of the time that the process had of the processors, garbage collection
// included, the least counts. Those who give up on a message are quicker with
// it, so that there is a set of those that go-message reads.
//
//	go test -run '^$' -bench 'Message$' -benchtime 10x
func BenchmarkMessage(b *testing.B) {
	given, octets := mailCorpus(b)
	var strict [][]byte
	strictOctets := int64(0)
	for _, m := range given {
		if _, err := goMessage(bytes.NewReader(m)); err == nil {
			strict = append(strict, m)
			strictOctets += int64(len(m))
		}
	}
	for _, set := range []struct {
		name     string
		messages [][]byte
		octets   int64
	}{
		{"corpus", given, octets},
		{"corpus that go-message reads", strict, strictOctets},
		{"300 x 5KB plain", mails(300, 5000), 300 * 5000},
		{"10MB attachment", [][]byte{attachment(10 << 20)}, 10 << 20},
	} {
		b.Run(set.name, func(b *testing.B) {
			results := make([]result, len(parsers))
			for round := 0; b.Loop(); round++ {
				for i := range parsers {
					i = (i + round) % len(parsers)
					results[i].add(parse(b, parsers[i], set.messages))
				}
			}
			b.ReportMetric(0, "ns/op") // that of all together says nothing
			b.ReportMetric(float64(results[goMessageParser].time)/float64(results[oursDecoded].time), "x-go-message")
			b.ReportMetric(float64(results[enmimeParser].time)/float64(results[oursText].time), "x-enmime")
			table := fmt.Sprintf("%d messages\n%-18s%10s%10s%18s%14s%10s", len(set.messages), "", "MB/s", "x", "allocs/message", "kB/message", "given up")
			for i, r := range results {
				n := float64(len(set.messages))
				table += fmt.Sprintf("\n%-18s%10.1f%10.2f%18.1f%14.1f%10d", parsers[i].name, float64(set.octets)/1e6/r.time.Seconds(),
					float64(r.time)/float64(results[oursDecoded].time), float64(r.mallocs)/n, float64(r.octets)/n/1e3, r.failed)
			}
			b.Log(table)
		})
	}
}

// result is what it took to read a set of messages.
type result struct {
	time            time.Duration
	mallocs, octets uint64
	failed          int
}

func (r *result) add(round result) {
	if r.time == 0 || round.time < r.time {
		*r = round
	}
}

func parse(b *testing.B, p parser, messages [][]byte) (r result) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := processorTime(b)
	for _, m := range messages {
		if _, err := p.read(bytes.NewReader(m)); err != nil {
			r.failed++
		}
	}
	r.time = processorTime(b) - start
	runtime.ReadMemStats(&after)
	r.mallocs, r.octets = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	return r
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

var attachmentHead = "From: a@example.com\r\nSubject: big\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"

func attachment(n int) []byte {
	b := append(make([]byte, 0, n+200), attachmentHead...)
	for len(b) < n {
		b = append(b, line76...)
	}
	return append(b, "\r\n--b--\r\n"...)
}

var line76 = strings.Repeat("YWJj", 19) + "\r\n"

// lines repeats a line.
type lines struct{ at int }

func (l *lines) Read(p []byte) (n int, err error) {
	for n < len(p) {
		k := copy(p[n:], line76[l.at:])
		n += k
		l.at = (l.at + k) % len(line76)
	}
	return n, nil
}

// BenchmarkMessageMemory measures how much memory a message of 200 MB takes
// at its peak: one with an attachment, and ones that are all text.
func BenchmarkMessageMemory(b *testing.B) {
	const size = 200_000_000
	for _, kind := range []struct{ name, head string }{
		{"attachment", attachmentHead},
		{"text", "Subject: big\r\n\r\n"},
		{"HTML", "Subject: big\r\nContent-Type: text/html\r\n\r\n"},
	} {
		for _, p := range parsers {
			b.Run(kind.name+"/"+strings.ReplaceAll(p.name, ", ", "-"), func(b *testing.B) {
				b.SetBytes(size)
				var most int64
				for b.Loop() {
					r := io.MultiReader(strings.NewReader(kind.head), io.LimitReader(&lines{}, size), strings.NewReader("\r\n--b--\r\n"))
					most = max(most, peakOf(func() {
						if _, err := p.read(r); err != nil {
							b.Fatal(err)
						}
					}))
				}
				b.ReportMetric(float64(most)/1e6, "MB-peak")
			})
		}
	}
}

// peakOf returns how much more memory f holds at once than was held before.
func peakOf(f func()) int64 {
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		var now runtime.MemStats
		var m uint64
		for {
			select {
			case <-done:
				most <- m
				return
			case <-time.After(2 * time.Millisecond):
				runtime.ReadMemStats(&now)
				m = max(m, now.HeapInuse)
			}
		}
	}()
	f()
	close(done)
	return int64(<-most) - int64(before.HeapInuse)
}
