package fakemail_test

import (
	"bufio"
	"compress/flate"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/fakemail"
	"example.com/postbag/internal/testca"
)

func dial(t *testing.T, m *mailer) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", m.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// ask sends a command and returns all up to its tagged answer.
func ask(t *testing.T, w io.Writer, r *bufio.Reader, command string) string {
	t.Helper()
	tag, _, _ := strings.Cut(command, " ")
	if _, err := io.WriteString(w, command+"\r\n"); err != nil {
		t.Fatal(err)
	}
	if f, ok := w.(*flate.Writer); ok {
		if err := f.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	var all strings.Builder
	for {
		line, err := r.ReadString('\n')
		all.WriteString(line)
		if err != nil {
			t.Fatalf("%s: %v after %q", command, err, all.String())
		}
		if strings.HasPrefix(line, tag+" ") {
			return all.String()
		}
	}
}

func TestCompress(t *testing.T) {
	m := start(t, 0, nil)
	m.mails(t, 3)
	big := strings.Repeat("all work and no play\r\n", 100_000)
	m.put(t, "INBOX", big)
	conn := dial(t, m)
	r := bufio.NewReader(conn)
	r.ReadString('\n')
	ask(t, conn, r, "1 LOGIN joe secret")
	if got := ask(t, conn, r, "2 COMPRESS DEFLATE"); got != "2 OK DEFLATE is on from here\r\n" {
		t.Fatal(got)
	}
	counted := &counter{r: r}
	z := bufio.NewReader(flate.NewReader(counted))
	w, err := flate.NewWriter(conn, 9)
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(t, w, z, "3 COMPRESS DEFLATE"); got != "3 NO [COMPRESSIONACTIVE] DEFLATE is on\r\n" {
		t.Fatal(got)
	}
	ask(t, w, z, "4 SELECT INBOX")
	if got := ask(t, w, z, "5 FETCH 4 BODY[]"); !strings.Contains(got, "{2200000}\r\n"+big) {
		t.Fatalf("%d octets, want the message", len(got))
	}
	if counted.n > 100_000 {
		t.Errorf("%d octets came in: that is not compressed", counted.n)
	}
	if got := ask(t, w, z, "6 LOGOUT"); got != "* BYE see you\r\n6 OK LOGOUT completed\r\n" {
		t.Error(got)
	}
}

type counter struct {
	r *bufio.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func (c *counter) ReadByte() (byte, error) {
	c.n++
	return c.r.ReadByte()
}

func TestStartTLS(t *testing.T) {
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}}
	m := start(t, 0, &fakemail.Options{TLSConfig: cfg})
	conn := dial(t, m)
	r := bufio.NewReader(conn)
	r.ReadString('\n')
	if got := ask(t, conn, r, "1 CAPABILITY"); got != "* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE STARTTLS LOGINDISABLED\r\n1 OK CAPABILITY completed\r\n" {
		t.Fatal(got)
	}
	for _, command := range []string{"2 LOGIN joe secret", "2 AUTHENTICATE PLAIN " + b64("\x00joe\x00secret")} {
		if got := ask(t, conn, r, command); got != "2 NO [PRIVACYREQUIRED] not without TLS\r\n" {
			t.Fatal(got)
		}
	}
	// What comes ahead of the handshake must not be carried out in it.
	if got := ask(t, conn, r, "3 STARTTLS\r\n4 LOGIN joe secret"); got != "3 OK begin TLS\r\n" {
		t.Fatal(got)
	}
	secure := tls.Client(conn, &tls.Config{RootCAs: ca.Pool(), ServerName: "127.0.0.1"})
	r = bufio.NewReader(secure)
	if got := ask(t, secure, r, "5 CAPABILITY"); !strings.Contains(got, " AUTH=PLAIN ") || strings.Contains(got, "LOGINDISABLED") || strings.Contains(got, "STARTTLS") {
		t.Fatal(got)
	}
	if got := ask(t, secure, r, "6 STARTTLS"); !strings.HasPrefix(got, "6 BAD") {
		t.Fatal(got)
	}
	if got := ask(t, secure, r, "7 LOGIN joe secret"); !strings.HasPrefix(got, "7 OK [CAPABILITY ") {
		t.Fatal(got)
	}

	none := start(t, 0, &fakemail.Options{TLSConfig: cfg, Without: []string{"STARTTLS"}})
	talk(t, none, `
		C: 1 CAPABILITY
		S: * CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE LOGINDISABLED
		S: 1 OK CAPABILITY completed
		C: 2 STARTTLS
		S: 2 BAD unknown command`, nil)
}

// A client that does not read is waited for by nobody else.
func TestSlowClient(t *testing.T) {
	m := start(t, 0, nil)
	m.put(t, "INBOX", strings.Repeat("x", 32<<20))
	slow := dial(t, m)
	io.WriteString(slow, "1 LOGIN joe secret\r\n2 SELECT INBOX\r\n3 FETCH 1 BODY.PEEK[]\r\n")
	talk(t, m, inbox+`
		C: 1 STORE 1 +FLAGS.SILENT (\Seen)
		S: 1 OK STORE completed
		do: deliver
		C: 2 NOOP
		S: * 2 EXISTS
		S: * … RECENT
		S: 2 OK NOOP completed`, map[string]func(){"deliver": func() { m.mails(t, 1) }})
}

func TestManyMessages(t *testing.T) {
	m := start(t, 0, nil)
	m.mails(t, 12_000)
	conn := dial(t, m)
	r := bufio.NewReaderSize(conn, 1<<20)
	r.ReadString('\n')
	ask(t, conn, r, "1 LOGIN joe secret")
	ask(t, conn, r, "2 SELECT INBOX")
	started := time.Now()
	if got := ask(t, conn, r, "3 UID FETCH 1:* (FLAGS RFC822.SIZE)"); strings.Count(got, "\n") != 12_001 {
		t.Errorf("%d lines", strings.Count(got, "\n"))
	}
	ask(t, conn, r, `4 STORE 1:* +FLAGS.SILENT (\Deleted)`)
	if got := ask(t, conn, r, "5 EXPUNGE"); strings.Count(got, "\n") != 12_001 {
		t.Errorf("%d lines", strings.Count(got, "\n"))
	}
	if d := time.Since(started); d > 5*time.Second {
		t.Errorf("that took %v", d)
	}
}

func BenchmarkFetch(b *testing.B) {
	s := fakemail.NewStore(0)
	s.AddUser("joe", "secret")
	if _, err := s.Deliver("joe", "INBOX", []byte(strings.Repeat("a line of mail, as they are\r\n", 400_000))); err != nil {
		b.Fatal(err)
	}
	srv := fakemail.NewServer(s, new(fakemail.Options))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go func() {
		if c, err := ln.Accept(); err == nil {
			srv.Serve(c)
		}
	}()
	defer srv.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	io.WriteString(conn, "1 LOGIN joe secret\r\n2 SELECT INBOX\r\n")
	r := bufio.NewReaderSize(conn, 1<<20)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		if strings.HasPrefix(line, "2 OK") {
			break
		}
	}
	n := 400_000 * 29
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		fmt.Fprint(conn, "3 FETCH 1 BODY.PEEK[]\r\n")
		line, err := r.ReadString('\n')
		if err != nil || line != fmt.Sprintf("* 1 FETCH (BODY[] {%d}\r\n", n) {
			b.Fatal(line, err)
		}
		io.CopyN(io.Discard, r, int64(n+len(")\r\n3 OK FETCH completed\r\n")))
	}
}
