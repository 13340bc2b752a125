package imapclient_test

import (
	"errors"
	"io"
	"testing"

	"example.com/postbag/imapclient"
)

// TestEmbedded reads parts of a message within a message from GNU Mailutils,
// which sends the whole of that message instead.
func TestEmbedded(t *testing.T) {
	const structure = `S: * 1 FETCH (UID 5 BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7BIT" 5 0)("message" "rfc822" NIL NIL NIL "7BIT" 137 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)(("text" "plain" NIL NIL NIL "7BIT" 3 0)("text" "html" NIL NIL NIL "BASE64" 8 0) "alternative") 9) "mixed"))`
	ask := []string{"C: b2 UID FETCH 5 (UID BODYSTRUCTURE)", structure, "S: b2 OK"}
	whole := []string{"C: b3 UID FETCH 5 (UID BODY.PEEK[2])", "S: * 1 FETCH (UID 5 BODY[2] {137}",
		"S: MIME-Version: 1.0", "S: Content-Type: multipart/alternative; boundary=i", "S: ", "S: --i", "S: ", "S: one", "S: --i", "S: Content-Transfer-Encoding: base64", "S: ", "S: dHdv", "S: --i--", "S: )", "S: b3 OK"}
	for _, tt := range []struct {
		name, part string
		o          *imapclient.PartOptions
		whole      bool
		want       string
		err        error
	}{
		{"the first", "2.1", nil, true, "one", nil},
		{"decoded", "2.2", nil, true, "two", nil},
		{"raw", "2.2", &imapclient.PartOptions{Raw: true}, true, "dHdv", nil},
		{"a range", "2.2", &imapclient.PartOptions{Offset: 1, Limit: 1}, true, "w", nil},
		{"none", "2.3", nil, true, "", imapclient.ErrNoPart},
		{"a header", "2.1.MIME", nil, false, "", errors.ErrUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script := append([]string{"S: * OK IMAP4rev1", "C: a0 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: a0 OK", `C: a1 LOGIN "joe" "secret pass"`, "S: a1 OK in", "C: a2 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: a2 OK",
				"C: b1 SELECT INBOX", "S: * 1 EXISTS", "S: b1 OK"}, ask...)
			if tt.whole {
				wire := whole
				if tt.o != nil && tt.o.Limit > 0 {
					wire = append([]string{"C: b3 UID FETCH 5 (UID BODY.PEEK[2]<0.1025>)"}, whole[1:]...)
				}
				script = append(script, wire...)
			}
			script = append(script, "C: b4 NOOP", "S: b4 OK")
			c := play(t, lines(script...), nil)
			mustLogin(t, c)
			if _, err := c.Select(t.Context(), "INBOX"); err != nil {
				t.Fatal(err)
			}
			p, err := c.Part(t.Context(), 5, tt.part, tt.o)
			wants(t, "Part", err, tt.err)
			if err == nil {
				data, err := io.ReadAll(p)
				if err != nil || string(data) != tt.want {
					t.Errorf("%q, %v, want %q", data, err, tt.want)
				}
				p.Close()
			}
			_, err = c.Noop(t.Context())
			wants(t, "Noop", err, nil)
		})
	}
}
