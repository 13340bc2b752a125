package scenarios

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/message"
)

// Parts are messages with parts.
func Parts() [][]byte {
	lines := func(l ...string) []byte { return []byte(strings.Join(l, "\r\n") + "\r\n") }
	return [][]byte{
		lines("From: =?utf-8?Q?J=C3=BCrgen_M=C3=BCller?= <juergen@example.org>", "To: \"Doe, Joe\" <joe@example.com>, jane@example.com", "Cc: friends: a@example.org, b@example.org;",
			"Subject: =?utf-8?B?R3LDvMOfZQ==?= aus =?iso-8859-1?Q?K=F6ln?=", "Date: Mon, 2 Nov 2026 10:00:00 +0100", "Message-ID: <1@example.org>", "In-Reply-To: <0@example.org>", "References: <00@example.org>", " <0@example.org>",
			"MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=\"outer\"", "",
			"before", "--outer", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", "", "Gr=C3=BC=C3=9Fe =", "aus K=C3=B6ln.",
			"--outer", "Content-Type: image/png; name=\"=?utf-8?Q?gr=C3=BC=C3=9Fe=2Epng?=\"", "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename*=utf-8''gr%C3%BC%C3%9Fe.png", "Content-ID: <image@example.org>", "Content-Description: a picture", "", strings.Repeat("AAECAwQFBgcICQoLDA0ODw==\r\n", 40)+"AAEC",
			"--outer", "Content-Type: message/rfc822", "",
			"From: Jane <jane@example.org>", "Subject: within", "Date: Sun, 1 Nov 2026 09:00:00 +0000", "Message-ID: <2@example.org>", "MIME-Version: 1.0", "Content-Type: multipart/alternative; boundary=\"inner\"", "",
			"--inner", "", "one", "--inner", "Content-Type: text/html; charset=us-ascii", "", "<p>two</p>", "--inner--",
			"--outer--", "behind"),
		lines("From: joe@example.com", "Subject: plain", "Date: Mon, 2 Nov 2026 11:00:00 +0100", "Message-ID: <3@example.org>", "MIME-Version: 1.0", "Content-Type: text/plain; charset=us-ascii", "Content-Transfer-Encoding: base64", "", "T25lIHBhcnQgb25seS4NCg=="),
		lines("From: joe@example.com", "Subject: \"quotes\" and \\ backslash", "Message-ID: <4@example.org>", "", "No MIME."),
	}
}

// wantPart is a part of a message of Parts.
type wantPart struct {
	number, typ, encoding, filename string
	raw, decoded                    string
}

