package session_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/session"
	"example.com/postbag/internal/testca"
)

// driver is a client that does as it is told.
type driver struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	w    io.Writer
}

func newDriver(t *testing.T, conn net.Conn) *driver {
	return &driver{t, conn, bufio.NewReader(conn), conn}
}

func (d *driver) say(line string) {
	d.t.Helper()
	if _, err := io.WriteString(d.w, line+"\r\n"); err != nil {
		d.t.Logf("saying %q: %v", line, err)
	}
}

func (d *driver) hear(want string) {
	d.t.Helper()
	line, err := d.r.ReadString('\n')
	if err != nil || line != want+"\r\n" {
		d.t.Fatalf("heard %q, %v, want %q", line, err, want)
	}
}

// follow does the client's part of a script, "***" standing for the secret.
func (d *driver) follow(script, secret string, cfg *tls.Config) {
	d.t.Helper()
	for line := range strings.Lines(script) {
		mark, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch mark {
		case "C:":
			d.say(strings.ReplaceAll(text, "***", secret))
		case "S:":
			d.hear(text)
		case "S64:":
			want, _ := base64.StdEncoding.DecodeString(text)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(d.r, got); err != nil || !bytes.Equal(got, want) {
				d.t.Fatalf("heard %q, %v, want %q", got, err, want)
			}
		case "=":
			switch text {
			case "TLS":
				secure := tls.Client(d.conn, cfg)
				if err := secure.Handshake(); err != nil {
					d.t.Fatal(err)
				}
				d.conn, d.r, d.w = secure, bufio.NewReader(secure), secure
			case "COMPRESS":
				d.r = bufio.NewReader(flate.NewReader(d.r))
				d.w = &deflating{d.conn}
			}
		}
	}
}

type deflating struct{ w io.Writer }

func (d *deflating) Write(p []byte) (int, error) {
	f, _ := flate.NewWriter(d.w, flate.BestSpeed)
	f.Write(p)
	return len(p), f.Flush()
}

const imapSession = `S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready
C: a1 STARTTLS
S: a1 OK begin
= TLS
C: a2 LOGIN "joe@example.com" ***
S: a2 OK in
C: a3 COMPRESS DEFLATE
S: a3 OK begin
= COMPRESS
C: a4 UID FETCH 1 (FLAGS BODY[])
S: * 1 FETCH (FLAGS (\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700" ENVELOPE ("private subject" NIL) BODY[] {30}
S: Subject: private 7
S: 
S64: cHJpdmF0ZQo=
S: ) UID 1)
S64: YTQgT0sK
C: a5 LOGOUT
S: * BYE
S: a5 OK
`

const pop3Session = `S: +OK ready <1.2@example.com>
C: USER joe
S: +OK
C: PASS ***
S: +OK
C: RETR 1
C: NOOP
S: +OK 20 octets
S: From: jane@example.org
S: 
S: private 7
S: ..
S: .
S: +OK
C: AUTH PLAIN
S: + 
C: ***
S: -ERR
C: AUTH XOAUTH2 ***
S: +OK
C: APOP joe ***
S: -ERR
C: QUIT
S: +OK joe@example.org signing off
`

// record plays a session behind a recorder and returns what it wrote.
func record(t *testing.T, script, secret string, mask bool) string {
	t.Helper()
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), "mail.example.com")
	if err != nil {
		t.Fatal(err)
	}
	server := &tls.Config{Certificates: []tls.Certificate{cert}}
	client := &tls.Config{RootCAs: ca.Pool(), ServerName: "mail.example.com"}
	s, err := session.Parse("script", []byte(script))
	if err != nil {
		t.Fatal(err)
	}
	p := session.NewPlayer(s, server)
	var out bytes.Buffer
	rec := &session.Recorder{W: &out, Dial: p.Dial, ToServer: client, ToClient: server, Mask: mask, ImplicitTLS: strings.HasPrefix(script, "= TLS")}
	conn, err := rec.DialContext(t.Context(), "tcp", "mail.example.com:1")
	if err != nil {
		t.Fatal(err)
	}
	newDriver(t, conn).follow(script, secret, client)
	conn.Close()
	rec.Close()
	if err := p.Done(); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(out.String(), "# [server closes connection]\n", "")
}

func TestRecord(t *testing.T) {
	for name, script := range map[string]string{"imap": imapSession, "pop3": pop3Session, "pop3s": "= TLS\n" + pop3Session} {
		t.Run(name, func(t *testing.T) {
			secret := base64.StdEncoding.EncodeToString([]byte("\x00joe\x00hunter2"))
			if got := record(t, script, secret, false); got != script {
				t.Errorf("got\n%s\nwant\n%s", got, script)
			}
		})
	}
}

