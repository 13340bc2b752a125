package message_test

import (
	"fmt"
	"testing"
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
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}