var wantParts = [][]wantPart{
	{
		{"TEXT", "multipart/mixed", "", "", "", ""},
		{"1", "text/plain", "quoted-printable", "", "Gr=C3=BC=C3=9Fe =\r\naus K=C3=B6ln.", "Grüße aus Köln."},
		{"2", "image/png", "base64", "grüße.png", strings.Repeat("AAECAwQFBgcICQoLDA0ODw==\r\n", 40) + "AAEC", strings.Repeat("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 40) + "\x00\x01\x02"},
		{"3", "message/rfc822", "7bit", "", "", ""},
		{"3.TEXT", "multipart/alternative", "", "", "", ""},
		{"3.1", "text/plain", "7bit", "", "one", "one"},
		{"3.2", "text/html", "7bit", "", "<p>two</p>", "<p>two</p>"},
	},
	{{"1", "text/plain", "base64", "", "T25lIHBhcnQgb25seS4NCg==\r\n", "One part only.\r\n"}},
	{{"1", "text/plain", "7bit", "", "No MIME.\r\n", "No MIME.\r\n"}},
}

// imapStructure asks for all that can be asked for.
func imapStructure(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	uids := imapOpen(t, c, (*imapclient.Client).Examine)
	items := imapclient.Items{Flags: true, Received: true, Size: true, Envelope: true, Structure: true, Fields: []string{"References", "Content-Type"}}
	n := 0
	for info, err := range c.Fetch(t.Context(), imapclient.All(), items) {
		if !check(t, "Fetch", err) {
			break
		}
		i := slices.Index(uids, info.UID)
		if i < 0 || n >= len(Parts()) {
			t.Fatalf("message %d was not there", info.UID)
		}
		n++
		if server == "goimap" { // it is asked for none
			info.Envelope, info.Missing = nil, nil
		} else {
			checkEnvelope(t, server, i, info.Envelope)
		}
		if len(info.Missing) > 0 || info.Received.IsZero() || info.Size <= 0 || slices.Contains(info.Flags, `\Seen`) {
			t.Errorf("%+v", info)
		}
		checkStructure(t, server, i, info.Structure)
		if got := strings.Join(info.Field("References"), ""); i == 0 && got != "<00@example.org> <0@example.org>" || i > 0 && got != "" {
			t.Errorf("References: %q", got)
		}
	}
	if n != len(Parts()) {
		t.Errorf("%d messages", n)
	}
	caps, err := c.Capabilities(t.Context())
	check(t, "Capabilities", err)
	for _, ask := range []struct {
		capability string
		items      imapclient.Items
		told       func(imapclient.Info) bool
	}{
		{"PREVIEW", imapclient.Items{Preview: true}, func(i imapclient.Info) bool { return true }},
		{"CONDSTORE", imapclient.Items{ModSeq: true}, func(i imapclient.Info) bool { return i.ModSeq > 0 }},
		{"SAVEDATE", imapclient.Items{Saved: true}, func(i imapclient.Info) bool { return time.Since(i.Saved) > 0 }},
		{"OBJECTID", imapclient.Items{ObjectIDs: true}, func(i imapclient.Info) bool { return i.EmailID != "" }},
		{"PREVIEW", imapclient.Items{PreviewLazy: true}, func(i imapclient.Info) bool { return true }},
		{"X-GM-EXT-1", imapclient.Items{Gmail: true}, func(i imapclient.Info) bool { return i.Gmail.MessageID > 0 }},
	} {
		for info, err := range c.Fetch(t.Context(), imapclient.UIDs(uids[0]), ask.items) {
			switch {
			case !caps.Has(ask.capability):
				if !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("%s: %v, want errors.ErrUnsupported", ask.capability, err)
				}
			case err != nil:
				t.Errorf("%s: %v", ask.capability, err)
			case len(info.Missing) > 0 || !ask.told(info):
				t.Errorf("%s: %+v", ask.capability, info)
			}
		}
	}
	check(t, "Logout", c.Logout(t.Context()))
}

// checkEnvelope compares with what the header says.
func checkEnvelope(t testing.TB, server string, i int, got *message.Envelope) {
	t.Helper()
	want, err := message.ReadEnvelope(bytes.NewReader(Parts()[i]))
	if err != nil {
		t.Fatal(err)
	}
	// RFC 9051 section 7.5.2: what is missing is what From says.
	want.Sender, want.ReplyTo = want.From, want.From
	if got == nil || !got.Date.Equal(want.Date) {
		t.Errorf("%s: envelope %+v, want %+v", server, got, want)
		return
	}
	got.Date = want.Date
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: envelope\n%+v\nwant\n%+v", server, got, want)
	}
}

