package message_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"example.com/postbag/message"
)

// checkRead reads data in every way and checks what holds for any octets.
// It returns a line for each part.
func checkRead(t *testing.T, data []byte, r io.Reader, opts *message.Options) (lines []string) {
	t.Helper()
	m, err := message.Read(r, opts)
	if err != nil {
		t.Fatal(err)
	}
	checkStrings(t, m.Envelope())
	raw := make(map[string][]byte)
	for p, err := range m.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		if p.Type == "" || p.Path == "" || p.Envelope() == nil {
			t.Errorf("part %q has type %q, envelope %v", p.Path, p.Type, p.Envelope())
		}
		if p.Container() {
			lines = append(lines, fmt.Sprintf("%s %s", p.Path, p.Type))
			continue
		}
		var b []byte
		if len(lines)%2 == 0 {
			b, err = io.ReadAll(p.Raw())
			if p.Offset >= 0 {
				raw[p.Path] = b
			}
		} else {
			b, err = io.ReadAll(p)
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s %s %q %d %x", p.Path, p.Type, p.Filename, p.Size(), b))
	}
	checkSegments(t, data, m, raw)
	return lines
}

// checkSegments checks that the segments are the message to the octet, and
// that what was read of the parts is in them.
func checkSegments(t *testing.T, data []byte, m *message.Message, raw map[string][]byte) {
	t.Helper()
	for _, d := range m.Defects() {
		switch d.Kind {
		case message.UTF16, message.BareCR:
			return // offsets are others
		}
		if d.Offset > int64(len(data)) {
			t.Errorf("%v is beyond the %d octets of the message", d, len(data))
		}
	}
	at := int64(0)
	for _, s := range m.Segments() {
		if s.Offset != at || s.Size <= 0 {
			t.Fatalf("segment %v is not at %d", s, at)
		}
		at += s.Size
		if at > int64(len(data)) {
			t.Fatalf("segment %v is beyond the %d octets of the message", s, len(data))
		}
		piece := data[s.Offset:at]
		switch b, ok := raw[s.Path]; {
		case s.Kind == message.Body && ok:
			if !bytes.Equal(b, piece) {
				t.Errorf("part %s: Raw gives %.100q, in the message is %.100q", s.Path, b, piece)
			}
		case s.Kind == message.Boundary && !bytes.HasPrefix(bytes.TrimLeft(piece, "\r\n"), []byte("--")):
			t.Errorf("%.100q is no boundary", piece)
		case s.Kind == message.BlankLine && len(bytes.Trim(piece, "\r\n")) > 0:
			t.Errorf("%.100q is no blank line", piece)
		}
	}
	if at != int64(len(data)) {
		t.Errorf("the segments have %d octets, the message %d", at, len(data))
	}
}

// slowReader gives octets in pieces of odd sizes.
type slowReader struct {
	r io.Reader
	n int
}

func (s *slowReader) Read(p []byte) (int, error) {
	s.n = s.n%97 + 1
	return s.r.Read(p[:min(len(p), s.n)])
}

func TestReadCorpus(t *testing.T) {
	files, parts, octets := 0, 0, 0
	var slowest time.Duration
	corpus(t, func(name string, data []byte) {
		start := time.Now()
		once := checkRead(t, data, bytes.NewReader(data), nil)
		slowest = max(slowest, time.Since(start))
		twice := checkRead(t, data, &slowReader{r: bytes.NewReader(data)}, nil)
		if a, b := strings.Join(once, "\n"), strings.Join(twice, "\n"); a != b {
			t.Errorf("in small pieces, the message is\n%.2000s\nand in one\n%.2000s", b, a)
		}
		if t.Failed() {
			t.Fatal(name)
		}
		files, parts, octets = files+1, parts+len(once), octets+len(data)
	})
	t.Logf("%d files, %d octets, %d parts; the slowest file took %v", files, octets, parts, slowest)
}
