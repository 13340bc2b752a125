package message_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"example.com/postbag/message"
)

func TestFields(t *testing.T) {
	for _, tt := range []struct{ name, got, want string }{
		{"plain text", message.DecodeText(" a  b "), "a  b"},
		{"encoded words", message.DecodeText("=?utf-8?Q?gr=C3=BC?= =?utf-8?B?w58=?="), "grüß"},
		{"octets", message.DecodeText("gr\xfc\xdf\r\n\x00"), "grüß"},
		{"charset", message.DecodeCharset("iso-8859-2", "\xb1\n"), "ą"},
		{"unknown charset", message.DecodeCharset("x-none", "grü"), "grü"},
		{"wrong charset", message.DecodeCharset("utf-8", "gr\xfc"), "grü"},
		{"date", message.ParseDate("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)").UTC().Format(time.RFC3339), "1996-07-17T09:23:25Z"},
		{"no date", message.ParseDate("yesterday").Format(time.RFC3339), "0001-01-01T00:00:00Z"},
		{"identifiers", fmt.Sprint(message.ParseIdentifiers("<a@b> (<x) <c@d>")), "[a@b c@d]"},
		{"parameters", fmt.Sprint(message.DecodeParameters([][2]string{{"Name*1*", "%9Fe"}, {"name*0*", "utf-8''gr%C3%BC%C3"}, {"name", "x"}, {"A", "=?utf-8?Q?=C3=BC?="}, {"a", "2"}, {"", "y"}, {"*", "z"}})), "map[a:ü name:grüße]"},
		{"no parameters", fmt.Sprint(message.DecodeParameters(nil)), "map[]"},
		{"base64", transferred("BASE64", "YWJj\r\nZA"), "abcd"},
		{"quoted-printable", transferred(" Quoted-Printable", "gr=C3=\r\n=BC=C3=9Fe="), "grüße"},
		{"7bit", transferred("", "=41"), "=41"},
		{"unknown", transferred("x-none", "=41"), "=41"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

func transferred(encoding, s string) string {
	data, err := io.ReadAll(message.DecodeTransfer(iotest.OneByteReader(strings.NewReader(s)), encoding))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// What a header section says comes out without control characters, whatever is
// in it.
func TestCleanWords(t *testing.T) {
	m := parse(t, "Content-Type: text/plain; a\x1b\xe9=b\nContent-Transfer-Encoding: x-\x1b[31m\xe9\n\nx")
	for p, err := range m.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		if p.Encoding != "x- [31mé" {
			t.Errorf("Encoding %q", p.Encoding)
		}
		if len(p.Params) != 1 || p.Params["a é"] != "b" {
			t.Errorf("Params %q", p.Params)
		}
	}
}
