package transport

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"sync"
)

// Transcript writes a session down for a person to read and for a test to
// replay: "C: " and "S: " before each line that ends in CRLF, "C64: " and
// "S64: " with base64 before octets that do not, "S*: " before the number of
// octets that are left out, "# " before remarks. The clients hand it secrets as
// "***" and leave messages out, so that a transcript may be shown around. A nil
// Transcript writes nothing.
type Transcript struct {
	mu sync.Mutex
	w  io.Writer
}

// NewTranscript writes to w, one Write a line. It returns nil for a nil w.
func NewTranscript(w io.Writer) *Transcript {
	if w == nil {
		return nil
	}
	return &Transcript{w: w}
}

// Client notes a line that was sent.
func (t *Transcript) Client(line []byte) { t.line("C", line) }

// Server notes a line that was received.
func (t *Transcript) Server(line []byte) { t.line("S", line) }

// Omitted notes that the server sent n octets that are not told.
func (t *Transcript) Omitted(n int64) {
	if t != nil && n > 0 {
		t.write(fmt.Sprintf("S*: %d\n", n))
	}
}

// Sent notes that the client sent n octets that are not told.
func (t *Transcript) Sent(n int64) {
	if t != nil && n > 0 {
		t.write(fmt.Sprintf("C*: %d\n", n))
	}
}

// Begins notes that both sides begin something: TLS, or to compress.
func (t *Transcript) Begins(what string) {
	if t != nil {
		t.write("= " + what + "\n")
	}
}

// Note adds a remark.
func (t *Transcript) Note(format string, args ...any) {
	if t != nil {
		t.write("# " + fmt.Sprintf(format, args...) + "\n")
	}
}

func (t *Transcript) line(who string, line []byte) {
	if t == nil {
		return
	}
	text, crlf := bytes.CutSuffix(line, []byte("\r\n"))
	if crlf && bytes.IndexByte(text, '\n') < 0 {
		t.write(who + ": " + string(text) + "\n")
	} else {
		t.write(who + "64: " + base64.StdEncoding.EncodeToString(line) + "\n")
	}
}

func (t *Transcript) write(s string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	io.WriteString(t.w, s) // a transcript that cannot be written must not stop the mail
}
