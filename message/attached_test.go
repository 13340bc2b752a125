package message_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/message"
)

// given reads a file of the corpus; the test is skipped if it is not there.
func given(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "shared", "corpus", "messages", filepath.FromSlash(name)))
	if err != nil {
		t.Skipf("no corpus: %v", err)
	}
	return b
}

// found returns the attachments of a message by name.
func found(t *testing.T, data []byte) (map[string][]byte, *message.Message) {
	t.Helper()
	m, err := message.Read(bytes.NewReader(data), nil)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for p, err := range m.Attachments() {
		if err != nil {
			t.Fatal(err)
		}
		name := p.Filename
		for files[name] != nil {
			name += "+"
		}
		if files[name], err = io.ReadAll(p); err != nil {
			t.Fatal(err)
		}
	}
	return files, m
}

func wrap(typ, name string, content []byte) []byte {
	return []byte("Content-Type: " + typ + "; name=" + name + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(content))
}

// What MimeKit takes out of TNEF, we do too, to the octet.
func TestTNEF(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "corpus", "messages", "mimekit", "tnef")
	names, _ := filepath.Glob(filepath.Join(dir, "*.tnef"))
	if len(names) == 0 {
		t.Log("no corpus: nothing was tested")
	}
	same, differ := 0, 0
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files, m := found(t, wrap("application/ms-tnef", "winmail.dat", data))
		if len(files) < 2 && !strings.Contains(name, "garbage") {
			t.Logf("%s: nothing was found: %v", filepath.Base(name), m.Defects())
		}
		expected, _ := os.ReadDir(strings.TrimSuffix(name, ".tnef"))
		for _, f := range expected {
			want, err := os.ReadFile(filepath.Join(strings.TrimSuffix(name, ".tnef"), f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			// Their text files went through a change of line ends, and they
			// leave the 16 octets of an OLE object's interface before a file.
			if strings.HasPrefix(f.Name(), "Untitled_Attachment") {
				want = want[16:]
			}
			ok := false
			for _, got := range files {
				ok = ok || bytes.Equal(bytes.ReplaceAll(got, []byte("\r"), nil), bytes.ReplaceAll(want, []byte("\r"), nil))
			}
			if ok {
				same++
				continue
			}
			differ++
			have := ""
			for n, b := range files {
				have += fmt.Sprintf(" %q (%d octets)", n, len(b))
			}
			t.Logf("%s: %s (%d octets) is not among%s", filepath.Base(name), f.Name(), len(want), have)
		}
	}
	t.Logf("%d files are as MimeKit has them, %d are not", same, differ)
	if differ > 0 {
		t.Errorf("of %d files, %d are others", same+differ, differ)
	}
}

// A small TNEF of our own: an attachment with a long name.
func TestTNEFOwn(t *testing.T) {
	attribute := func(level byte, id string, data string) string {
		var sum uint16
		for _, c := range []byte(data) {
			sum += uint16(c)
		}
		n := len(data)
		return string([]byte{level}) + id + string([]byte{byte(n), byte(n >> 8), 0, 0}) + data + string([]byte{byte(sum), byte(sum >> 8)})
	}
	property := "\x01\x00\x00\x00\x1e\x00\x07\x37\x01\x00\x00\x00\x0c\x00\x00\x00../long.txt\x00"
	tnef := "\x78\x9f\x3e\x22\x01\x00" +
		attribute(1, "\x0c\x80\x02\x00", "the text\x00") +
		attribute(2, "\x02\x90\x06\x00", "") +
		attribute(2, "\x10\x80\x01\x00", "short.txt\x00") +
		attribute(2, "\x0f\x80\x06\x00", "content") +
		attribute(2, "\x05\x90\x06\x00", property)
	files, m := found(t, wrap("application/ms-tnef", "winmail.dat", []byte(tnef)))
	if string(files["long.txt"]) != "content" || string(files["message.txt"]) != "the text" || len(files) != 3 {
		t.Errorf("found %q", files)
	}
	if got := kinds(m); !slices.Equal(got, []message.Kind{message.UnsafeName}) {
		t.Errorf("defects %v", got)
	}
	// Cut off or damaged anywhere, it is read as far as it goes.
	for n := range len(tnef) {
		if _, m := found(t, wrap("application/ms-tnef", "winmail.dat", []byte(tnef[:n]))); n > 6 && n < 20 && !slices.Contains(kinds(m), message.BadTNEF) {
			t.Errorf("cut off at %d: defects %v", n, kinds(m))
		}
		b := []byte(tnef)
		b[n] ^= 0xff
		found(t, wrap("application/ms-tnef", "winmail.dat", b))
	}
}

