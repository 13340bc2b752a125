package imapclient_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/session"
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

// A server that decodes what it was shown, and repeats it, tells nobody what
// passwords can be tried on.
func TestProofRepeated(t *testing.T) {
	const digest = "b913a602c7eda7a495b4e6e7334d3890" // RFC 2195 section 2
	var transcript bytes.Buffer
	c := play(t, lines("S: * OK [CAPABILITY IMAP4rev1] hi", "C: a1 AUTHENTICATE CRAM-MD5", "S: + "+b64text("<1896.697170952@postoffice.reston.mci.net>"), "C: "+b64text("tim "+digest), "S: a1 NO not tim "+digest), &imapclient.Options{Transcript: &transcript})
	err := c.Auth(t.Context(), imapclient.Credentials{User: "tim", Password: "tanstaaftanstaaf", Mechanisms: []string{"CRAM-MD5"}})
	wants(t, "Auth", err, imapclient.ErrAuth)
	if told := fmt.Sprint(err, "\n", transcript.String()); !strings.Contains(told, "not tim ***") || strings.Contains(told, digest) {
		t.Errorf("the digest is told:\n%s", told)
	}

	transcript.Reset()
	client, server := session.Pipe()
	proof := ""
	go func() {
		defer server.Close()
		fmt.Fprint(server, "* OK [CAPABILITY IMAP4rev1] hi\r\n")
		r := bufio.NewReader(server)
		r.ReadString('\n')
		fmt.Fprint(server, "+ \r\n")
		read := func() string {
			line, _ := r.ReadString('\n')
			b, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
			return string(b)
		}
		_, nonce, _ := strings.Cut(read(), ",r=")
		fmt.Fprintf(server, "+ %s\r\n", b64text("r="+nonce+"abc,s=QSXCR+Q6sek8bf92,i=4096"))
		_, proof, _ = strings.Cut(read(), ",p=")
		fmt.Fprintf(server, "A1 NO not with p=%s\r\n", proof)
	}()
	c, err = imapclient.New(t.Context(), client, &imapclient.Options{Transcript: &transcript})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Auth(t.Context(), imapclient.Credentials{User: "user", Password: "pencil", Mechanisms: []string{"SCRAM-SHA-1"}})
	wants(t, "Auth", err, imapclient.ErrAuth)
	if told := fmt.Sprint(err, "\n", transcript.String()); proof == "" || !strings.Contains(told, "not with p=***") || strings.Contains(told, proof) {
		t.Errorf("the proof %q is told:\n%s", proof, told)
	}
}
