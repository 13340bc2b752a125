package imapclient_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

// What a server says after it has refused a password may repeat that, too.
func TestSecretAfterRefusal(t *testing.T) {
	var transcript bytes.Buffer
	c := play(t, lines("S: * OK [CAPABILITY IMAP4rev1] hi", `C: a1 LOGIN "joe" "secret pass"`, "S: a1 NO no", "S: secret pass is no response", "S: * BYE not with secret pass", "C: a2 NOOP"), &imapclient.Options{Transcript: &transcript})
	wants(t, "Login", c.Login(t.Context(), "joe", "secret pass"), imapclient.ErrAuth)
	_, err := c.Noop(t.Context())
	if told := fmt.Sprint(err, "\n", transcript.String()); !strings.Contains(told, "not with ***") || strings.Contains(told, "secret") {
		t.Errorf("want the words without the secret:\n%s", told)
	}
}

// Of a server that counts the octets of a message wrong, the rest of the message
// is in no error and in no transcript.
func TestMailTakenForResponse(t *testing.T) {
	for name, row := range map[string]string{
		"in a line of its own":     "* 1 FETCH (UID 1 BODY[] {2}\r\nab)\r\nmy confidential line\r\n",
		"where its row should end": "* 1 FETCH (UID 1 BODY[] {2}\r\nabmy confidential line\r\n)\r\n",
		"many lines":               "* 1 FETCH (UID 1 BODY[] {2}\r\nab)\r\n" + strings.Repeat("my confidential line\r\n", 200),
	} {
		t.Run(name, func(t *testing.T) {
			var transcript bytes.Buffer
			c := play(t, examine+lines(fetch12, b64(row), "S: * BYE x"), &imapclient.Options{Transcript: &transcript})
			mustLogin(t, c)
			if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
				t.Fatal(err)
			}
			f := fetchAll(t, c, 1, 2)
			if told := fmt.Sprint(f.gone, f.last, "\n", transcript.String()); f.last == nil || strings.Contains(told, "confidential") {
				t.Errorf("want an error, and nothing of the message:\n%s", told)
			}
		})
	}
}