func checkStructure(t testing.TB, server string, i int, p *imapclient.Part) {
	t.Helper()
	var got, want []string
	for q := range p.All() {
		if q.Encoding == "8bit" {
			q.Encoding = "7bit" // QUIRK: Courier says so where the message says nothing
		}
		got = append(got, fmt.Sprintf("%s %s %s %s", q.Number, q.Type, q.Encoding, q.Filename))
		if n := slices.IndexFunc(wantParts[i], func(w wantPart) bool { return w.number == q.Number }); n >= 0 {
			if raw := wantParts[i][n].raw; raw != "" && q.Size != int64(len(raw)) {
				t.Errorf("%s: part %s of message %d has %d octets, want %d", server, q.Number, i+1, q.Size, len(raw))
			}
		}
		switch q.Number {
		case "2":
			if q.ID != "image@example.org" || q.Description != "a picture" || q.Disposition != "attachment" {
				t.Errorf("%+v", q)
			}
		case "3":
			if q.Envelope == nil || q.Envelope.Subject != "within" || q.Envelope.MessageID != "2@example.org" {
				t.Errorf("%+v", q.Envelope)
			}
		}
	}
	for _, w := range wantParts[i] {
		want = append(want, fmt.Sprintf("%s %s %s %s", w.number, w.typ, w.encoding, w.filename))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: the structure is\n%s\nwant\n%s", server, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// imapParts reads parts in every way.
func imapParts(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	uids := imapOpen(t, c, (*imapclient.Client).Examine)
	read := func(i int, part string, o *imapclient.PartOptions, want string) {
		t.Helper()
		p, err := c.Part(t.Context(), uids[i], part, o)
		if !check(t, "Part "+part, err) {
			return
		}
		got, err := io.ReadAll(p)
		if check(t, "read "+part, err); string(got) != want {
			t.Errorf("%s: part %s of message %d, %+v, is\n%q\nwant\n%q", server, part, i+1, o, got, want)
		}
		check(t, "Close", p.Close())
	}
	for i, parts := range wantParts {
		for _, w := range parts {
			if w.raw == "" {
				continue
			}
			read(i, w.number, nil, w.decoded)
			read(i, w.number, &imapclient.PartOptions{Encoding: w.encoding, Chunk: 1 << 20}, w.decoded)
			read(i, w.number, &imapclient.PartOptions{Raw: true}, w.raw)
			read(i, w.number, &imapclient.PartOptions{Raw: true, Chunk: 400, Size: int64(len(w.raw))}, w.raw)
			if len(w.decoded) > 5 {
				read(i, w.number, &imapclient.PartOptions{Encoding: w.encoding, Offset: 2, Limit: 3}, w.decoded[2:5])
			}
		}
	}
	read(0, "2.MIME", nil, "Content-Type: image/png; name=\"=?utf-8?Q?gr=C3=BC=C3=9Fe=2Epng?=\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename*=utf-8''gr%C3%BC%C3%9Fe.png\r\nContent-ID: <image@example.org>\r\nContent-Description: a picture\r\n\r\n")
	read(0, "3.HEADER", nil, "From: Jane <jane@example.org>\r\nSubject: within\r\nDate: Sun, 1 Nov 2026 09:00:00 +0000\r\nMessage-ID: <2@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"inner\"\r\n\r\n")
	read(2, "TEXT", nil, "No MIME.\r\n")
	for _, missing := range []struct {
		uid  uint32
		part string
		o    *imapclient.PartOptions
		want error
	}{
		{uids[0], "7", nil, imapclient.ErrNoPart}, {uids[0], "7", &imapclient.PartOptions{Raw: true}, imapclient.ErrNoPart},
		{uids[2] + 1000, "1", nil, imapclient.ErrGone}, {uids[2] + 1000, "1", &imapclient.PartOptions{Raw: true}, imapclient.ErrGone},
	} {
		p, err := c.Part(t.Context(), missing.uid, missing.part, missing.o)
		if err == nil {
			_, err = io.ReadAll(p)
			p.Close()
		}
		if !errors.Is(err, missing.want) {
			t.Errorf("%s: part %s of message %d: %v, want %v", server, missing.part, missing.uid, err, missing.want)
		}
	}
	for s, err := range c.Summaries(t.Context(), imapclient.All()) {
		check(t, "Summaries", err)
		if slices.Contains(s.Flags, `\Seen`) {
			t.Errorf("reading made message %d seen", s.UID)
		}
	}
	check(t, "Logout", c.Logout(t.Context()))
}

// imapSeen reads with and without the flag \Seen.
func imapSeen(t testing.TB, _ string, c *imapclient.Client) {
	defer c.Close()
	uids := imapOpen(t, c, (*imapclient.Client).Select)
	for i, seen := range []bool{false, true} {
		p, err := c.Part(t.Context(), uids[i], "1", &imapclient.PartOptions{Encoding: "7bit", MarkSeen: seen})
		if check(t, "Part", err) {
			_, err := io.Copy(io.Discard, p)
			check(t, "read", err)
			check(t, "Close", p.Close())
		}
	}
	for s, err := range c.Summaries(t.Context(), imapclient.UIDs(uids[0], uids[1])) {
		if check(t, "Summaries", err); slices.Contains(s.Flags, `\Seen`) != (s.UID == uids[1]) {
			t.Errorf("message %d has the flags %q", s.UID, s.Flags)
		}
	}
	// A part that is closed early leaves the session usable.
	p, err := c.Part(context.WithoutCancel(t.Context()), uids[3], "", nil)
	if check(t, "Part", err) {
		_, err := p.Read(make([]byte, 1))
		check(t, "read", err)
		check(t, "Close", p.Close())
	}
	check(t, "Logout", c.Logout(t.Context()))
}
