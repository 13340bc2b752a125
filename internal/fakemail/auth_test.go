package fakemail_test

import (
	"encoding/base64"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/postbag/internal/fakemail"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestLogin(t *testing.T) {
	for _, tt := range []struct {
		name    string
		profile fakemail.Profile
		without []string
		script  string
	}{
		{"atoms", 0, nil, `
			C: 1 login joe secret
			S: 1 OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE UNSELECT UIDPLUS MOVE CHILDREN LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE STATUS=SIZE ESEARCH SEARCHRES CONDSTORE QRESYNC COMPRESS=DEFLATE BINARY OBJECTID UTF8=ACCEPT APPENDLIMIT=67108864] logged in
			C: 2 LOGIN joe secret
			S: 2 BAD already logged in`},
		{"quoted", 0, nil, `
			C: 1 LOGIN "joe" "secret"
			S: 1 OK …`},
		{"literals", 0, nil, `
			C: 1 LOGIN {3}
			S: + go on
			C: joe {6}
			S: + go on
			C: secret
			S: 1 OK …`},
		{"literal+", 0, nil, `
			C: 1 LOGIN {3+}
			C: joe {6+}
			C: secret
			S: 1 OK …`},
		{"no literal+", 0, []string{"LITERAL+", "LITERAL-"}, `
			C: 1 LOGIN {3+}
			S: * BYE literals like this are not offered
			S: END`},
		{"literal- is for short ones", 0, []string{"LITERAL+"}, `
			C: 1 LOGIN {3+}
			C: joe {6+}
			C: secret
			S: 1 OK [CAPABILITY … LITERAL- …
			C: 2 APPEND INBOX {4097+}
			S: * BYE literals like this are not offered
			S: END`},
		{"wrong", 0, nil, `
			C: 1 LOGIN joe Secret
			S: 1 NO [AUTHENTICATIONFAILED] wrong user or password
			C: 2 LOGIN jane secret
			S: 2 NO [AUTHENTICATIONFAILED] wrong user or password
			C: 3 SELECT INBOX
			S: 3 BAD not before login`},
		{"LOGINDISABLED", 0, []string{"login"}, `
			C: 1 CAPABILITY
			S: * CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE LOGINDISABLED AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER
			S: 1 OK CAPABILITY completed
			C: 2 LOGIN joe secret
			S: 2 BAD unknown command`},
		{"PLAIN", 0, nil, `
			C: 1 AUTHENTICATE PLAIN
			S: + 
			C: ` + b64("\x00joe\x00secret") + `
			S: 1 OK …`},
		{"PLAIN at once", 0, nil, `
			C: 1 AUTHENTICATE PLAIN ` + b64("joe\x00joe\x00secret") + `
			S: 1 OK …`},
		{"PLAIN without SASL-IR", 0, []string{"SASL-IR"}, `
			C: 1 AUTHENTICATE PLAIN ` + b64("joe\x00joe\x00secret") + `
			S: 1 BAD …`},
		{"PLAIN cancelled", 0, nil, `
			C: 1 AUTHENTICATE PLAIN
			S: + 
			C: *
			S: 1 BAD cancelled`},
		{"no mechanism", 0, []string{"AUTH=PLAIN"}, `
			C: 1 AUTHENTICATE PLAIN
			S: 1 NO [CANNOT] no such mechanism`},
		{"XOAUTH2", 0, nil, `
			C: 1 AUTHENTICATE XOAUTH2 ` + b64("user=joe\x01auth=Bearer secret\x01\x01") + `
			S: 1 OK …`},
		{"XOAUTH2 refused", 0, nil, `
			C: 1 AUTHENTICATE XOAUTH2 ` + b64("user=joe\x01auth=Bearer old\x01\x01") + `
			S: + ` + b64(`{"status":"401","schemes":"Bearer","scope":"https://mail.example.com/"}`) + `
			C: 
			S: 1 NO [AUTHENTICATIONFAILED] …`},
		{"OAUTHBEARER", 0, nil, `
			C: 1 AUTHENTICATE OAUTHBEARER ` + b64("n,a=joe,\x01host=mail.example.com\x01port=993\x01auth=Bearer secret\x01\x01") + `
			S: 1 OK …`},
		{"Gmail", fakemail.Gmail, nil, `
			C: 1 LOGIN joe secret
			S: * CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE ID CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=67108864
			S: 1 OK joe authenticated (Success)`},
		{"Exchange", fakemail.Exchange, nil, `
			C: 1 CAPABILITY
			S: * CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+
			S: 1 OK CAPABILITY completed
			C: 2 ID ()
			S: 2 BAD Command Argument Error. 11
			C: 3 AUTHENTICATE XOAUTH2 ` + b64("user=joe\x01auth=Bearer old\x01\x01") + `
			S: 3 NO Logon failure: unknown user name or bad password.
			C: 4 LOGIN joe secret
			S: 4 OK LOGIN completed`},
		{"rubbish", 0, nil, `
			C: 1
			S: 1 BAD unknown command
			C: 
			S: * BAD there is no tag
			C: 1 NOOP x
			S: 1 BAD "x" is too much
			C: 1 XYZZY
			S: 1 BAD unknown command
			C: 1 LOGIN joe
			S: 1 BAD ' ' is expected before ""
			C: 1 LOGIN "joe
			S: 1 BAD …
			C: 1 LOGIN joe {70000}
			S: 1 NO [TOOBIG] the literal is too large
			C: 1 NOOP
			S: 1 OK NOOP completed`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			talk(t, start(t, tt.profile, &fakemail.Options{Without: tt.without}), tt.script, nil)
		})
	}
}

func TestRefuseLogins(t *testing.T) {
	m := start(t, 0, nil)
	talk(t, m, `
		do: refuse
		C: 1 LOGIN joe secret
		S: 1 NO [UNAVAILABLE] try later
		do: allow
		C: 2 LOGIN joe secret
		S: 2 NO [AUTHENTICATIONFAILED] …
		C: 3 LOGIN joe new
		S: 3 OK …`, map[string]func(){
		"refuse": func() { m.RefuseLogins("[UNAVAILABLE] try later") },
		"allow": func() {
			m.RefuseLogins("")
			if err := m.SetPassword("joe", "new"); err != nil {
				t.Error(err)
			}
		},
	})
}

// What is logged holds neither secrets nor mail.
func TestLog(t *testing.T) {
	var mu sync.Mutex
	var got []string
	m := start(t, 0, &fakemail.Options{Log: func(_ net.Conn, name, args string) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, strings.TrimSpace(name+" "+args))
	}})
	talk(t, m, `
		C: 0 LOGIN {3+}
		C: joe "secret"
		S: 0 OK …
		C: 1 uid fetch 1 FLAGS
		S: 1 BAD no mailbox is selected
		C: 2 APPEND "INBOX" (\Seen) {5+}
		C: s3cret
		S: 2 BAD …
		C: 3 APPEND INBOX {7+}
		C: private
		S: 3 OK …`, nil)
	talk(t, m, `
		C: 1 AUTHENTICATE PLAIN `+b64("\x00joe\x00secret")+`
		S: 1 OK …
		C: 2 LOGIN "jo\"e" secret
		S: 2 BAD …`, nil)
	want := []string{
		`LOGIN "joe" ***`, `UID FETCH 1 FLAGS`, `APPEND "INBOX" (\Seen) {5+}t`, `APPEND INBOX {7+}`, `LOGOUT`,
		`AUTHENTICATE PLAIN ***`, `LOGIN "jo\"e" ***`, `LOGOUT`,
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
