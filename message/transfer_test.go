package message_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/postbag/message"
)

// Transfer encodings, as they should be and as they are. Each is also read an
// octet at a time: the outcome may not depend on how the octets come.
func TestTransfer(t *testing.T) {
	for _, tt := range []struct {
		name, encoding, body, want string
		defect                     message.Kind
	}{
		{"base64", "base64", "SGVsbG8s\r\nIHdvcmxk", "Hello, world", ""},
		{"padding", "base64", "SGVsbG8=\r\n", "Hello", ""},
		{"no padding", "base64", "SGVsbG8", "Hello", message.Base64Cut},
		{"a character too many", "base64", "SGVsbG8hA", "Hello!", message.Base64Cut},
		{"junk", "base64", "SGV*sbG8s\r\n!\r\nIHdvcmxkIHdvcmxkIHdvcmxkIHdvcmxkIHdvcmxkIHdv", "Hello, world world world world world wo", message.BadBase64},
		{"spaces", "base64", "  SGVsbG8s \r\n\tIHdvcmxk\t\r\n", "Hello, world", ""},
		{"one after the other", "base64", "SGVsbG8=\r\nSGVsbG8=\r\n", "HelloHello", ""},
		{"a footer", "base64", "SGVsbG8=\r\n-- \r\nThis is a list.\r\n", "Hello", message.AfterBase64},
		{"padding in the middle of a line", "base64", "SGVsbG8=SGVsbG8=", "HelloHello", ""},
		{"it is text", "base64", "Hello, who says base64?\r\n", "Hello, who says base64?\r\n", message.BadEncoding},
		{"quoted", "quoted-printable", "a=3Db=\r\nc=e9d", "a=bc\xe9d", ""},
		{"quoted with bare LF", "quoted-printable", "a=\nb", "ab", ""},
		{"space after a soft line break", "quoted-printable", "a= \t\r\nb", "ab", ""},
		{"bad escapes", "quoted-printable", "100=% =zz = =4", "100=% =zz = =4", message.BadQuoted},
		{"an escape in a bad one", "quoted-printable", "==41=4=42", "=A=4B", message.BadQuoted},
		{"a soft line break at the end", "quoted-printable", "a=", "a", ""},
		{"uuencode", "x-uuencode", "begin 644 a.txt\r\n%2&5L;&\\\r\n`\r\nend\r\n", "Hello", ""},
		{"uuencode without its end", "uuencode", "begin 644 a.txt\r\n%2&5L;&\\\r\n", "Hello", message.BadUUEncode},
		{"yEnc", "x-yenc", "=ybegin line=128 size=5 name=a.txt\r\nr\x8f\x96\x96\x99\r\n=yend size=5 crc32=f7d18982\r\n", "Hello", ""},
		{"yEnc with dots", "x-yenc", "=ybegin line=3 size=5 name=a\r\n..r\r\n..\r\n=yend size=5\r\n", "\x04\x04H\x04\x04", ""},
		{"yEnc with dots before dots", "x-yenc", "=ybegin line=3 size=5 name=a\r\n...r\r\n...\r\n=yend size=5\r\n", "\x04\x04H\x04\x04", ""},
		{"uuencode that is none", "x-uuencode", "Hello\r\nworld", "Hello\r\nworld", message.BadEncoding},
		{"yEnc that is none", "x-yenc", "Hello\r\nworld", "Hello\r\nworld", message.BadEncoding},
		{"uuencode with text before it", "x-uuencode", "Hello\n\nbegin 644 a\n#86)C\n`\nend\n\n", "abc", message.BadUUEncode},
		{"uuencode with text after it", "x-uuencode", "\nbegin 644 a\n#86)C\n`\nend\n\nbye", "abc", message.BadUUEncode},
		{"yEnc with text after it", "x-yenc", "\n=ybegin line=128 size=1 name=a\nr\n=yend size=1\n\nbye", "H", message.BadYEnc},
		{"uuencode of words", "x-uuencode", "begin 644 a\n#86)C\n$HI\n`\nend\n", "abc\xa2\x90\x00\x00", message.BadUUEncode},
		{"uuencode with long lines", "x-uuencode", "begin 644 a\n#86)C86)C\n`\nend\n", "abc", message.BadUUEncode},
		{"yEnc that is damaged", "x-yenc", "=ybegin line=128 size=5 name=a.txt\r\nr\x8f\x96\x96\x98\r\n=yend size=5 crc32=f7d18982\r\n", "Helln", message.BadYEnc},
		{"8bit", "8bit", "\xe9", "\xe9", ""},
		{"7bit that is none", "7bit", "\xe9", "\xe9", message.EightBit},
		{"7-bit", "7-Bit", "x", "x", ""},
		{"with a comment", "(it is) Base64 (really);", "SGVsbG8=", "Hello", ""},
		{"quotes", `"base64"`, "SGVsbG8=", "Hello", ""},
		{"unknown", "x-own", "SGVsbG8=", "SGVsbG8=", message.BadEncoding},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// Some octets are read at once, whatever the reader gives.
			data := "X: " + strings.Repeat("x", 1000) + "\r\nContent-Transfer-Encoding: " + tt.encoding + "\r\n\r\n" + tt.body
			for _, r := range []io.Reader{strings.NewReader(data), iotest.OneByteReader(strings.NewReader(data))} {
				m, err := message.Read(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				for p, err := range m.Parts() {
					if err != nil {
						t.Fatal(err)
					}
					b, err := io.ReadAll(p)
					if err != nil || string(b) != tt.want {
						t.Errorf("%q, %v, want %q", b, err, tt.want)
					}
				}
				if got := kinds(m); tt.defect == "" && len(got) > 0 || tt.defect != "" && !slices.Contains(got, tt.defect) {
					t.Errorf("defects %v, want %q", m.Defects(), tt.defect)
				}
			}
		})
	}
}