func TestRecordMasked(t *testing.T) {
	for name, script := range map[string]string{"imap": imapSession, "pop3": pop3Session} {
		t.Run(name, func(t *testing.T) {
			got := record(t, script, "hunter2", true)
			for _, word := range []string{"private", "hunter2", "joe", "jane", "7\n"} {
				if strings.Contains(got, word) {
					t.Errorf("%q is told:\n%s", word, got)
				}
			}
			for _, kept := range map[string][]string{"imap": {`FETCH (FLAGS (\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700"`, "{30}", "S: ) UID 1)"}, "pop3": {"S: xxxx: xxxx@xxxxxxx.xxx", "S: .."}}[name] {
				if !strings.Contains(got, kept) {
					t.Errorf("%q is lost:\n%s", kept, got)
				}
			}
			want, _ := session.Parse("", []byte(script))
			have, err := session.Parse("", []byte(got))
			if err != nil {
				t.Fatal(err)
			}
			var a, b bytes.Buffer
			want.ServerOctets(&a)
			have.ServerOctets(&b)
			if a.Len() != b.Len() {
				t.Errorf("%d octets of the server's, want %d", b.Len(), a.Len())
			}
		})
	}
}

// A message that the client sends is left out of a masked session, which can be
// played all the same.
func TestRecordMaskedUpload(t *testing.T) {
	const script = "S: * OK\nC: a1 APPEND x {22}\nS: + go\nC: private words\nC: a2 NOOP)\nS: a1 OK\nC: a2 NOOP\nS: a2 OK\n"
	got := record(t, script, "", true)
	if want := "S: * OK\nC: a1 APPEND x {22}\nS: + go\nC*: 15\nC*: 7\nC: )\nS: a1 OK\nC: a2 NOOP\nS: a2 OK\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := session.Parse("f", []byte(got)); err != nil {
		t.Error(err)
	}
}

// What a server repeats of a secret is hidden too, however it was sent.
func TestRecordRepeatedSecret(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00joe\x00hunter2"))
	token := base64.StdEncoding.EncodeToString([]byte("user=joe\x01auth=Bearer hunter2\x01\x01"))
	for _, script := range []string{
		"S: * OK\nC: a1 LOGIN joe hunter2\nS: a1 BAD LOGIN joe hunter2 is not understood\n",
		"S: * OK\nC: a1 LOGIN {3+}\nC: joe {7}\nS: + go\nC: hunter2\nS: a1 BAD hunter2\n",
		"S: * OK\nC: a1 AUTHENTICATE PLAIN\nS: +\nC: " + plain + "\nS: a1 NO hunter2 is wrong, and so is " + plain + "\n",
		"S: +OK\nC: PASS hunter2\nS: -ERR PASS hunter2\n",
		"S: +OK\nC: AUTH XOAUTH2 " + token + "\nS: -ERR hunter2\n",
		"S: +OK\nC: AUTH PLAIN " + plain + "\nS: + " + plain + "\nC: *\nS: -ERR\n",
		"S: +OK\nC: AUTH LOGIN\nS: +\nC: aHVudGVyMg==\nS: + " + base64.StdEncoding.EncodeToString([]byte("a hunter2")) + "\nC: *\nS: -ERR\n",
		"S: * OK\nC: a1 AUTHENTICATE SCRAM-SHA-256\nS: +\nC: " + plain + "\nS: + dj1zaWduYXR1cmU=\nC: \nS: a1 NO\n", // v=: passwords can be tried on it
		"S: * OK\nC: a1 LOGIN joe \"hunter2\\\"\"\nS: a1 BAD hunter2\"\n",
	} {
		got := record(t, script, "", false)
		for _, secret := range []string{"hunter2", plain, token, "YSBodW50ZXIy", "dj1z"} {
			if strings.Contains(got, secret) {
				t.Errorf("the secret is told:\n%s", got)
			}
		}
	}
}

// A server that answers STLS with an empty line ends neither the program nor
// the recording.
func TestRecordEmptyAnswer(t *testing.T) {
	script := "S: +OK\nC: STLS\nS: \nC: QUIT\nS: +OK\n"
	if got := record(t, script, "", false); got != script {
		t.Errorf("got\n%s\nwant\n%s", got, script)
	}
}
