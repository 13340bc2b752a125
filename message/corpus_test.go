package message_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gomessage "github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-message/textproto"

	"example.com/postbag/message"
)

// corpus calls f with each file of messages that nobody here wrote, if they
// are beside the module.
func corpus(t *testing.T, f func(name string, data []byte)) {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "corpus", "messages")
	n := 0
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n++
		name, _ := filepath.Rel(dir, path)
		f(filepath.ToSlash(name), data)
		return nil
	})
	if n == 0 {
		t.Logf("no corpus in %s: nothing was tested", dir)
	}
}

func envelope(t *testing.T, data []byte) *message.Envelope {
	t.Helper()
	e, err := message.ReadEnvelope(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCorpus(t *testing.T) {
	corpus(t, func(name string, data []byte) {
		start := time.Now()
		checkStrings(t, envelope(t, data))
		if took := time.Since(start); took > time.Second {
			t.Errorf("%v", took)
		}
		if t.Failed() {
			t.Fatal(name)
		}
	})
}

// comparison counts the fields that another parser reads otherwise.
type comparison struct {
	*testing.T
	fields, differ int
}

func (c *comparison) field(name, field, got, want string) {
	c.fields++
	if got != want {
		c.differ++
		c.Logf("%s: %s is\n%q, they say\n%q", name, field, got, want)
	}
}

// end fails if more than a permille limit of fields differ.
func (c *comparison) end(limit int) {
	c.Logf("%d of %d fields differ", c.differ, c.fields)
	if c.differ*1000 > limit*c.fields {
		c.Errorf("%d of %d fields differ: run with -v to see them", c.differ, c.fields)
	}
}

// go-message is strict: what it understands is understood here. The fields
// that differ are zones by name, which it takes for UTC; encoded words that
// break a rule or have a charset it does not know; 8-bit text, which it passes
// on; runs of spaces.
func TestAgainstGoMessage(t *testing.T) {
	c := &comparison{T: t}
	corpus(t, func(name string, data []byte) {
		th, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(data)))
		if err != nil {
			return
		}
		h := mail.Header{Header: gomessage.Header{Header: th}}
		e := envelope(t, data)
		if s, err := h.Subject(); err == nil && th.Has("Subject") {
			c.field(name, "Subject", e.Subject, strings.TrimSpace(s))
		}
		if d, err := h.Date(); err == nil && th.Has("Date") {
			c.field(name, "Date", e.Date.UTC().String(), d.UTC().String())
		}
		if id, err := h.MessageID(); err == nil && th.Has("Message-Id") {
			c.field(name, "Message-ID", e.MessageID, id)
		}
		for field, got := range map[string][]message.Address{"From": e.From, "To": e.To, "Cc": e.Cc, "Reply-To": e.ReplyTo} {
			list, err := h.AddressList(field)
			if err != nil || len(th.Values(field)) != 1 {
				continue
			}
			want := ""
			for _, a := range list {
				want += message.Address{Name: a.Name, Address: a.Address}.String() + "\n"
			}
			c.field(name, field, addressLines(got), want)
		}
	})
	c.end(12)
}

func addressLines(list []message.Address) string {
	var b strings.Builder
	for _, a := range list {
		fmt.Fprintln(&b, a)
	}
	return b.String()
}

// The test suite of imap_tools has expected results, made with Python's email.
// The fields that differ are spaces at the ends, comments, and a message whose
// first line is no field, where Python gives up.
func TestAgainstImapTools(t *testing.T) {
	c := &comparison{T: t}
	type address struct{ Name, Email string }
	corpus(t, func(name string, data []byte) {
		base, ok := strings.CutSuffix(name, ".eml")
		if !ok {
			return
		}
		expected, err := os.ReadFile(filepath.Join("..", "..", "shared", "corpus", "messages", base+".expected.json"))
		if err != nil {
			return
		}
		var want struct {
			Subject string
			From    *address  `json:"from_values"`
			To      []address `json:"to_values"`
			Cc      []address `json:"cc_values"`
			ReplyTo []address `json:"reply_to_values"`
			Date    struct {
				DateTime []int `json:"$datetime"`
			}
		}
		if err := json.Unmarshal(expected, &want); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e := envelope(t, data)
		c.field(name, "Subject", e.Subject, want.Subject)
		lines := func(list ...address) string {
			s := ""
			for _, a := range list {
				s += message.Address{Name: a.Name, Address: a.Email}.String() + "\n"
			}
			return s
		}
		if want.From != nil {
			c.field(name, "From", addressLines(e.From), lines(*want.From))
		}
		c.field(name, "To", addressLines(e.To), lines(want.To...))
		c.field(name, "Cc", addressLines(e.Cc), lines(want.Cc...))
		c.field(name, "Reply-To", addressLines(e.ReplyTo), lines(want.ReplyTo...))
		if d := append(want.Date.DateTime, 0, 0, 0, 0, 0, 0); d[0] > 1900 { // its sign for none
			c.field(name, "Date", e.Date.Format(time.DateTime), fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", d[0], d[1], d[2], d[3], d[4], d[5]))
		}
	})
	c.end(50)
}
