package pop3client_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"example.com/postbag/pop3client"
)

// What a server repeats of a secret, in whatever form it was sent, is neither
// in the error nor in the transcript.
func TestRepeatedSecret(t *testing.T) {
	plain := b64("\x00joe\x00hunter2")
	oauth := b64("user=joe\x01auth=Bearer hunter2\x01\x01")
	password := pop3client.Credentials{User: "joe", Password: "hunter2"}
	for _, tt := range []struct {
		name, capa string
		creds      pop3client.Credentials
		script     []string // replies, from the first command on
	}{
		{"PASS refused", "USER", password, []string{"+OK", "-ERR unknown command: PASS hunter2"}},
		{"PASS, no reply", "USER", password, []string{"+OK", "PASS hunter2"}},
		{"PASS, a challenge", "USER", password, []string{"+OK", "+ PASS hunter2"}},
		{"PASS, beyond what an error shows", "USER", password, []string{"+OK", strings.Repeat("x", 96) + "hunter2"}},
		{"PLAIN refused", "SASL PLAIN", password, []string{"-ERR AUTH PLAIN " + plain}},
		{"PLAIN refused, decoded", "SASL PLAIN", password, []string{"-ERR hunter2"}},
		{"PLAIN, no base64", "SASL PLAIN", password, []string{"+ AUTH PLAIN " + plain}},
		{"PLAIN, base64", "SASL PLAIN", password, []string{"+ " + plain, "-ERR cancelled"}},
		{"LOGIN refused", "SASL LOGIN", password, []string{"+ ", "+ ", "-ERR " + b64("hunter2")}},
		{"CRAM-MD5 sums up the password", "SASL CRAM-MD5", password, []string{"+ " + b64("hunter2"), "-ERR [SYS/PERM] no"}},
		{"XOAUTH2 refused", "SASL XOAUTH2", pop3client.Credentials{User: "joe", Token: "hunter2"}, []string{"+ ", "-ERR " + oauth}},
		{"XOAUTH2 says why", "SASL XOAUTH2", pop3client.Credentials{User: "joe", Token: "hunter2"}, []string{"+ ", "+ " + b64(`{"status":"hunter2","scope":"Bearer hunter2"}`), "-ERR"}},
		{"OAUTHBEARER says why", "SASL OAUTHBEARER", pop3client.Credentials{User: "joe", Token: "hunter2"}, []string{"+ " + b64("no JSON: hunter2"), "-ERR"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var transcript bytes.Buffer
			c, err := start(t, &pop3client.Options{Transcript: &transcript}, func(s *script) {
				s.send("+OK ready")
				s.capa(tt.capa)
				for _, reply := range tt.script {
					if _, err := s.r.ReadString('\n'); err != nil {
						return
					}
					s.send(reply)
				}
				s.r.ReadString(0) // until the client hangs up
			})
			if err != nil {
				t.Fatal(err)
			}
			err = c.Auth(t.Context(), tt.creds)
			if err == nil {
				t.Fatal("no error")
			}
			c.Close()
			told := fmt.Sprint(err, "\n", transcript.String())
			for _, secret := range []string{"hunter2", "hunt", plain, oauth, b64("hunter2"), b64("no JSON: hunter2")} {
				if strings.Contains(told, secret) {
					t.Errorf("%q is told:\n%s", secret, told)
				}
			}
		})
	}
}

// The digest of APOP is as good as a hash of the password.
func TestRepeatedDigest(t *testing.T) {
	var transcript bytes.Buffer
	c, err := start(t, &pop3client.Options{Transcript: &transcript}, func(s *script) {
		s.send("+OK <1.2@mail>")
		s.capa()
		line, _ := s.r.ReadString('\n')
		s.send("-ERR what is " + strings.TrimSpace(line) + "?")
	})
	if err != nil {
		t.Fatal(err)
	}
	err = c.APOP(t.Context(), "joe", "secret")
	if told := fmt.Sprint(err, "\n", transcript.String()); strings.Count(told, "APOP joe ***?") != 2 {
		t.Errorf("the digest is told:\n%s", told)
	}
}

// A server that stuffs no dots sends the rest of a message as replies: no line
// of mail is in an error or in the transcript for that.
func TestMailTakenForReply(t *testing.T) {
	for name, send := range map[string][]string{
		"with the message":  {"+OK", "Subject: x", "", ".", "my secret", "."},
		"after the command": {"+OK", "Subject: x", "", "."},
	} {
		t.Run(name, func(t *testing.T) {
			var transcript bytes.Buffer
			c := loggedIn(t, &pop3client.Options{Transcript: &transcript}, nil, func(s *script) {
				s.expect("RETR 1")
				s.raw(strings.Join(send, "\r\n") + "\r\n")
				if name == "after the command" {
					s.expect("NOOP")
					s.send("my secret", ".")
				}
				s.r.ReadString(0)
			})
			transcript.Reset() // the password is "secret"
			b, err := c.Retr(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, b)
			err = c.Noop(t.Context())
			told := fmt.Sprint(err, "\n", transcript.String())
			if !errors.Is(err, pop3client.ErrProtocol) || strings.Contains(told, "secret") {
				t.Errorf("want ErrProtocol, and nothing of the message:\n%s", told)
			}
		})
	}
}
