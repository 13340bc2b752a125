package message_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/message"
)

// tnefOf makes a TNEF stream of attributes of the message.
func tnefOf(attributes ...string) []byte {
	return []byte("\x78\x9f\x3e\x22\x01\x00" + strings.Join(attributes, ""))
}

// attributeOf makes an attribute of TNEF.
func attributeOf(level byte, id, data string) string {
	var sum uint16
	for _, c := range []byte(data) {
		sum += uint16(c)
	}
	n := len(data)
	return string([]byte{level}) + id + string([]byte{byte(n), byte(n >> 8), 0, 0}) + data + string([]byte{byte(sum), byte(sum >> 8)})
}

// manyX is compressed RTF that is the letter x 120 times.
func manyX() string {
	const refs = "\x0c\xff\x0c\xff\x0c\xff\x0c\xff\x0c\xff\x0c\xff\x0c\xff" // 17 octets each, of what is at 207
	return "\x20\x00\x00\x00\x78\x00\x00\x00LZFu\x00\x00\x00\x00" + "\xfex" + refs
}

// What of compressed text does not come out is told.
func TestTNEFTooMuchText(t *testing.T) {
	rtf := manyX()
	property := "\x01\x00\x00\x00\x02\x01\x09\x10\x01\x00\x00\x00" + string([]byte{byte(len(rtf)), 0, 0, 0}) + rtf
	for len(property)%4 != 0 {
		property += "\x00"
	}
	mail := wrap("application/ms-tnef", "winmail.dat", tnefOf(attributeOf(1, "\x03\x90\x06\x00", property)))
	for _, tt := range []struct {
		most, want int
		defect     bool
	}{{1000, 120, false}, {110, 110, true}} {
		m, err := message.Read(strings.NewReader(string(mail)), &message.Options{MaxText: tt.most})
		if err != nil {
			t.Fatal(err)
		}
		got := -1
		for p, err := range m.Attachments() {
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(p)
			if err != nil {
				t.Fatal(err)
			}
			if p.Filename == "message.rtf" && strings.Trim(string(b), "x") == "" {
				got = len(b)
			}
		}
		if got != tt.want || slices.Contains(kinds(m), message.TooMuchText) != tt.defect {
			t.Errorf("MaxText %d: %d octets, want %d; defects %v", tt.most, got, tt.want, m.Defects())
		}
	}
}

// The files in TNEF come also if it was read as it came.
func TestTNEFRaw(t *testing.T) {
	m := parse(t, string(wrap("application/ms-tnef", "winmail.dat", tnefOf(
		attributeOf(1, "\x07\x90\x06\x00", "\xe3\x04\x00\x00\x00\x00\x00\x00"),
		attributeOf(1, "\x0c\x80\x02\x00", "\xcf\xf0\xe8\xe2\xe5\xf2\x00")))))
	text := ""
	for p, err := range m.Attachments() {
		if err != nil {
			t.Fatal(err)
		}
		if p.Filename == "message.txt" {
			if text, err = p.Text(); err != nil {
				t.Fatal(err)
			}
		} else if _, err := io.Copy(io.Discard, p.Raw()); err != nil {
			t.Fatal(err)
		}
	}
	if text != "Привет" || len(m.Defects()) > 0 {
		t.Errorf("%q, defects %v", text, m.Defects())
	}
}

// Files that are found in a part are bounded in number as parts are.
func TestTooManyFound(t *testing.T) {
	for _, tt := range []struct{ name, mail string }{
		{"uuencode", "Subject: x\n\n" + strings.Repeat("begin 644 a\n#86)C\n`\nend\n", 30) + "bye\n"},
		{"TNEF", string(wrap("application/ms-tnef", "winmail.dat", tnefOf(strings.Repeat(attributeOf(2, "\x02\x90\x06\x00", "")+attributeOf(2, "\x10\x80\x01\x00", "a\x00"), 30))))},
	} {
		m, err := message.Read(strings.NewReader(tt.mail), &message.Options{MaxParts: 20})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range m.Attachments() {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n < 20 || n > 21 || !slices.Contains(kinds(m), message.TooManyParts) {
			t.Errorf("%s: %d files, defects %v", tt.name, n, m.Defects())
		}
		if text, err := m.Text(); err != nil || tt.name == "uuencode" && !strings.HasSuffix(text, "end\nbye\n") {
			t.Errorf("%s: the rest is not in the text: %v", tt.name, err)
		}
	}
}
