package pop3server_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/postbag/internal/pop3server"
)

// drop is a maildrop that remembers what it was told.
type drop struct {
	msgs               []*pop3server.Message
	deleted, retrieved []string
}

func (d *drop) Messages() []*pop3server.Message { return d.msgs }
func (d *drop) Size(m *pop3server.Message) int  { return len(m.Data) + 1 }
func (d *drop) Update(del, ret []*pop3server.Message) {
	for _, m := range del {
		d.deleted = append(d.deleted, m.UID)
	}
	for _, m := range ret {
		d.retrieved = append(d.retrieved, m.UID)
	}
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestBackend(t *testing.T) {
	d := &drop{msgs: []*pop3server.Message{{UID: "a", Data: []byte("x\r\n")}, {UID: "b", Data: []byte("y\r\n")}}}
	var mu sync.Mutex
	var log []string
	b := &pop3server.Backend{
		Open: func(user, password string) (pop3server.Maildrop, string) {
			if user != "jane" || password != "token" {
				return nil, "[IN-USE] not now"
			}
			return d, ""
		},
		Mechanisms: []string{"XOAUTH2", "PLAIN"},
		Credentials: func(mechanism, response string) (user, password string, ok bool) {
			return strings.Cut(response, " ")
		},
		NoUSER: true,
		Silent: []string{"EXPIRE", "IMPLEMENTATION"},
		Log: func(_ net.Conn, verb, arg string) {
			mu.Lock()
			defer mu.Unlock()
			log = append(log, strings.TrimSpace(fmt.Sprint(verb, " ", arg)))
		},
	}
	talk(t, start(t, pop3server.Options{Backend: b}), `
	S: +OK postbag test server ready
	C: CAPA
	S: +OK capabilities follow
	S: TOP
	S: UIDL
	S: SASL XOAUTH2 PLAIN
	S: PIPELINING
	S: RESP-CODES
	S: AUTH-RESP-CODE
	S: .
	C: USER jane
	S: -ERR unknown command, or not before login
	C: AUTH CRAM-MD5
	S: -ERR no such mechanism
	C: AUTH PLAIN *
	S: -ERR this is no answer of PLAIN
	C: AUTH PLAIN `+b64("jane old")+`
	S: -ERR [IN-USE] not now
	C: AUTH XOAUTH2 `+b64("jane old")+`
	S: + `+b64(`{"status":"401","schemes":"Bearer","scope":"https://mail.example.com/"}`)+`
	C: AQ==
	S: -ERR [IN-USE] not now
	C: AUTH XOAUTH2 `+b64("jane token")+`
	S: +OK logged in
	C: STAT
	S: +OK 2 8
	C: UIDL 2
	S: +OK 2 b
	C: RETR 2
	S: +OK 4 octets
	S: y
	S: .
	C: DELE 1
	S: +OK marked
	C: QUIT
	S: +OK bye
	S end: `)
	if !slices.Equal(d.deleted, []string{"a"}) || !slices.Equal(d.retrieved, []string{"b"}) {
		t.Errorf("deleted %q, retrieved %q", d.deleted, d.retrieved)
	}
	want := []string{
		"CAPA", "USER jane", "AUTH CRAM-MD5", "AUTH PLAIN ***", "AUTH PLAIN ***", "AUTH XOAUTH2 ***", "AUTH XOAUTH2 ***",
		"STAT", "UIDL 2", "RETR 2", "DELE 1", "QUIT",
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(log, want) {
		t.Errorf("log %q, want %q", log, want)
	}
}

func TestTwoStep(t *testing.T) {
	b := &pop3server.Backend{
		Mechanisms:  []string{"XOAUTH2"},
		Credentials: func(_, response string) (string, string, bool) { return strings.Cut(response, " ") },
		TwoStep:     true,
	}
	srv := start(t, pop3server.Options{Backend: b})
	talk(t, srv, `
	S: +OK postbag test server ready
	C: AUTH XOAUTH2 `+b64("joe sec ret")+`
	S: -ERR Protocol error. Connection is closed. 10
	S end: `)
	conn, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "AUTH XOAUTH2\r\n%s\r\nQUIT\r\n", b64("joe sec ret"))
	got, err := io.ReadAll(conn)
	if want := "+OK postbag test server ready\r\n+ \r\n+OK logged in\r\n+OK bye\r\n"; err != nil || string(got) != want {
		t.Errorf("the server says %q, %v, want %q", got, err, want)
	}
}

func TestRequireTLS(t *testing.T) {
	talk(t, start(t, pop3server.Options{Backend: &pop3server.Backend{RequireTLS: true, Mechanisms: []string{"PLAIN"}}}), `
	S: +OK postbag test server ready
	C: CAPA
	S: +OK capabilities follow
	S: TOP
	S: UIDL
	S: PIPELINING
	S: RESP-CODES
	S: AUTH-RESP-CODE
	S: EXPIRE NEVER
	S: IMPLEMENTATION postbag
	S: .
	C: USER joe
	S: -ERR not without TLS
	C: AUTH PLAIN
	S: -ERR not without TLS`)
}
