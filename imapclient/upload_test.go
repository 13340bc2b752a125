package imapclient_test

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/postbag/imapclient"
)

// What has UTF-8 in its header section is sent as RFC 6855 section 4 has it,
// to servers that want to know, and to none that does not know the form.
func TestAppendUTF8(t *testing.T) {
	const head, wide = "Subject: Grüße\r\nFrom: ö@example.com\r\n\r\nbody\r\n", "Subject: x\r\n\r\nGrüße\r\n"
	long := strings.Repeat("X-Filler: nothing of importance\r\n", 400) + head
	enable := []string{"C: e1 ENABLE UTF8=ACCEPT", "S: * ENABLED UTF8=ACCEPT", "S: e1 OK"}
	form := func(text, form string) string {
		return `C: a1 APPEND "Sent" ` + strings.ReplaceAll(form, "n", strconv.Itoa(len(text)))
	}
	end := []string{"S: a1 OK [APPENDUID 1 2] done"}
	for _, tt := range []struct {
		name, text string
		enable     bool
		script     []string
	}{
		{"in a header field", head, true, append([]string{form(head, "UTF8 (~{n}"), "S: + go", "C64: " + b64text(head), "C: )"}, end...)},
		{"far down", long, true, append([]string{form(long, "UTF8 (~{n}"), "S: + go", "C64: " + b64text(long), "C: )"}, end...)},
		{"a header section only", head[:18], true, append([]string{form(head[:18], "UTF8 (~{n}"), "S: + go", "C64: " + b64text(head[:18]), "C: )"}, end...)},
		{"in the body", wide, true, append([]string{form(wide, "{n+}"), "C64: " + b64text(wide), "C: "}, end...)},
		{"no header section", "\r\nGrüße", true, append([]string{form("\r\nGrüße", "{n+}"), "C64: " + b64text("\r\nGrüße"), "C: "}, end...)},
		{"octets that are no UTF-8", "Subject: \xfc\r\n\r\n", true, append([]string{form("Subject: \xfc\r\n\r\n", "{n+}"), "C64: " + b64text("Subject: \xfc\r\n\r\n"), "C: "}, end...)},
		{"not enabled", head, false, append([]string{form(head, "{n+}"), "C64: " + b64text(head), "C: "}, end...)},
		{"a server that has the form no more", head, true, append([]string{
			strings.Replace(form(head, "UTF8 (~{n}"), "a1", "a0", 1), "S: a0 BAD what?", form(head, "{n+}"), "C64: " + b64text(head), "C: "}, end...)},
		{"Courier", head, true, append([]string{
			strings.Replace(form(head, "UTF8 (~{n}"), "a1", "a0", 1), "S: a0 NO Error in IMAP command received by server.", form(head, "{n+}"), "C64: " + b64text(head), "C: "}, end...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script := tt.script
			if tt.enable {
				script = append(enable[:3:3], script...)
			}
			c := authed(t, "ENABLE UTF8=ACCEPT LITERAL+", lines(append(script, "C: b1 NOOP", "S: b1 OK")...))
			if tt.enable {
				_, err := c.Enable(t.Context(), "UTF8=ACCEPT")
				wants(t, "Enable", err, nil)
			}
			at, err := c.Append(t.Context(), "Sent", iotest.OneByteReader(strings.NewReader(tt.text)), int64(len(tt.text)), nil)
			if err != nil || at.UID != 2 {
				t.Errorf("Append = %+v, %v", at, err)
			}
			_, err = c.Noop(t.Context())
			wants(t, "Noop", err, nil)
		})
	}
}

// A source that fails before anything is sent leaves the session alone; a
// refusal is one, whatever the form.
func TestAppendUTF8Refused(t *testing.T) {
	broken := errors.New("disk on fire")
	c := authed(t, "ENABLE UTF8=ACCEPT", lines("C: e1 ENABLE UTF8=ACCEPT", "S: * ENABLED UTF8=ACCEPT", "S: e1 OK",
		`C: a1 APPEND "Sent" UTF8 (~{15}`, "S: a1 NO [TRYCREATE] no such mailbox", "C: a2 NOOP", "S: a2 OK"))
	_, err := c.Enable(t.Context(), "UTF8=ACCEPT")
	wants(t, "Enable", err, nil)
	_, err = c.Append(t.Context(), "Sent", iotest.ErrReader(broken), 15, nil)
	wants(t, "a source that fails", err, broken)
	_, err = c.Append(t.Context(), "Sent", strings.NewReader("Subject: ü\r\n\r\n"), 15, nil)
	wants(t, "a mailbox that is not there", err, imapclient.ErrNoMailbox)
	_, err = c.Noop(t.Context())
	wants(t, "Noop", err, nil)
}

// What a transcript tells of a session with an APPEND can be played.
func TestAppendTranscript(t *testing.T) {
	const text = "Subject: Grüße\r\n\r\nA3 OK\r\nA9 NOOP\r\n"
	run := func(script string, o *imapclient.Options) {
		t.Helper()
		c := play(t, script, o)
		_, err := c.Enable(t.Context(), "UTF8=ACCEPT")
		wants(t, "Enable", err, nil)
		for _, text := range []string{text, strings.TrimPrefix(text, "Subject: Grüße\r\n")} {
			_, err = c.Append(t.Context(), "Sent", strings.NewReader(text), int64(len(text)), nil)
			wants(t, "Append", err, nil)
		}
		_, err = c.Noop(t.Context())
		wants(t, "Noop", err, nil)
	}
	plain := strings.TrimPrefix(text, "Subject: Grüße\r\n")
	var transcript bytes.Buffer
	run(lines("S: * PREAUTH [CAPABILITY IMAP4rev1 ENABLE UTF8=ACCEPT LITERAL+] hello", "C: a1 ENABLE UTF8=ACCEPT", "S: * ENABLED UTF8=ACCEPT", "S: a1 OK",
		`C: a2 APPEND "Sent" UTF8 (~{`+strconv.Itoa(len(text))+"}", "S: + go", "C64: "+b64text(text), "C: )", "S: a2 OK",
		`C: a3 APPEND "Sent" {`+strconv.Itoa(len(plain))+"+}", "C64: "+b64text(plain), "C: ", "S: a3 OK",
		"C: a4 NOOP", "S: a4 OK"), &imapclient.Options{Transcript: &transcript})
	told := transcript.String()
	if strings.Contains(told, "A9 NOOP") || !strings.Contains(told, "\nC*: "+strconv.Itoa(len(text))+"\nC: )\n") {
		t.Errorf("%s", told)
	}
	run(told, nil)
}
