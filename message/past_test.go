package message_test

import (
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/postbag/message"
)

const forwarded = "Subject: in\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\none\n--i\n\ntwo\n--i--\n"

// A message that is encoded is past when the first part in it was asked for:
// reading it would take away what the parts in it are read from.
func TestEncodedMessageIsPast(t *testing.T) {
	m := parse(t, "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"+base64.StdEncoding.EncodeToString([]byte(crlf(forwarded)))+"\n")
	var outer *message.Part
	var got []string
	for p, err := range m.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		if outer == nil {
			outer = p
			continue
		}
		for _, r := range []io.Reader{outer, outer.Raw()} {
			if b, err := io.ReadAll(r); len(b) > 0 || !errors.Is(err, message.ErrPast) {
				t.Errorf("%d octets, %v, want ErrPast", len(b), err)
			}
		}
		if !p.Container() {
			text, err := p.Text()
			if err != nil {
				t.Error(err)
			}
			got = append(got, text)
		}
	}
	if strings.Join(got, " ") != "one two" {
		t.Errorf("texts %q, want one and two", got)
	}
}

// The sizes are the same whether a message in a message is encoded or not.
func TestSizesInEncodedMessage(t *testing.T) {
	sizes := func(mail string) (all []int64) {
		var parts []*message.Part
		for p, err := range parse(t, mail).Parts() {
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, p)
		}
		for _, p := range parts {
			all = append(all, p.Size())
		}
		return all
	}
	want := sizes("Content-Type: message/rfc822\n\n" + forwarded)
	got := sizes("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte(crlf(forwarded))) + "\n")
	if len(want) != 4 || len(got) != 4 {
		t.Fatalf("%d and %d parts, want 4", len(want), len(got))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("part %d: %d octets, want %d", i, got[i], want[i])
		}
	}
}

// Who goes through a message while going through it is told that the parts are
// past, and what is read of the message is all of it.
func TestWithin(t *testing.T) {
	const mail = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: image/png\n\ntwo\n--b\nContent-Type: text/html\n\nthree\n--b--\n"
	m := parse(t, mail)
	var last error
	for _, err := range m.Parts() {
		if last = err; err == nil {
			if text, err := m.Text(); err != nil || text != "one\nthree" {
				t.Errorf("Text %q, %v", text, err)
			}
		}
	}
	if !errors.Is(last, message.ErrPast) {
		t.Errorf("Parts ends with %v, want ErrPast", last)
	}
	m = parse(t, mail)
	for _, err := range m.Attachments() {
		if last = err; err == nil {
			m.Text()
		}
	}
	if html, err := m.HTML(); !errors.Is(last, message.ErrPast) || err != nil || html != "three" {
		t.Errorf("Attachments ends with %v; HTML %q, %v", last, html, err)
	}
}

// What cannot be gone through twice is refused, and the first time goes on.
func TestWithinOfStream(t *testing.T) {
	m, err := message.Read(io.MultiReader(strings.NewReader("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n")), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range m.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if _, err := m.Text(); !errors.Is(err, message.ErrRead) {
			t.Errorf("Text: %v, want ErrRead", err)
		}
	}
	if n != 3 {
		t.Errorf("%d parts, want 3", n)
	}
}

// An error of the reader stays: what was cut off does not end as if it were
// whole when it is read once more.
func TestErrorStays(t *testing.T) {
	broken := errors.New("broken")
	r := io.MultiReader(strings.NewReader("X: y\n\n"+strings.Repeat("text\n", 100_000)), iotest.ErrReader(broken))
	m, err := message.Read(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	for p, err := range m.Parts() {
		if err != nil {
			if !errors.Is(err, broken) {
				t.Errorf("Parts: %v", err)
			}
			break
		}
		for range 2 {
			if _, err := io.ReadAll(p); !errors.Is(err, broken) {
				t.Errorf("Read: %v", err)
			}
		}
	}
}