func TestYEncAndUUEncodeOfOthers(t *testing.T) {
	files, _ := found(t, given(t, "mimekit/yenc/simple.msg"))
	if len(files["testfile.txt"]) != 584 {
		t.Errorf("yEnc: testfile.txt has %d octets, want 584", len(files["testfile.txt"]))
	}
	photo := given(t, "mimekit/encoders/photo.jpg")
	uu := append([]byte("Subject: x\n\n"), given(t, "mimekit/encoders/photo.uu")...)
	if !slices.ContainsFunc(values(first2(found(t, uu))), func(b []byte) bool { return bytes.Equal(b, photo) }) {
		t.Error("uuencode: the picture is another")
	}
	b64 := append([]byte("Content-Transfer-Encoding: base64\nContent-Type: image/jpeg\n\n"), given(t, "mimekit/encoders/photo.b64")...)
	if !slices.ContainsFunc(values(first2(found(t, b64))), func(b []byte) bool { return bytes.Equal(b, photo) }) {
		t.Error("base64: the picture is another")
	}
	joystick := given(t, "mimekit/yenc/joystick.jpg")
	var joined []byte
	for _, n := range []string{"00000020.ntx", "00000021.ntx"} {
		files, m := found(t, given(t, "mimekit/yenc/"+n))
		joined = append(joined, files["joystick.jpg"]...)
		if slices.Contains(kinds(m), message.BadYEnc) {
			t.Errorf("%s: %v", n, m.Defects())
		}
	}
	if !bytes.Equal(joined, joystick) {
		t.Errorf("yEnc in two parts: %d octets, want %d", len(joined), len(joystick))
	}
}

func first2(m map[string][]byte, _ *message.Message) map[string][]byte { return m }

func values(m map[string][]byte) (all [][]byte) {
	for _, b := range m {
		all = append(all, b)
	}
	return all
}

func TestJoin(t *testing.T) {
	for _, tt := range []struct {
		whole  string
		pieces []string
	}{
		{"message-partial.eml", []string{"message-partial.2.eml", "message-partial.0.eml", "message-partial.1.eml"}},
		{"rfc2046.eml", []string{"rfc2046.0.eml", "rfc2046.1.eml"}},
	} {
		var pieces []io.ReadSeeker
		for _, p := range tt.pieces {
			pieces = append(pieces, bytes.NewReader(given(t, "mimekit/partial/"+p)))
		}
		r, err := message.Join(pieces...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		whole := given(t, "mimekit/partial/"+tt.whole)
		m1, _ := message.Read(bytes.NewReader(got), nil)
		m2, _ := message.Read(bytes.NewReader(whole), nil)
		if a, b := outline(t, m1), outline(t, m2); !slices.Equal(a, b) {
			t.Errorf("%s: the parts are\n%.300q\nwant\n%.300q", tt.whole, a, b)
		}
		if a, b := m1.Envelope(), m2.Envelope(); a.Subject != b.Subject || a.MessageID != b.MessageID {
			t.Errorf("%s: the envelope is %v, want %v", tt.whole, a, b)
		}
	}
}

func TestJoinErrors(t *testing.T) {
	piece := func(id, n, total string) io.ReadSeeker {
		return strings.NewReader("Content-Type: message/partial; id=" + id + "; number=" + n + "; total=" + total + "\n\nContent-Type: message/partial; id=a; number=1; total=1\n\nx")
	}
	for _, tt := range []struct {
		name   string
		pieces []io.ReadSeeker
		want   error
	}{
		{"none", nil, message.ErrFragments},
		{"one is missing", []io.ReadSeeker{piece("a", "1", "2")}, message.ErrFragments},
		{"the first is missing", []io.ReadSeeker{piece("a", "2", "2")}, message.ErrFragments},
		{"twice", []io.ReadSeeker{piece("a", "1", "2"), piece("a", "1", "2")}, message.ErrFragments},
		{"of two messages", []io.ReadSeeker{piece("a", "1", "2"), piece("b", "2", "2")}, message.ErrFragments},
		{"no piece", []io.ReadSeeker{strings.NewReader("Subject: x\n\n")}, message.ErrNoFragment},
		{"no number", []io.ReadSeeker{piece("a", "x", "1")}, message.ErrNoFragment},
		{"a piece of itself", []io.ReadSeeker{piece("a", "1", "1")}, nil},
	} {
		r, err := message.Join(tt.pieces...)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if err == nil {
			if b, err := io.ReadAll(r); err != nil || !bytes.Contains(b, []byte("message/partial")) {
				t.Errorf("%s: %q, %v", tt.name, b, err)
			}
		}
	}
}
