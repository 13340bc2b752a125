package imapclient_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

func b64text(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestAuth(t *testing.T) {
	const token = "ya29.secret-token"
	password := imapclient.Credentials{User: "joe", Password: "secret pass"}
	oauth := imapclient.Credentials{User: "joe", Token: token}
	plain := b64text("\x00joe\x00secret pass")
	xoauth2 := b64text("user=joe\x01auth=Bearer " + token + "\x01\x01")
	ok := "S: z1 OK [CAPABILITY IMAP4rev1] in"
	for _, tt := range []struct {
		name   string
		creds  imapclient.Credentials
		script []string
		want   error // nil: success
	}{
		{"PLAIN with an initial response", password, []string{"S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi", "C: z1 AUTHENTICATE PLAIN " + plain, ok}, nil},
		{"PLAIN without", password, []string{"S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi", "C: z1 AUTHENTICATE PLAIN", "S: + ", "C: " + plain, ok}, nil},
		{"the next one after BAD", password, []string{"S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN SASL-IR] hi",
			"C: a1 AUTHENTICATE PLAIN " + plain, "S: a1 BAD no such mechanism", "C: z1 AUTHENTICATE LOGIN", "S: + VXNlcm5hbWU6", "C: " + b64text("joe"), "S: + UGFzc3dvcmQ6", "C: " + b64text("secret pass"), ok}, nil},
		{"LOGIN where there is no mechanism", password, []string{"S: * OK [CAPABILITY IMAP4rev1 AUTH=GSSAPI] hi", `C: z1 LOGIN "joe" "secret pass"`, ok}, nil},
		{"wrong", password, []string{"S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN SASL-IR] hi", "C: a1 AUTHENTICATE PLAIN " + plain, "S: a1 NO [AUTHENTICATIONFAILED] secret pass is wrong"}, imapclient.ErrAuth},
		{"wrong, and what is said of it is cut within the password", password, []string{"S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN SASL-IR] hi", "C: a1 AUTHENTICATE PLAIN " + plain, "S: a1 NO " + strings.Repeat("x", 494) + "secret pass"}, imapclient.ErrAuth},
		{"not now", password, []string{"S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN SASL-IR] hi", "C: a1 AUTHENTICATE PLAIN " + plain, "S: a1 NO [UNAVAILABLE] later"}, imapclient.ErrUnavailable},
		{"nothing fits", oauth, []string{"S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi"}, errors.ErrUnsupported},
		{"XOAUTH2", oauth, []string{"S: * OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] hi", "C: z1 AUTHENTICATE XOAUTH2 " + xoauth2, ok}, nil},
		{"XOAUTH2 refused", oauth, []string{"S: * OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] hi", "C: a1 AUTHENTICATE XOAUTH2 " + xoauth2,
			"S: + " + b64text(`{"status":"400","schemes":"Bearer","scope":"https://mail.example.com/"}`), "C: ", "S: a1 NO SASL authentication failed"}, imapclient.ErrAuth},
		{"a challenge that is none", password, []string{"S: * OK [CAPABILITY IMAP4rev1 AUTH=CRAM-MD5] hi", "C: a1 AUTHENTICATE CRAM-MD5", "S: + !!!"}, imapclient.ErrProtocol},
		{"challenges without end", imapclient.Credentials{User: "joe", Password: "x", Mechanisms: []string{"CRAM-MD5"}}, append([]string{"S: * OK [CAPABILITY IMAP4rev1 AUTH=CRAM-MD5] hi", "C: a1 AUTHENTICATE CRAM-MD5", "S: + PDFAeD4="}, "C: …", "S: + PDFAeD4=", "C: *", "S: a1 BAD cancelled"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var transcript bytes.Buffer
			c := play(t, lines(tt.script...), &imapclient.Options{Transcript: &transcript})
			err := c.Auth(t.Context(), tt.creds)
			told := transcript.String()
			if err != nil {
				told += err.Error()
			}
			for _, s := range []string{"secret", plain, xoauth2, b64text("secret pass")} {
				if strings.Contains(told, s) {
					t.Errorf("the secret is told:\n%s", told)
				}
			}
			if strings.HasPrefix(tt.name, "challenges") {
				if err == nil {
					t.Error("no error")
				}
				return
			}
			if tt.want == nil && err != nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("Auth = %v, want %v", err, tt.want)
			}
			if tt.name == "XOAUTH2 refused" {
				var oe *imapclient.OAuthError
				if !errors.As(err, &oe) || oe.Status != "400" {
					t.Errorf("%v, want an OAuthError with status 400", err)
				}
			}
		})
	}
}
