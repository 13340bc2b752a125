package imapclient_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime/quotedprintable"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode"
	"unicode/utf8"

	"example.com/postbag/imapclient"
)

// FuzzFetch: whatever a server says of a message, what comes out is valid
// UTF-8 in one line, each part has a number that can be asked for, and it takes
// no longer than it should. A session that goes on tells of the next message.
func FuzzFetch(f *testing.F) {
	if _, err := os.Stat("testdata/fuzz/FuzzFetch"); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, items []byte, drip bool) {
		start := time.Now()
		script := "* PREAUTH [CAPABILITY IMAP4rev1 CONDSTORE PREVIEW SAVEDATE OBJECTID X-GM-EXT-1] hi\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\nT1 OK\r\n* 1 FETCH (UID 1 " + string(items) + ")\r\n* 2 FETCH (UID 2 FLAGS (x) ENVELOPE (NIL \"two\"))\r\n"
		for n := range 20 {
			script += fmt.Sprintf("A%d OK\r\n", n+1)
		}
		var r io.Reader = strings.NewReader(script)
		if drip {
			r = iotest.OneByteReader(r)
		}
		c, err := imapclient.New(t.Context(), octets{r}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Select(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		told := 0
		for info, err := range c.Fetch(t.Context(), imapclient.UIDs(1, 2, 3), imapclient.Items{Flags: true, Size: true, Received: true, Envelope: true, Structure: true,
			Fields: []string{"Subject"}, Preview: true, ModSeq: true, Saved: true, ObjectIDs: true, Gmail: true}) {
			if err != nil {
				continue
			}
			if told++; info.UID < 1 || info.UID > 3 || told > len(items)+3 {
				t.Fatalf("message %d is another, or comes without end", info.UID)
			}
			info.Field("subject")
			info.Header = nil // it is as it is in the message
			checkText(t, reflect.ValueOf(info))
			parts := 0
			for p := range info.Structure.All() {
				if parts++; parts > 10_000 {
					t.Fatal("more parts than there may be")
				}
				if p.Number == "" || strings.ContainsAny(p.Number, " \r\n]") || p.Type == "" || p.Size < -1 || p.Lines < -1 {
					t.Errorf("%+v", p)
				}
			}
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%v for %d octets", took, len(items))
		}
	})
}

// checkText fails unless all strings in v are valid UTF-8 in one line.
func checkText(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("%q", s)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			checkText(t, v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			checkText(t, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkText(t, v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			checkText(t, k)
			checkText(t, v.MapIndex(k))
		}
	}
}

// FuzzPart: what was encoded is decoded, in whatever pieces it comes and is
// read.
func FuzzPart(f *testing.F) {
	f.Add([]byte("grüße \r\n=\r\n. \t\r\nend "), uint16(10), uint8(0))
	f.Add(bytes.Repeat([]byte("x"), 5000), uint16(1000), uint8(1))
	f.Add([]byte("\x00\xff\r\r\n\n"), uint16(0), uint8(6))
	f.Fuzz(func(t *testing.T, data []byte, chunk uint16, how uint8) {
		encoding, encoded := "7bit", data
		switch how & 3 {
		case 1:
			encoding, encoded = "base64", base64.StdEncoding.AppendEncode(nil, data)
		case 2:
			var b bytes.Buffer
			w := quotedprintable.NewWriter(&b)
			w.Binary = true
			w.Write(data)
			w.Close()
			encoding, encoded = "quoted-printable", b.Bytes()
		}
		if chunk > 0 && len(encoded)/int(chunk) > 20 {
			chunk = 0
		}
		script := "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n* 1 EXISTS\r\nT1 OK\r\n"
		for at, n := 0, 1; ; n++ {
			end, origin := len(encoded), ""
			if chunk > 0 {
				end, origin = min(at+int(chunk), end), fmt.Sprintf("<%d>", at)
			}
			script += fmt.Sprintf("* 1 FETCH (BODY[1]%s {%d}\r\n%s UID 1)\r\nA%d OK\r\n", origin, end-at, encoded[at:end], n)
			if chunk == 0 || end-at < int(chunk) {
				break
			}
			at = end
		}
		if len(encoded) == 0 { // is there such a part?
			script += "* 1 FETCH (UID 1 RFC822.SIZE 9 BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0))\r\nA2 OK\r\n"
		}
		c, err := imapclient.New(t.Context(), octetsOf(script), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		p, err := c.Part(t.Context(), 1, "1", &imapclient.PartOptions{Encoding: encoding, Chunk: int64(chunk)})
		if err != nil {
			t.Fatal(err)
		}
		var r io.Reader = p
		if how&4 != 0 {
			r = iotest.OneByteReader(p)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("got %q, %v, want %q", got, err, data)
		}
	})
}