func TestTextCharsets(t *testing.T) {
	for _, tt := range []struct {
		name, typ, body, want string
		defect                message.Kind
	}{
		{"ascii", "text/plain", "abc", "abc", ""},
		{"utf-8", "text/plain; charset=utf-8", "ä", "ä", ""},
		{"utf-8 that is Latin 1", "text/plain; charset=utf-8", "\xe4", "ä", message.WrongCharset},
		{"Latin 1 that is UTF-8", "text/plain; charset=iso-8859-1", "ä€", "ä€", message.WrongCharset},
		{"Latin 1", "text/plain; charset=iso-8859-1", "\xe4\x80", "ä€", ""},
		{"no charset", "text/plain", "\xe4", "ä", message.NoCharset},
		{"no charset, UTF-8", "text/plain", "ä", "ä", message.NoCharset},
		{"no charset, Japanese", "text/plain", "\x1b$B$\"\x1b(B", "あ", ""},
		{"ISO-2022-JP", "text/plain; charset=iso-2022-jp", "\x1b$B$\"\x1b(B", "あ", ""},
		{"Shift_JIS", "text/plain; charset=cp932", "\x82\xa0", "あ", ""},
		{"unknown", "text/plain; charset=x-none", "\xe4", "ä", message.UnknownCharset},
		{"unknown, ASCII", "text/plain; charset=x-none", "a", "a", ""},
		{"meta", "text/html", "<meta charset=koi8-r>\xc1", "<meta charset=koi8-r>а", ""},
		{"UTF-16 with a mark", "text/plain; charset=utf-16", "\xff\xfea\x00", "a", ""},
		{"UTF-16 little", "text/plain; charset=utf-16le", "a\x00b\x00", "ab", ""},
		{"UTF-16 guessed", "text/plain; charset=utf-16", "a\x00b\x00", "ab", ""},
		{"UTF-16 that is ASCII", "text/plain; charset=utf-16", "abcd", "abcd", ""},
		{"UTF-32", "text/plain; charset=utf-32", "\x00\x00\x00a", "a", ""},
		{"UTF-7", "text/plain; charset=utf-7", "a +AOQ-+- b", "a ä+ b", ""},
		{"HZ", "text/plain; charset=hz-gb-2312", "~{VP~}", "中", ""},
		{"UTF-7 with eight bits", "text/plain; charset=utf-7", "+AOQ- \xe4", "ä \ufffd", message.WrongCharset},
		{"UTF-16 with half a pair", "text/plain; charset=utf-16le", "a\x00\x00\xd8b\x00", "a\ufffdb", message.WrongCharset},
		{"byte order mark, damaged", "text/plain", "\xef\xbb\xbfa\xe4b", "a\ufffdb", message.WrongCharset},
		{"ASCII with an escape", "text/plain; charset=us-ascii", "\x1b[31mred", "\x1b[31mred", ""},
		{"Latin 1 with an escape", "text/plain; charset=iso-8859-1", "\x1b[31mred", "\x1b[31mred", ""},
		{"ASCII that is ISO-2022-JP", "text/plain; charset=us-ascii", "\x1b$B$\"\x1b(B", "あ", message.WrongCharset},
		{"ISO-2022-JP over a line's end", "text/plain; charset=iso-2022-jp", "\x1b$B$\"\r\nabc\n\x1b$B$\"", "あ\r\nabc\nあ", message.WrongCharset},
		{"the same, unlabelled", "text/plain", "\x1b$B$\"\r\nabc", "あ\r\nabc", ""},
		{"ISO-2022-JP that is Shift_JIS", "text/plain; charset=iso-2022-jp", "\x93\xfa\x96\x7b\x8c\xea\x83\x65\x83\x58\x83\x67\x82\xc5\x82\xb7", "日本語テストです", message.WrongCharset},
		{"byte order mark", "text/plain; charset=iso-8859-1", "\xef\xbb\xbfä", "ä", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := message.Read(strings.NewReader("Content-Type: "+tt.typ+"\r\nContent-Transfer-Encoding: binary\r\n\r\n"+tt.body), nil)
			if err != nil {
				t.Fatal(err)
			}
			for p, err := range m.Parts() {
				if err != nil {
					t.Fatal(err)
				}
				if got, err := p.Text(); err != nil || got != tt.want {
					t.Errorf("%q, %v, want %q", got, err, tt.want)
				}
			}
			if got := kinds(m); tt.defect == "" && len(got) > 0 || tt.defect != "" && !slices.Contains(got, tt.defect) {
				t.Errorf("defects %v, want %q", m.Defects(), tt.defect)
			}
		})
	}
}
