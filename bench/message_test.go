package bench

import (
	"bytes"
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
	"testing"
	"time"

	"encoding/base64"

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
	{"message", ourParts},
	{"go-message", goMessage},
	{"net-mail", netMail},
	{"message-text", ourText},
	{"enmime", enmimeEnvelope},
	{"enmime-no-chardet", enmimePlain},
}

// ourParts decodes every part, as go-message and net/mail do.
func ourParts(r io.Reader) (n int64, err error) {
	m, err := message.Read(r, nil)
	if err != nil {
		return 0, err
	}
	for p, err := range m.Parts() {
		if err != nil {
			return n, err
		}
		if p.Container() {
			continue
		}
		k, err := io.Copy(io.Discard, p)
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// ourText makes text, HTML and attachments, as enmime does.
func ourText(r io.Reader) (n int64, err error) {
	m, err := message.Read(r, nil)
	if err != nil {
		return 0, err
	}
	for p, err := range m.Attachments() {
		if err != nil {
			return n, err
		}
		b, err := io.ReadAll(p)
		n += int64(len(b))
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

// mailCorpus returns the messages of the corpus.
func mailCorpus(b *testing.B) (all [][]byte, octets int64) {
	dir := filepath.Join("..", "..", "shared", "corpus", "messages")
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		switch filepath.Ext(path) {
		case ".eml", ".msg", ".raw":
		default:
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
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

// BenchmarkMessage compares parsers that read all of a message. Those who give
// up on a message are quicker with it: given-up says how many.
//
//	go test -run '^$' -bench Message -benchtime 10x
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
	sets := []struct {
		name     string
		messages [][]byte
		octets   int64
	}{
		{"corpus", given, octets},
		{"corpus that go-message reads", strict, strictOctets},
		{"300 x 5KB plain", mails(300, 5000), 300 * 5000},
		{"10MB attachment", [][]byte{attachment(10 << 20)}, 10 << 20},
	}
	for _, set := range sets {
		for _, p := range parsers {
			b.Run(set.name+"/"+p.name, func(b *testing.B) {
				b.SetBytes(set.octets)
				b.ReportAllocs()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				failed, rounds := 0, 0
				for b.Loop() {
					rounds++
					for _, m := range set.messages {
						if _, err := p.read(bytes.NewReader(m)); err != nil {
							failed++
						}
					}
				}
				runtime.ReadMemStats(&after)
				n := float64(rounds * len(set.messages))
				b.ReportMetric(float64(after.Mallocs-before.Mallocs)/n, "allocs/message")
				b.ReportMetric(float64(failed)/float64(rounds), "given-up")
			})
		}
	}
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
// at its peak.
func BenchmarkMessageMemory(b *testing.B) {
	const size = 200_000_000
	for _, p := range parsers {
		b.Run(p.name, func(b *testing.B) {
			b.SetBytes(size)
			var most int64
			for b.Loop() {
				r := io.MultiReader(strings.NewReader(attachmentHead), io.LimitReader(&lines{}, size), strings.NewReader("\r\n--b--\r\n"))
				most = max(most, peakOf(func() {
					if n, err := p.read(r); err != nil || n < size/2 {
						b.Fatal(fmt.Sprint(n, err))
					}
				}))
			}
			b.ReportMetric(float64(most)/1e6, "MB-peak")
		})
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
